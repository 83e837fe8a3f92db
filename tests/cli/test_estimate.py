"""`genre estimate` on the command line."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from command_line import Genre
from servers import ChatServer, Reply

REGISTRY = """
[generators.priced]
plugin = "openai-compatible"
base_url = "{url}"
model = "small"
price = {{ prompt = 1000.0, completion = 2000.0 }}
api_key = {{ env = "A_KEY_THAT_IS_NOT_SET" }}
[generators.mystery]
plugin = "openai-compatible"
base_url = "{url}"
model = "mystery"
[generators.both]
plugin = "mix"
routes = {{ priced = 1, mystery = 1 }}
[defaults]
generator = "priced"
"""
EXPERIMENT = """
name = "e"
[dataset]
reader = "sample"
options = { news = 60, users = 40, train = 60, dev = 20, test = 20 }
[[variants]]
name = "original"
[[variants]]
name = "chain"
rounds = [{ task = "user-profiler", limit = 5 }, { task = "chain-generator" }]
"""
CHAIN = ("estimate", "small", "--task", "news-summarizer")


@pytest.fixture
def server(tmp_path: Path, small_folder: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[ChatServer]:
    """A server that is never asked, with a project whose generators name it."""
    monkeypatch.delenv("A_KEY_THAT_IS_NOT_SET", raising=False)
    with ChatServer(lambda _: Reply.error(500)) as running:
        (tmp_path / "registry.toml").write_text(REGISTRY.format(url=running.base_url))
        (tmp_path / "e.toml").write_text(EXPERIMENT)
        yield running
        assert not running.requests


def as_json(genre: Genre, *arguments: object) -> Any:
    outcome = genre(*arguments, "--json")
    assert outcome.code == 0, outcome.err
    return json.loads(outcome.out)


def test_an_experiment_has_a_row_for_each_round_and_a_sum(genre: Genre, server: ChatServer, tmp_path: Path) -> None:
    outcome = genre("estimate", "e.toml")
    assert outcome.code == 0, outcome.err
    rows = [line.split() for line in outcome.out.splitlines() if line.startswith("chain")]
    assert [row[:6] for row in rows] == [
        ["chain", "user-profiler", "priced", "5", "0", "0"],
        ["chain", "chain-generator", "*", "priced", "4", "0"],
    ]
    assert "* chain, chain-generator: assumes that the 5 answers" in outcome.out
    assert "9 calls, $" in outcome.out
    assert "nobody was asked" in outcome.out
    assert not (tmp_path / ".genre").exists()


def test_the_options_of_enrich_make_a_chain_on_a_data_set(genre: Genre, server: ChatServer) -> None:
    told = as_json(genre, *CHAIN, "--task", "news-generator", "--limit", 1, "-o", "draws=3", "--generator", "mystery")
    assert [(each["name"], each["calls"]) for each in told["rounds"]] == [("news-summarizer", 1), ("news-generator", 3)]
    assert told["cost"] == {"usd": None, "unknown": 4}


def test_json_has_the_figures_of_rounds_and_routes(genre: Genre, server: ChatServer) -> None:
    told = as_json(genre, *CHAIN, "--generator", "both", "--budget", "1usd")
    [each] = told["rounds"]
    assert each["prompts"] == each["calls"] == sum(route["calls"] for route in each["routes"]) == 6
    assert {route["generator"] for route in each["routes"]} == {"priced", "mystery"}
    assert told["unpriced"] == each["unpriced"] == ["mystery"]
    assert (told["budget"], told["enough"]) == (1.0, "unknown")
    assert told["cost"]["unknown"] == next(r["calls"] for r in each["routes"] if r["generator"] == "mystery")


def test_an_unknown_price_is_said_and_the_sum_is_a_lower_bound(genre: Genre, server: ChatServer) -> None:
    printed = genre(*CHAIN, "--generator", "both", "--budget", "9").out
    assert "the price of mystery is not known" in printed
    assert "6 calls, at least $" in printed
    assert "a run with it is refused as long as the price of mystery is not known" in printed
    assert "$0.00" not in printed


@pytest.mark.parametrize(
    ("budget", "verdict"),
    [("0.01", "is not enough"), ("3", "is enough for what is expected, but not"), ("900", "even in the worst case")],
)
def test_a_budget_is_weighed(genre: Genre, server: ChatServer, budget: str, verdict: str) -> None:
    assert verdict in genre(*CHAIN, "--budget", budget).out


def test_changes_of_the_experiment_are_made_first(genre: Genre, server: ChatServer) -> None:
    change = "variants=[{name='a', rounds=[{task='news-summarizer', limit=2}]}]"
    assert as_json(genre, "estimate", "e.toml", "--set", change)["calls"] == 2


MISTAKES = {
    "no task for a data set": (("small",), "add --task NAME"),
    "a change without an experiment": ((*CHAIN[1:], "--set", "a=1"), "write -o NAME=VALUE"),
    "an option of a task for an experiment": (("e.toml", "-o", "draws=1"), "-o belongs to --task"),
    "a limit for an experiment": (("e.toml", "--limit", "0"), "--limit belongs to --task"),
    "a missing file": (("none.toml",), "there is no such file"),
    "no amount of money": ((*CHAIN[1:], "--budget", "much"), "write 25usd"),
    "a file that is no store": ((*CHAIN[1:], "--store", "e.toml"), "not an answer store"),
    "an unknown task": (("small", "--task", "news-sumarizer"), "did you mean 'news-summarizer'"),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_wrong_call_is_told(genre: Genre, server: ChatServer, mistake: str) -> None:
    arguments, told = MISTAKES[mistake]
    outcome = genre("estimate", *arguments)
    assert outcome.code == 2
    assert told in outcome.err
    assert "Traceback" not in outcome.err


def test_an_estimate_of_the_folder_above_writes_nothing(
    genre: Genre, server: ChatServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    below, temporary = tmp_path / "small" / "below", tmp_path / "temporary"
    below.mkdir()
    theirs = temporary / "00-news-summarizer" / "records" / "mine.txt"
    theirs.parent.mkdir(parents=True)
    theirs.write_text("mine")
    monkeypatch.chdir(below)
    monkeypatch.setattr("tempfile.tempdir", str(temporary))
    (below / "registry.toml").write_text((tmp_path / "registry.toml").read_text())
    found = as_json(genre, "estimate", "..", "--task", "news-summarizer")
    assert [each["variant"] for each in found["rounds"]] == ["small"]
    assert theirs.read_text() == "mine"
    assert [path.name for path in temporary.iterdir()] == ["00-news-summarizer"]
