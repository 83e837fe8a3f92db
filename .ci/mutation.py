"""Reads what `mutmut results --all true` says, and fails where tests notice too few mutants of some module.

Only a mutant that a test failed for counts as killed. One that no test runs, that ran out of time or ended in another
way, or that was not checked counts as one that nobody noticed. A module without any checked mutant is left out, as all
but the named ones are after `make mutation MUTANTS=...`.
"""

import argparse
import re
import sys
from collections import Counter
from collections.abc import Iterable

RESULT = re.compile(r"^ +(?P<module>[\w.]+)\.x\S*__mutmut_\d+: (?P<status>.+)$")
KILLED, UNCHECKED = "killed", "not checked"


def main() -> int:
    """Print a table of modules; 1 when one of them, or all together, is below the least share."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--least", type=float, required=True, help="percent of the mutants that tests must kill")
    least = parser.parse_args().least
    modules = counted(sys.stdin)
    if not modules:
        print("no mutant was checked: run `mutmut run` first", file=sys.stderr)
        return 1
    modules["all"] = sum(modules.values(), Counter())
    print(f"{'killed':>8} {'of':>6} {'share':>7}  module")
    below = []
    for module, statuses in modules.items():
        share = 100 * statuses[KILLED] / statuses.total()
        others = ", ".join(f"{count} {status}" for status, count in sorted(statuses.items()) if status != KILLED)
        print(f"{statuses[KILLED]:>8} {statuses.total():>6} {share:>6.1f}%  {module}{f' ({others})' if others else ''}")
        if share < least:
            below.append(module)
    if below:
        print(f"below {least:g} %: {', '.join(below)}; `mutmut show NAME` shows a mutant", file=sys.stderr)
    return 1 if below else 0


def counted(lines: Iterable[str]) -> dict[str, Counter[str]]:
    """How many mutants of each module have each status."""
    modules: dict[str, Counter[str]] = {}
    for found in filter(None, map(RESULT.match, lines)):
        modules.setdefault(found["module"], Counter())[found["status"]] += 1
    return {module: statuses for module, statuses in modules.items() if set(statuses) != {UNCHECKED}}


if __name__ == "__main__":
    sys.exit(main())
