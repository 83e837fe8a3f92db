"""`kill -9` at twenty random moments of a round of 5,000 calls, each time started again."""

import itertools
import os
import random
import signal
from contextlib import closing
from pathlib import Path
from typing import Final

import pytest
from at_scale.projects import ENRICH, files, headline, number_for, openai_compatible, project, title_for
from command_line import run_genre, start_genre
from servers import ChatServer, Reply, Request
from stored_answers import answers_by_state

from genre.generation import AnswerStore
from genre.generation.commits import COMMIT_ROWS

CALLS: Final = 5_000
KILLS: Final = 20
IN_FLIGHT: Final = 64


class Killer:
    """Answers by the question alone, and kills the process `victim` when it asks for the next of some moments."""

    def __init__(self, moments: list[int]) -> None:
        self.moments = moments
        self.victim: int | None = None

    def __call__(self, request: Request) -> Reply:
        if self.victim is not None and self.moments and request.number >= self.moments[0]:
            self.moments.pop(0)
            os.kill(self.victim, signal.SIGKILL)
            self.victim = None
        asked = headline(request.body["messages"])
        match number_for(asked) % 50:
            case 0:
                return Reply.answer("Sure! Here is a title.")
            case 1:
                return Reply.error(400, "not about this")
            case _:
                return Reply.answer(title_for(asked))


@pytest.mark.slow
def test_a_round_that_was_killed_twenty_times_equals_an_undisturbed_one_and_pays_little_twice(tmp_path: Path) -> None:
    moments = sorted(random.Random(4).sample(range(1, CALLS), KILLS))
    script = Killer(moments)
    with ChatServer(script) as server:
        options = openai_compatible(server.base_url, concurrency=IN_FLIGHT)
        undisturbed, killed = tmp_path / "undisturbed", tmp_path / "killed"
        for folder in (undisturbed, killed):
            project(folder, {"server": options}, news=CALLS)
        assert run_genre(undisturbed, *ENRICH).code == 0
        needed = len(server.requests)
        assert needed >= CALLS
        script.moments = [needed + moment for moment in moments]

        lost = [0]
        while script.moments:
            with start_genre(killed, *ENRICH) as process:
                script.victim = process.pid
                try:
                    process.wait(60)
                finally:
                    process.kill()
            assert process.returncode == -signal.SIGKILL
            lost.append(len(server.requests) - needed - stored(killed))
        assert run_genre(killed, *ENRICH).code == 0

    assert files(killed) == files(undisturbed)
    newly = [after - before for before, after in itertools.pairwise(lost)]
    print(f"sent and not stored at each kill: {newly}")
    assert len(newly) == KILLS
    assert max(newly) <= IN_FLIGHT + COMMIT_ROWS
    assert len(server.requests) - needed <= needed + KILLS * (IN_FLIGHT + COMMIT_ROWS)
    assert stored(killed) == needed


def stored(folder: Path) -> int:
    """Answers on disk, as another process sees them."""
    with closing(AnswerStore(folder / ".genre" / "answers.sqlite")) as store:
        return sum(answers_by_state(store).values())
