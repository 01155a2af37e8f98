"""What a cycle of a daemon costs that looks at processes again and again: monit, and prometheus-process-exporter."""

import os
import signal
import socket
import subprocess
import time
import urllib.request

NAMES = [f"service-{n}" for n in range(10)]


def cpu(pid):
    """Seconds of cpu that its threads have had: sched-stats.rst of the kernel."""
    total = 0
    for thread in os.listdir(f"/proc/{pid}/task"):
        with open(f"/proc/{pid}/task/{thread}/schedstat") as stat:
            total += int(stat.read().split()[0])
    return total / 1e9


def monit(directory, cycles, environment):
    """Each cycle is one that a signal asks for, long after the one before has ended."""
    config = f"{directory}/monitrc"
    with open(config, "w", opener=lambda path, flags: os.open(path, flags, 0o600)) as file:
        file.write("set daemon 3600\n")
        for part in ("pidfile", "idfile", "statefile"):
            file.write(f"set {part} {directory}/monit.{part}\n")
        file.write(f"set log {directory}/monit.log\n")
        for name in NAMES:
            file.write(f'check process {name} matching "^{directory}/{name}$"\n  if does not exist then alert\n')
    daemon = subprocess.Popen(["monit", "-I", "-c", config], stdout=subprocess.DEVNULL, env=environment)
    rest(daemon)
    costs = []
    for _ in range(cycles):
        before = cpu(daemon.pid)
        daemon.send_signal(signal.SIGUSR1)
        rest(daemon)
        costs.append(cpu(daemon.pid) - before)
    stop(daemon)
    with open(f"{directory}/monit.log") as log:
        said = log.read()
    if "error" in said or said.count("Awakened by ") != cycles:
        raise SystemExit(f"monit did not do what it was to do:\n{said}")
    return costs


def exporter(cycles, environment):
    """Each cycle is one scrape."""
    port = free_port()
    command = ["prometheus-process-exporter", "-procnames", ",".join(NAMES), "-web.listen-address", f"127.0.0.1:{port}"]
    daemon = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=environment)
    rest(daemon)
    costs = []
    for _ in range(cycles):
        before = cpu(daemon.pid)
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=60) as page:
            metrics = page.read().decode()
        for process in NAMES:
            if f'namedprocess_namegroup_num_procs{{groupname="{process}"}}' not in metrics:
                raise SystemExit(f"process-exporter does not tell of {process}:\n{metrics[:2000]}")
        rest(daemon)
        costs.append(cpu(daemon.pid) - before)
    stop(daemon)
    return costs


def rest(daemon):
    """Waits until it has used next to no cpu for half a second: a cycle has ended."""
    last = -1
    while True:
        time.sleep(0.5)
        if daemon.poll() is not None:
            raise SystemExit(f"{daemon.args[0]} ended by itself, with {daemon.returncode}")
        now = cpu(daemon.pid)
        if now - last < 0.001:
            return
        last = now


def stop(daemon):
    daemon.terminate()
    daemon.wait(timeout=60)


def free_port():
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]
