"""`make mutation`: what no test noticed counts, whatever the reason, and too much of it in any module fails."""

import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

MUTATION = Path(__file__).parents[1] / ".ci" / "mutation.py"


def checked(*lines: str, least: float = 75) -> tuple[int, str, str]:
    """Exit code, output and errors for some lines of `mutmut results`."""
    done = subprocess.run(
        [sys.executable, MUTATION, "--least", str(least)],
        input="".join(f"    {line}\n" for line in lines),
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode, done.stdout, done.stderr


def mutants(module: str, *statuses: str) -> Sequence[str]:
    return [f"{module}.x_draw__mutmut_{number}: {status}" for number, status in enumerate(statuses, start=1)]


def test_the_share_of_each_module_and_of_all_is_told() -> None:
    one, other = mutants("genre.one", *["killed"] * 3, "survived"), mutants("genre.two", *["killed"] * 4)
    code, said, errors = checked(*one, *other)
    assert (code, errors) == (0, "")
    assert [line.split(maxsplit=3) for line in said.splitlines()[1:]] == [
        ["3", "4", "75.0%", "genre.one (1 survived)"],
        ["4", "4", "100.0%", "genre.two"],
        ["7", "8", "87.5%", "all (1 survived)"],
    ]


def test_a_module_below_the_least_share_fails_though_all_together_are_above() -> None:
    one, other = mutants("genre.one", "killed", "survived"), mutants("genre.two", *["killed"] * 8)
    code, _, errors = checked(*one, *other)
    assert code == 1
    assert errors.startswith("below 75 %: genre.one;")


@pytest.mark.parametrize("status", ["survived", "no tests", "timeout", "suspicious", "segfault", "not checked"])
def test_only_a_mutant_that_a_test_failed_for_counts_as_killed(status: str) -> None:
    code, said, _ = checked(*mutants("genre.one", "killed", "killed", status))
    assert code == 1
    assert f"genre.one (1 {status})" in said


def test_mutants_of_methods_count_for_their_module() -> None:
    assert "genre.one\n" in checked("genre.one.xǁSamplerǁ__init____mutmut_12: killed")[1]


def test_modules_of_which_nothing_was_checked_are_left_out() -> None:
    code, said, _ = checked(*mutants("genre.one", "not checked"), *mutants("genre.two", "killed"))
    assert code == 0
    assert "genre.one" not in said


@pytest.mark.parametrize("lines", [(), mutants("genre.one", "not checked")])
def test_no_result_at_all_fails(lines: Sequence[str]) -> None:
    code, _, errors = checked(*lines)
    assert code == 1
    assert "no mutant was checked" in errors
