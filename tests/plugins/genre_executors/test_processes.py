"""Jobs by processes of this machine."""

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import job_entries
import pytest

from genre.errors import RunError, UsageError
from genre.generation import find_executor
from genre.modeling.executors import JobExecutor, Jobs
from genre.registry import Registry


def run(
    entry: Callable[..., None], arguments: list[str], at_once: int = 2, on_event: Callable[[str], None] = str
) -> None:
    executor = find_executor(Registry.load(), "local")
    assert isinstance(executor, JobExecutor)
    executor.run_jobs(Jobs(Registry.load(), f"job_entries:{entry.__name__}", arguments, at_once, on_event))


def test_every_job_is_done_and_what_it_tells_is_heard() -> None:
    told: list[str] = []
    run(job_entries.tell_and_end, ["a", "b", "c"], on_event=told.append)
    baselines = len(Registry.load().parts("baseline"))
    assert sorted(told) == [json.dumps([name, baselines]) for name in "abc"]


def test_a_mistake_in_a_job_says_the_same_as_here() -> None:
    with pytest.raises(UsageError) as raised:
        run(job_entries.fail, ["a"])
    assert str(raised.value) == str(UsageError("a is wrong", where="here", remedy="mend it"))


def test_a_process_that_is_lost_is_told() -> None:
    with pytest.raises(RunError, match=r"was lost \(exit code -9\)"):
        run(job_entries.lose_itself, ["a"])


def test_an_interrupt_lets_jobs_come_to_their_end(tmp_path: Path) -> None:
    begun: list[int] = []

    def interrupt(pid: str) -> None:
        begun.append(int(pid))
        if len(begun) == 2:  # while the program waits
            threading.Timer(0.05, os.kill, (os.getpid(), signal.SIGINT)).start()

    with pytest.raises(KeyboardInterrupt):
        run(job_entries.wait_for_the_end, [str(tmp_path / name) for name in "abc"], on_event=interrupt)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a", "b"]  # the third was not begun
    assert not any(Path(f"/proc/{pid}").exists() for pid in begun)


def test_a_job_that_tells_more_than_is_heard_comes_to_its_end(tmp_path: Path) -> None:
    def fail(event: str) -> None:
        raise LookupError(event)

    with pytest.raises(LookupError):
        run(job_entries.tell_much, [str(tmp_path / "a")], on_event=fail)
    assert (tmp_path / "a").exists()


def test_an_error_that_is_no_mistake_of_the_user_s_is_told_by_its_name() -> None:
    with pytest.raises(RunError, match="a job failed: LookupError: nothing of a"):
        run(job_entries.break_down, ["a"])


def test_jobs_end_with_the_program_that_asked_for_them(tmp_path: Path) -> None:
    program = f"""
import job_entries
from genre.modeling.executors import Jobs
from genre.registry import Registry
from genre_executors.processes import run_in_processes

def tell(pid):
    print(pid, flush=True)

if __name__ == "__main__":
    run_in_processes(Jobs(Registry.load(), "job_entries:wait_for_the_end", [{str(tmp_path / "a")!r}], 1, tell))
"""
    (tmp_path / "program.py").write_text(program)
    path = os.pathsep.join([str(Path(job_entries.__file__).parent), os.environ.get("PYTHONPATH", "")])
    command = [sys.executable, str(tmp_path / "program.py")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env={**os.environ, "PYTHONPATH": path}) as asker:
        assert asker.stdout is not None
        job = int(asker.stdout.readline())
        asker.kill()
        # The job holds the other end of the program's output: it is closed when the job has ended, too.
        assert asker.stdout.read() == ""
    assert not (tmp_path / "a").exists()
    assert job != asker.pid
