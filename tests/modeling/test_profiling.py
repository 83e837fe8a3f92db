"""A profile counts each second once, and names operators."""

import json
from pathlib import Path

import pytest
import torch

from genre.errors import RunError
from genre.modeling import profiling
from genre.modeling.profiling import Profile


class Clock:
    """Time that passes when it is told to."""

    def __init__(self) -> None:
        self.now = 0.0

    def perf_counter(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(profiling, "time", clock)
    return clock


def test_a_second_of_an_inner_phase_is_not_the_outer_one_s(clock: Clock) -> None:
    profile = Profile()
    with profile.phase("outer"):
        clock.now += 1
        with profile.phase("inner"):
            clock.now += 10
        clock.now += 2
        with profile.phase("inner"):
            clock.now += 20
    with profile.phase("outer"):
        clock.now += 4
    assert profile.seconds == {"outer": 7.0, "inner": 30.0}


def test_what_it_takes_to_make_items_is_a_phase_and_what_is_done_with_them_is_not(clock: Clock) -> None:
    def made() -> object:
        for number in range(3):
            clock.now += 1
            yield number

    profile = Profile()
    for _ in profile.each("batches", made()):  # type: ignore[arg-type]
        clock.now += 100
    assert profile.seconds == {"batches": 3.0}


@pytest.mark.parametrize("steps", [5, 8, 14, 20])
def test_the_file_has_all_seconds_and_the_operators_of_some_steps(tmp_path: Path, steps: int) -> None:
    with Profile() as profile:
        for _ in range(steps):
            with profile.phase("forward"):
                torch.randn(50, 50) @ torch.randn(50, 50)
            profile.step()
        profile.pause()
        torch.randn(50, 50) @ torch.randn(50, 50)  # of an evaluation
    profile.write(tmp_path / "profile.json")
    told = json.loads((tmp_path / "profile.json").read_text())
    assert set(told["seconds"]) == {"forward", "other"}
    [product] = [each for each in told["operators"] if each["name"] == "aten::mm"]
    assert product["calls_a_step"] == 1.0
    assert product["ms_a_step"] > 0


def test_a_training_of_few_steps_has_no_operators(tmp_path: Path) -> None:
    with Profile() as profile:
        profile.step()
    profile.write(tmp_path / "profile.json")
    assert json.loads((tmp_path / "profile.json").read_text())["operators"] == []


def test_a_file_that_cannot_be_written_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(RunError, match="the profile cannot be written"):
        Profile().write(tmp_path / "file" / "profile.json")
