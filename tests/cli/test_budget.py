"""`--budget`: money is counted against a real server, and never exceeded."""

import json
from contextlib import closing
from pathlib import Path

import pytest
from command_line import Genre
from servers import ChatServer, Reply, Request

from genre.generation import AnswerStore

REGISTRY = """
[generators.priced]
plugin = "openai-compatible"
base_url = "{url}"
model = "small"
price = {{ prompt = 100000.0, completion = 100000.0 }}
limits = {{ concurrency = 4 }}
[generators.two]
plugin = "mix"
routes = {{ dead = 1, priced = 0 }}
[generators.dead]
plugin = "openai-compatible"
base_url = "{dead}"
model = "small"
[defaults]
generator = "priced"
"""
ENRICH = ("enrich", "small", "--task", "news-summarizer", "--out", "rich", "--json")


def test_a_budget_stops_the_run_before_it_is_exceeded_and_a_higher_one_goes_on(
    genre: Genre, tmp_path: Path, small_folder: Path
) -> None:
    """An answer costs 1 USD (7 + 3 tokens), and may cost tens of them before that is known."""
    with ChatServer(lambda request: Reply.answer(f'{{"title": "Title {request.number}"}}')) as server:
        (tmp_path / "registry.toml").write_text(REGISTRY.format(url=server.base_url, dead=server.base_url))
        first = genre(*ENRICH, "--budget", "5usd")
        assert first.code == 1, first.err
        assert "budget of 5 USD does not cover the next call" in first.err
        assert not server.requests
        assert genre(*ENRICH, "--budget", "100000").code == 0
        assert len(server.requests) == 6
        with closing(AnswerStore(tmp_path / ".genre" / "answers.sqlite")) as store:
            assert sum(answer.cost or 0.0 for answer in store.rows()) == pytest.approx(6.0)


def test_enrich_tells_what_each_model_cost_now_and_before(genre: Genre, tmp_path: Path, small_folder: Path) -> None:
    with ChatServer(lambda request: Reply.answer(f'{{"title": "Title {request.number}"}}')) as server:
        (tmp_path / "registry.toml").write_text(REGISTRY.format(url=server.base_url, dead=server.base_url))
        for calls, cost, before in ((6, 6.0, 0.0), (0, 0.0, 6.0)):
            outcome = genre(*ENRICH)
            assert outcome.code == 0, outcome.err
            [report] = json.loads(outcome.out)
            [model] = report["models"]
            assert (model["generator"], model["model"], model["calls"]) == ("priced", "scripted-1", calls)
            assert model["cost"] == report["cost"] == {"usd": pytest.approx(cost), "unknown": 0}
            assert model["reused_cost"] == report["reused_cost"] == {"usd": pytest.approx(before), "unknown": 0}
            assert report["record_cost"] == {"usd": pytest.approx(1.0), "unknown": 0}


def test_an_amount_that_is_none_is_a_wrong_call(genre: Genre, small_folder: Path) -> None:
    outcome = genre(*ENRICH, "--budget", "much")
    assert (outcome.code, "25usd" in outcome.err) == (2, True)


@pytest.mark.parametrize("status", [401, 403])
def test_a_route_whose_key_is_wrong_is_out_at_once_and_the_round_goes_on(
    genre: Genre, tmp_path: Path, small_folder: Path, status: int
) -> None:
    with (
        ChatServer(lambda request: Reply.answer(f'{{"title": "Title {request.number}"}}')) as server,
        ChatServer(lambda _: Reply.error(status, "no")) as dead,
    ):
        (tmp_path / "registry.toml").write_text(REGISTRY.format(url=server.base_url, dead=dead.base_url))
        outcome = genre(*ENRICH, "--generator", "two")
        assert outcome.code == 0, outcome.err
        assert len(server.requests) == 6
        assert len(dead.requests) <= 8
        assert "dead answers nothing any more" in outcome.err


def test_a_server_that_refuses_calls_as_too_many_is_named(genre: Genre, tmp_path: Path, small_folder: Path) -> None:
    def script(request: Request) -> Reply:
        return Reply(status=429) if request.number == 4 else Reply.answer(f'{{"title": "Title {request.number}"}}')

    with ChatServer(script) as server:
        registry = REGISTRY.replace("concurrency = 4", "concurrency = 1, backoff = 0.001")
        (tmp_path / "registry.toml").write_text(registry.format(url=server.base_url, dead=server.base_url))
        outcome = genre(*ENRICH)
    assert outcome.code == 0, outcome.err
    assert "priced refuses calls as too many; " in outcome.err
