"""Jobs by tasks of a real Ray cluster on this machine."""

import json
import os
import signal
import threading
from collections.abc import Callable
from pathlib import Path

import job_entries
import pytest
from ray_cluster import share_cluster

from genre.errors import RunError, UsageError
from genre.generation import find_executor
from genre.modeling.executors import JobExecutor, Jobs
from genre.registry import Registry


def run(
    entry: Callable[..., None], arguments: list[str], at_once: int = 2, on_event: Callable[[str], None] = str
) -> None:
    share_cluster()
    executor = find_executor(Registry.load(), "ray")
    assert isinstance(executor, JobExecutor)
    executor.run_jobs(Jobs(Registry.load(), f"job_entries:{entry.__name__}", arguments, at_once, on_event))


@pytest.mark.slow
def test_every_job_is_done_and_what_it_tells_is_heard() -> None:
    told: list[str] = []
    run(job_entries.tell_and_end, ["a", "b", "c"], on_event=told.append)
    baselines = len(Registry.load().parts("baseline"))
    assert sorted(told) == [json.dumps([name, baselines]) for name in "abc"]


@pytest.mark.slow
def test_a_mistake_in_a_job_says_the_same_as_here() -> None:
    with pytest.raises(UsageError) as raised:
        run(job_entries.fail, ["a"])
    assert str(raised.value) == str(UsageError("a is wrong", where="here", remedy="mend it"))


@pytest.mark.slow
def test_a_job_whose_process_is_lost_is_begun_again() -> None:
    told: list[str] = []
    run(job_entries.lose_itself_once, ["a", "b"], on_event=told.append)
    assert sorted(told) == ["a", "b"]


@pytest.mark.slow
def test_a_job_that_loses_its_process_each_time_is_given_up() -> None:
    with pytest.raises(RunError, match="was lost 4 times"):
        run(job_entries.lose_itself, ["a"])


@pytest.mark.slow
def test_an_error_that_is_no_mistake_of_the_user_s_is_told_and_not_tried_again() -> None:
    told: list[str] = []
    with pytest.raises(RunError, match="a job failed: LookupError: nothing of a"):
        run(job_entries.break_down, ["a"], on_event=told.append)
    assert told == ["a"]


@pytest.mark.slow
def test_an_interrupt_lets_jobs_come_to_their_end(tmp_path: Path) -> None:
    begun: list[int] = []

    def interrupt(pid: str) -> None:
        begun.append(int(pid))
        if len(begun) == 2:
            threading.Timer(0.05, os.kill, (os.getpid(), signal.SIGINT)).start()

    with pytest.raises(KeyboardInterrupt):
        run(job_entries.wait_for_the_end, [str(tmp_path / name) for name in "abc"], on_event=interrupt)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a", "b"]
