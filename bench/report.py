"""The tables, from what measure.py wrote. Called by `compare`.

  report.py DIRECTORY PROCWARD COMMAND WHAT-PROCWARD [--write FILE]
"""

import json
import statistics
import sys

import host
from figures import mebibytes, milliseconds
from rows import ROLES, rows

BEGIN, END = "<!-- measured: begin -->\n", "<!-- measured: end -->\n"


def load(directory):
    results = {}
    for role in ROLES:
        with open(f"{directory}/{role}.json") as file:
            results[role] = json.load(file)
    return results


def notes(directory):
    """What `compare` has to say of this run: what could not be had."""
    with open(f"{directory}/notes") as file:
        return [f"- **{line.strip()}**" for line in file]


def comparison(results, procward):
    yield "| | procward | against | that | ratio | target | reached |"
    yield "| --- | --- | --- | --- | --- | --- | --- |"
    for row in rows(results, procward):
        yield "| " + " | ".join(row) + " |"


def costs(results):
    yield "| processes | command | rounds | cpu | wall | peak |"
    yield "| --- | --- | --- | --- | --- | --- |"
    for role in ROLES:
        for name, cost in results[role]["costs"].items():
            cpu, wall, peak = (list(values) for values in zip(*cost))
            line = results[role]["lines"].get(name)
            line = f": `{shorten(line)}`" if line else ", one cycle"
            more = [milliseconds(wall), mebibytes([statistics.median(peak)])] if wall[0] is not None else ["", ""]
            yield "| " + " | ".join([f"{results[role]['size']:,}", name + line, str(len(cpu)), milliseconds(cpu), *more]) + " |"


def shorten(line):
    line = line if len(line) <= 64 else line[:60] + " …"
    return line.replace("|", "\\|")


def main():
    directory, procward, command, what = sys.argv[1:5]
    results = load(directory)
    text = "\n".join(
        [*host.lines(command, what), *notes(directory), ""]
        + [*comparison(results, procward), "", "What each command costs:", "", *costs(results), ""]
    )
    if sys.argv[5:6] != ["--write"]:
        print(text)
        return
    with open(sys.argv[6]) as file:
        before, rest = file.read().split(BEGIN)
    after = rest.split(END)[1]
    with open(sys.argv[6], "w") as file:
        file.write(f"{before}{BEGIN}\n{text}\n{END}{after}")


main()
