"""Measures on one herd, as the first process of a PID namespace, which ends with it. Called by `compare`.

All commands of the role are run in turn, round after round. Writes ROLE.json: for each command what each of its rounds
cost, in seconds of cpu, seconds and KiB at most.
"""

import argparse
import json
import os
import subprocess
import time

import daemons
import herd
from commands import Commands

# No configuration, no locale and nothing of mon's changes what is run.
ENVIRONMENT = {"PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL": "C"}


def arguments():
    parser = argparse.ArgumentParser()
    parser.add_argument("role", help="which commands: a method of Commands")
    parser.add_argument("size", type=int, help="how many processes the herd has")
    parser.add_argument("rounds", type=int)
    parser.add_argument("--procward", required=True)
    parser.add_argument("--ps-monitor", required=True)
    parser.add_argument("--directory", required=True, help="where herd, run, scan and empty are, and the results go")
    parser.add_argument("--cgroups", default="", help="a slice to put the units of the herd into")
    parser.add_argument("--pid-max", type=int, required=True, help="the host's")
    parser.add_argument("--quick", action="store_true")
    return parser.parse_args()


def main():
    given = arguments()
    programs = f"{given.directory}/{given.role}"
    os.mkdir(programs)
    limit_pids(given.pid_max)
    start_herd(given, programs)
    if given.role == "host":
        # Rules of the audit that are not for what has just been started.
        time.sleep(15)
    commands = list(getattr(Commands(given, programs), given.role)())
    said = {command.name: look(command) for command in commands if not command.slow}
    costs = {command.name: [] for command in commands}
    for number in range(given.rounds):
        # Nobody always runs after the same one.
        turn = number % len(commands)
        for command in commands[turn:] + commands[:turn]:
            if not command.slow or number < command.slow:
                costs[command.name].append(measure(command, f"{given.directory}/run"))
    if given.role == "host":
        for name, cycles in ("monit", daemons.monit(programs, given.rounds, ENVIRONMENT)), (
            "process-exporter",
            daemons.exporter(given.rounds, ENVIRONMENT),
        ):
            costs[name] = [(cpu, None, None) for cpu in cycles]
    lines = {command.name: command.line(programs) for command in commands}
    with open(f"{given.directory}/{given.role}.json", "w") as file:
        json.dump({"size": given.size, "costs": costs, "lines": lines, "said": said}, file)


def limit_pids(host):
    """From Linux 6.14 a namespace has a limit of its own, far above the host's: unhide tries each number below it."""
    with open("/proc/sys/kernel/pid_max", "r+") as own:
        if int(own.read()) != host:
            own.seek(0)
            own.write(str(host))


def start_herd(given, programs):
    if given.size:
        herd.start(given.size, f"{given.directory}/herd", programs, given.cgroups)
    else:
        for _ in range(3):
            subprocess.Popen(["sleep", "infinity"])


def look(command):
    """Its first line, when it says what it is to say: once, before anything is measured."""
    seen = run(command)
    if seen.returncode != 0 or not command.says(seen.stdout):
        fail(command, seen.returncode, seen.stdout)
    return seen.stdout.partition("\n")[0]


def measure(command, runner):
    printed = subprocess.run([runner, *command.arguments], stdout=subprocess.PIPE, text=True, check=True, env=ENVIRONMENT)
    cpu, wall, peak, status = printed.stdout.split()
    if status != "0":
        fail(command, status, "Once more, it says:\n" + run(command).stdout)
    return float(cpu), float(wall), int(peak)


def run(command):
    return subprocess.run(
        command.arguments, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=ENVIRONMENT
    )


def fail(command, status, output):
    line = " ".join(command.arguments)[:300]
    raise SystemExit(f"ended {status}, or said something else than expected: {line}\n{output}")


main()
