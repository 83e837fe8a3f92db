"""Tables of rounds on the terminal."""

import pytest

from genre.cli.tables import rounds_table
from genre.generation import RoundReport


def test_every_round_with_texts_tells_how_much_they_repeat_each_other(capsys: pytest.CaptureFixture[str]) -> None:
    figures = {"distinct": {"title": 2}, "most_repeated": {"title": 0.5}, "self_similarity": {"title": 0.125}}
    texts = RoundReport("news-generator", "news-generator", "local", records=2, **figures)  # type: ignore[arg-type]
    profiles = RoundReport("user-profiler", "user-profiler", "local", records=7)
    rounds_table({"chain": [profiles, texts]})
    printed = capsys.readouterr().out
    [row] = [line.split() for line in printed.partition("self-similarity")[2].splitlines() if "chain" in line]
    assert row == ["chain", "news-generator", "title", "2", "2", "50.0%", "0.125"]


def test_one_text_alone_has_no_similarity(capsys: pytest.CaptureFixture[str]) -> None:
    one = RoundReport("a", "a", "local", records=1, distinct={"title": 1}, most_repeated={"title": 1.0})
    rounds_table({"chain": [one]})
    assert capsys.readouterr().out.rstrip().endswith("-")


def test_rounds_without_texts_have_no_table_of_them(capsys: pytest.CaptureFixture[str]) -> None:
    rounds_table({"chain": [RoundReport("a", "a", "local")]})
    assert "self-similarity" not in capsys.readouterr().out
