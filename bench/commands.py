"""What is run, on a herd of which size, and what must come of it.

Every command must end with status 0 in every round: a benchmark of a command that fails is worth nothing. All checks are
OK, so that no second look, which confirms a failure, is in the figures.
"""

import os
from dataclasses import dataclass
from typing import Callable

from herd import LOADS, NEEDLES, SERVICES

CHECK_PROCS = "/usr/lib/nagios/plugins/check_procs"
MAX = 99999
# What Lynis' tests PROC-3612 and PROC-3614 start.
LYNIS_PS = "; ".join("ps x -o pid,stat,comm | awk '{ if ($2 %s) print $1 }' | xargs" % state for state in ("~ /Z|X/", '=="D"'))


@dataclass
class Command:
    name: str
    arguments: list
    says: Callable = lambda output: True  # whether its output is that of a run that did what it is to do
    slow: int = 0  # runs in so many rounds only

    def line(self, programs):
        """As it is typed, without the directories of this run."""
        words = [os.path.basename(self.arguments[0]), *self.arguments[1:]]
        return " ".join(words).replace(f"{programs}/", "/DIR/")


class Commands:
    """`given` are measure's arguments; `programs` is the directory of the herd's programs."""

    def __init__(self, given, programs):
        self.given, self.programs = given, programs

    # What is run on each herd: the roles.

    def start(self):
        yield self.check("one check", "sleep:1-999")
        yield Command("empty Rust program", [f"{self.given.directory}/empty"])

    def small(self):
        yield self.check("one name", "service-7:1-999")
        yield self.check_procs("check_procs -C", "-C", "service-7")
        yield self.ps_monitor("service-7")
        yield self.pgrep("service-7")

    def medium(self):
        yield self.check("one name", "service-7:1-999")
        yield self.check("one state", "state=Z:0")

    def host(self):
        yield Command("audit", [self.given.procward, "audit"], ok)
        yield self.lynis("lynis", "--tests-from-group", "memory_processes")
        yield self.lynis("lynis without a test", "--tests-from-group", "none")
        yield Command("lynis, 2 ps", ["sh", "-c", LYNIS_PS])
        yield Command("needrestart", ["needrestart", "-b", "-r", "l"], slow=3)
        yield self.unhide()
        yield self.check("ten names", *(f"service-{n}:1-999" for n in range(10)))

    def large(self):
        yield self.check("one name", "service-7:1-999")
        yield self.check_procs("check_procs -C", "-C", "service-7")
        yield self.check_procs("check_procs -u", "-u", "service-7")
        yield self.ps_monitor("service-7")
        yield self.pgrep("service-7")
        yield self.scan("stat")
        yield self.check("one state", "state=Z:0")
        yield self.check("50 names", *(f"service-{n}:1-999" for n in range(SERVICES)))
        yield self.check("50 mixed", *self.mixed())
        yield self.scan("comm", "exe", "owner", "cgroup")
        yield self.check("50 mixed that mean all", *self.mixed_that_mean_all())
        yield self.check("needle", f"needle:{NEEDLES}")
        yield self.check("needle and exe", f"needle,{self.exe('needle')}:{NEEDLES}")
        yield self.check("one exe", f"{self.exe('service-7')}:1-999")
        yield self.scan("stat", "exe")

    # How each of them is run.

    def check(self, name, *specs):
        return Command(name, [self.given.procward, "check", *specs], ok)

    def check_procs(self, name, key, value):
        return Command(name, [CHECK_PROCS, key, value, "-c", "1:999"], lambda output: "PROCS OK" in output)

    def ps_monitor(self, process):
        return Command("ps.monitor", [self.given.ps_monitor, f"{process}:1-999"])

    def pgrep(self, name):
        return Command("pgrep -c", ["pgrep", "-c", name], lambda count: int(count) >= 1)

    def scan(self, *files):
        """The C program that does no more than read these files of every process, and says how many it could."""
        least = self.given.size * len(files)
        return Command("scan " + " ".join(files), [f"{self.given.directory}/scan", *files], lambda read: int(read) >= least)

    def lynis(self, name, *tests):
        quiet = ["--quick", "--quiet", "--no-log", "--logfile", "/dev/null", "--report-file", "/dev/null"]
        return Command(name, ["lynis", "audit", "system", *tests, *quiet], slow=3)

    def unhide(self):
        """It starts a `ps` for each process, which would take an hour on a large herd: it is stopped before."""
        most = 5 if self.given.quick else 60
        stopped = f"timeout {most} unhide-linux quick; status=$?; [ $status -ne 124 ] || exit 0; exit $status"
        return Command(f"unhide quick, at most {most} s of it", ["sh", "-c", stopped], slow=1)

    # The 50 checks: of name, exe, user and unit a quarter each, and each with this key alone.

    def mixed(self):
        """Each means another service."""
        return (
            [f"service-{n}:1-999" for n in range(13)]
            + [f"{self.exe(f'service-{n}')}:1-999" for n in range(13, 26)]
            + [f"user=service-{n}:1-999" for n in range(26, 38)]
            + [f"unit=service-{n}.service:{self.least()}-999" for n in range(38, SERVICES)]
        )

    def mixed_that_mean_all(self):
        """Each process of the herd is meant by at least one."""
        names = ["service-?", *(f"service-{ten}?" for ten in range(1, 5)), "needle", *(f"work-{n}" for n in range(7))]
        units = [*(f"load-{n}" for n in range(13, LOADS)), *(f"service-{n}" for n in range(5))]
        return (
            [f"name={name}:1-{MAX}" for name in names]
            + [f"{self.exe(f'load-{n}')}:1-{MAX}" for n in range(13)]
            + [f"user=load-{n}:1-{MAX}" for n in range(12)]
            + [f"unit={unit}.service:{self.least()}-{MAX}" for unit in units]
        )

    def exe(self, program):
        return f"exe={self.programs}/{program}"

    def least(self):
        """Of a unit; where the herd could have none, none is asked for."""
        return 1 if self.given.cgroups else 0


def ok(output):
    return output.startswith("OK")
