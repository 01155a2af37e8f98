"""What is compared with what, and the targets."""

import os
import statistics

from figures import mebibytes, milliseconds, quartiles, ratio
from herd import NEEDLES

ROLES = ["start", "small", "medium", "host", "large"]
SCAN_OF_MIXED = "C scan of comm, exe, owner and cgroup"


class Herd:
    """What was measured on one herd."""

    def __init__(self, result):
        self.costs, self.said = result["costs"], result["said"]
        self.size = f"{result['size']:,}"
        self.count = result["size"]

    def cpu(self, name):
        return [cost[0] for cost in self.costs[name]]

    def wall(self, name):
        return [cost[1] for cost in self.costs[name]]

    def peak(self, name):
        return [cost[2] for cost in self.costs[name]]


def times_less(what, ours, against, theirs, least=None):
    """procward takes at least so many times less than another."""
    found, rounds = ratio(theirs, ours)
    digits = 0 if found >= 100 else 1
    target = ["", ""] if least is None else ["less" if least == 1 else f"at least {least:g} times less", said(found >= least)]
    times = f"{found:.{digits}f}{quartiles(rounds, digits)} times less"
    return [what, milliseconds(ours), against, milliseconds(theirs), times, *target]


def at_most(what, ours, against, theirs, most=None):
    """procward takes at most so much of what another takes."""
    found, rounds = ratio(ours, theirs)
    target = ["", ""] if most is None else [f"at most {most:.2f}", said(found <= most)]
    return [what, milliseconds(ours), against, milliseconds(theirs), f"{found:.2f}{quartiles(rounds, 2)}", *target]


def said(reached):
    return "yes" if reached else "**no**"


def rows(results, procward):
    start, small, medium, host, large = (Herd(results[role]) for role in ROLES)
    yield from one_check(small, large)
    yield from one_check_and_the_least(large)
    yield from many_checks(large)
    yield from programs(large)
    yield from audit(host)
    yield from memory(large)
    yield from growth(start, medium, large)
    yield from start_and_size(start, procward)
    yield from daemons(host)
    yield from worst(large)


def one_check(small, large):
    what = f"1. one check of a name, {large.size} processes, cpu"
    for peer, least in ("check_procs -C", 6), ("ps.monitor", 9), ("pgrep -c", 6):
        yield times_less(what, large.cpu("one name"), peer, large.cpu(peer), least)
    what = f"2. one check of a name, {small.size} processes, wall time of the program"
    for peer, least in ("check_procs -C", 2.5), ("ps.monitor", 8):
        yield times_less(what, small.wall("one name"), peer, small.wall(peer), least)


def one_check_and_the_least(large):
    for name, most in ("one name", 0.8), ("one state", 1.1):
        what = f"3. check of {name}, {large.size} processes, cpu"
        yield at_most(what, large.cpu(name), "C scan of stat", large.cpu("scan stat"), most)


def many_checks(large):
    what = f"4. 50 checks of names in one run, {large.size} processes, cpu"
    yield at_most(what, large.cpu("50 names"), "one check", large.cpu("one name"), 1.3)
    what = f"5. 50 checks of name, exe, user and unit in one run, {large.size} processes, cpu"
    # check_procs knows neither exe nor unit: in their place it looks for a name, the cheapest that it can.
    peers = [38 * name + 12 * user for name, user in zip(large.cpu("check_procs -C"), large.cpu("check_procs -u"))]
    one_by_one = "check_procs 50 times: 38 × the cost of one with -C, 12 × of one with -u"
    yield times_less(what, large.cpu("50 mixed"), one_by_one, peers, 80)
    yield at_most(what, large.cpu("50 mixed"), SCAN_OF_MIXED, large.cpu("scan comm exe owner cgroup"), 1.15)


def programs(large):
    what = f"6. one check of a name and its exe, {NEEDLES} have the name, {large.size} processes, cpu"
    yield at_most(what, large.cpu("needle and exe"), "the name alone", large.cpu("needle"), 1.1)
    what = f"7. one check of exe alone, {large.size} processes, cpu"
    yield at_most(what, large.cpu("one exe"), "C scan of stat and exe", large.cpu("scan stat exe"), 0.65)


def audit(host):
    what = f"8. full audit, {host.said['audit'].removeprefix('OK: ')}, {host.size} processes, cpu"
    ours = host.cpu("audit")
    # What Lynis does before and after its tests is nearly all of it.
    yield times_less(what, ours, "lynis, its 2 tests of processes", host.cpu("lynis"), 1)
    yield times_less(what, ours, "lynis without a test", host.cpu("lynis without a test"))
    yield times_less(what, ours, "what these 2 tests start, `ps` and `awk`, alone", host.cpu("lynis, 2 ps"))
    yield times_less(what, ours, "needrestart, 1 question: old libraries", host.cpu("needrestart"), 1)
    for name in host.costs:
        if name.startswith("unhide"):
            yield times_less(what, ours, f"{name}, 1 question: hidden processes", host.cpu(name), 1)


def memory(large):
    ours = large.peak("one name")
    what = f"9. one check of a name, {large.size} processes, peak memory"
    reached = said(statistics.median(ours) <= 8 << 10)
    for peer in "check_procs -C", "ps.monitor":
        found, rounds = ratio(large.peak(peer), ours)
        times = f"{found:.1f}{quartiles(rounds, 1)} times less"
        yield [what, mebibytes(ours), peer, mebibytes(large.peak(peer)), times, "at most 8 MiB", reached]


def growth(start, medium, large):
    begin = statistics.median(start.cpu("one check"))
    for name in "one name", "one state":
        what = f"10. check of {name}, cpu per 1,000 processes, of {large.size}"
        for less, without, most in (0, "", 1.1), (begin, ", without the start", None):
            few, many = ([(cpu - less) * 1000 / herd.count for cpu in herd.cpu(name)] for herd in (medium, large))
            yield at_most(what + without, many, f"of {medium.size}", few, most)


def start_and_size(start, procward):
    size = os.path.getsize(procward) / (1 << 20)
    yield ["11. the binary", f"{size:.2f} MiB", "", "", "", "less than 5 MiB", said(size < 5)]
    ours, empty = start.cpu("one check"), start.cpu("empty Rust program")
    more = (statistics.median(ours) - statistics.median(empty)) * 1e3
    spread = quartiles([(one - other) * 1e3 for one, other in zip(ours, empty)], 2)
    other = ["an empty Rust program", milliseconds(empty), f"{more:.2f}{spread} ms more", "at most 0.5 ms more"]
    yield ["11. one check, 6 processes, cpu", milliseconds(ours), *other, said(more <= 0.5)]


def daemons(host):
    what = f"12. check of 10 names, {host.size} processes, cpu"
    for name, cycle in ("monit", "a cycle of monit"), ("process-exporter", "a scrape of process-exporter"):
        yield times_less(what, host.cpu("ten names"), cycle, host.cpu(name))


def worst(large):
    what = f"13. as 5, but every process is meant by a check, {large.size} processes, cpu"
    yield at_most(what, large.cpu("50 mixed that mean all"), SCAN_OF_MIXED, large.cpu("scan comm exe owner cgroup"))
