"""A herd of live processes, as a busy host has them.

50 services, each of a program, a user and a unit of its own, and ten processes `needle`. All else is load: 200 names,
50 users, 20 programs and as many units.
"""

import os
import shutil
import subprocess

SERVICES, NEEDLES, LOADS, LOAD_NAMES, LOAD_USERS = 50, 10, 20, 200, 50
SERVICE_UID, NEEDLE_UID, LOAD_UID = 20000, 20100, 21000


def programs(total):
    """The name of each program, and the name and the uid of each of its processes."""
    each = max(1, min(8, total // 2500))
    load = total - SERVICES * each - NEEDLES
    if load < LOADS:
        raise SystemExit(f"a herd of {total} is too small")
    for number in range(SERVICES):
        yield f"service-{number}", [(f"service-{number}", SERVICE_UID + number)] * each
    yield "needle", [("needle", NEEDLE_UID)] * NEEDLES
    for program in range(LOADS):
        yield f"load-{program}", [
            (f"work-{number % LOAD_NAMES}", LOAD_UID + number % LOAD_USERS) for number in range(program, load, LOADS)
        ]


def start(total, program, directory, cgroups):
    """Starts `total` processes, and returns when all are there. Without `cgroups` they have no units."""
    accounts(directory)
    told, tell = os.pipe()
    for name, processes in programs(total):
        path = f"{directory}/{name}"
        shutil.copy(program, path)
        child = subprocess.Popen([path], stdin=subprocess.PIPE, stdout=tell, text=True)
        if cgroups:
            join(child.pid, f"{cgroups}/{name}.service")
        child.stdin.write("".join(f"{name} {uid}\n" for name, uid in processes))
        child.stdin.close()
    os.close(tell)
    there = 0
    while there < total:
        got = len(os.read(told, 4096))
        if got == 0:
            raise SystemExit(f"only {there} of {total} processes could be started")
        there += got


def accounts(directory):
    """Gives the users names, in this mount namespace only: check_procs takes no user without an account."""
    uids = {f"service-{n}": SERVICE_UID + n for n in range(SERVICES)} | {"needle": NEEDLE_UID}
    uids |= {f"load-{n}": LOAD_UID + n for n in range(LOAD_USERS)}
    for file, line in ("passwd", "{0}:x:{1}:{1}::/:/usr/sbin/nologin\n"), ("group", "{0}:x:{1}:\n"):
        with open(f"/etc/{file}") as own, open(f"{directory}/{file}", "w") as more:
            more.write(own.read() + "".join(line.format(name, uid) for name, uid in uids.items()))
        subprocess.run(["mount", "--bind", f"{directory}/{file}", f"/etc/{file}"], check=True)


def join(pid, cgroup):
    os.makedirs(cgroup, exist_ok=True)
    with open(f"{cgroup}/cgroup.procs", "w") as procs:
        procs.write(str(pid))
