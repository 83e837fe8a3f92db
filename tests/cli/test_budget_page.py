"""What docs/how-to/budget.md shows is run, and what it names exists."""

import re
from pathlib import Path

import attrs
import pytest
from command_line import Genre, Outcome
from servers import ChatServer, Reply

from genre.generation import Limits

PAGE = (Path(__file__).parents[2] / "docs" / "how-to" / "budget.md").read_text(encoding="utf-8")


def save_the_page_s_files(folder: Path, server: ChatServer) -> None:
    """The page's TOML files under the names that it gives them, with the address of a server that runs."""
    files = re.findall(r"`([\w.]+)`:\n\n```toml\n(.*?)```", PAGE, flags=re.DOTALL)
    assert [name for name, _ in files] == ["registry.toml", "chain.toml"]
    for name, text in files:
        (folder / name).write_text(text.replace("http://127.0.0.1:8000/v1", server.base_url), encoding="utf-8")


def row_of(outcome: Outcome, task: str) -> list[str]:
    [row] = [line.split() for line in outcome.out.splitlines() if f" {task} " in line and "tokens of" not in line]
    return row


def test_every_command_line_of_the_page_runs_and_says_what_the_page_says(
    genre: Genre, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("LARGE_API_KEY", raising=False)
    [block] = re.findall(r"```sh\n(.*?)```", PAGE, flags=re.DOTALL)
    with ChatServer(lambda request: Reply.answer(f'{{"title": "Title {request.number}"}}')) as server:
        save_the_page_s_files(tmp_path, server)
        done = []
        for line in block.splitlines():
            outcome = genre(*line.split()[1:])
            assert outcome.code == 0, outcome.err
            done.append(outcome)
        assert len(server.requests) == 40
    chain, _, before, enriched, after, stats = done
    assert "* chain, chain-generator: assumes that the 20 answers that the round 'user-profiler' lacks" in chain.out
    assert row_of(before, "news-summarizer")[2:6] == ["team", "40", "0", "0"]
    assert "a budget of $1.00 is enough even in the worst case" in before.out
    assert "Yield" in enriched.out
    assert row_of(after, "news-summarizer")[2:7] == ["mini", "50", "40", "0", "10"]
    assert "the mean of 40 stored answers of the task" in after.out
    assert "as the provider counted those of stored answers of the round" in after.out
    assert "40" in stats.out


def test_the_page_names_every_limit_and_its_default() -> None:
    for field in attrs.fields(Limits):
        assert f"`{field.name}`" in PAGE
    defaults = {field.name: field.default for field in attrs.fields(Limits)}
    for name in ("concurrency", "slow_down_at", "attempts", "patience"):
        assert f"| `{name}` | {defaults[name]:g} |" in PAGE
    assert f"| `backoff`, `longest_backoff` | {defaults['backoff']:g}, {defaults['longest_backoff']:g} |" in PAGE


def test_the_page_names_every_column_of_the_estimate(genre: Genre, small_folder: Path) -> None:
    head = genre("estimate", "small", "--task", "news-summarizer").out.splitlines()[1]
    columns = re.findall(r"^\| (\w[\w ]*) \| ", PAGE.partition("| column |")[2].partition("\n\n")[0], re.MULTILINE)
    assert re.split(r"\s{2,}", head.strip())[3:] == columns
