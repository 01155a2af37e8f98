"""What was measured on, and what was measured."""

import os
import platform
import subprocess
import time

PEERS = [
    "mon", "libproc-processtable-perl", "monitoring-plugins-basic", "procps", "monit", "prometheus-process-exporter",
    "lynis", "needrestart", "unhide",
]  # fmt: skip


def field(path, name, separator):
    with open(path) as file:
        for line in file:
            key, _, value = line.partition(separator)
            if key.strip() == name:
                return value.strip().strip('"')
    return "unknown"


def output(*command):
    return subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True).stdout.strip()


def version(package):
    return f"{package} " + output("dpkg-query", "-W", "-f=${Version}", package).split(":")[-1]


def lines(command, procward):
    memory = int(field("/proc/meminfo", "MemTotal", ":").split()[0]) / (1 << 20)
    with open("/etc/debian_version") as file:
        debian = file.read().strip()
    yield f"- `{command}`, {time.strftime('%Y-%m-%d %H:%M UTC', time.gmtime())}; {procward}"
    yield f"- {field('/proc/cpuinfo', 'model name', ':')}, {os.cpu_count()} cores, {memory:.0f} GiB"
    yield f"- Linux {platform.release()}, Debian {debian}, {output('rustc', '--version')}"
    yield "- " + ", ".join(version(package) for package in PEERS)
