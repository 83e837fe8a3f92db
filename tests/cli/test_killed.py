"""A real process that is really killed: what it was answered is never asked for again."""

import signal
import threading
from contextlib import closing
from pathlib import Path

import pytest
from command_line import start_genre
from servers import ChatServer, Reply, Request
from small_data import small_dataset
from stored_answers import answers_by_state

from genre.dataset import load_dataset, save_dataset
from genre.generation import AnswerStore
from genre.generation.commits import COMMIT_ROWS

CONCURRENCY = 4
PROMPTS = 606
ANSWERED_BEFORE_THE_END = 400


def project(folder: Path, server: ChatServer) -> list[str]:
    """A project whose default generator is the server; the arguments of the call that is killed."""
    save_dataset(small_dataset(more_news=PROMPTS - 6), folder / "small")
    (folder / "registry.toml").write_text(
        f'[defaults]\ngenerator = "server"\n\n[generators.server]\nplugin = "openai-compatible"\n'
        f'base_url = "{server.base_url}"\nmodel = "m"\nlimits = {{ concurrency = {CONCURRENCY} }}\n'
    )
    return ["enrich", "small", "--task", "news-summarizer", "--out", "rich"]


@pytest.mark.parametrize("way", [signal.SIGKILL, signal.SIGINT])
def test_a_run_that_was_stopped_half_way_asks_for_the_rest_only(tmp_path: Path, way: signal.Signals) -> None:
    half_way = threading.Event()

    def answer(request: Request) -> Reply:
        if not stopped and request.number >= ANSWERED_BEFORE_THE_END:
            half_way.set()
            return Reply(manner="hang")
        return Reply.answer(f'{{"title": "title {request.number}"}}')

    stopped = False
    with ChatServer(answer) as server:
        arguments = project(tmp_path, server)
        with start_genre(tmp_path, *arguments) as process:
            assert half_way.wait(60)
            process.send_signal(way)
            process.wait(60)
        assert process.returncode == (-signal.SIGKILL if way == signal.SIGKILL else 130)
        assert not (tmp_path / "rich" / "dataset.json").exists()
        with closing(AnswerStore(tmp_path / ".genre" / "answers.sqlite")) as store:
            stored = answers_by_state(store)["ok"]
        # What can be paid twice: calls in flight, and when killed, one group of answers that was not committed yet.
        lost = ANSWERED_BEFORE_THE_END - stored
        assert 0 <= lost <= (CONCURRENCY + COMMIT_ROWS if way == signal.SIGKILL else CONCURRENCY)
        stopped = True
        before = len(server.requests)
        with start_genre(tmp_path, *arguments) as process:
            process.wait(60)
        assert process.returncode == 0
        assert len(server.requests) - before == PROMPTS - stored
    titles = load_dataset(tmp_path / "rich").text("title")
    assert all(title.startswith("title ") for title in titles)
