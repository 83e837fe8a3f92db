"""Tables of rounds on the terminal."""

import io

import pytest
from rich.console import Console
from rich.table import Table
from rich.text import Text

from genre.cli.narrow import show
from genre.cli.tables import rounds_table, short
from genre.generation import RoundReport
from genre.generation.costs import Cost, money
from genre.generation.reports import ModelReport


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


def answered(generator: str, model: str, cost: Cost, **reasons: int) -> ModelReport:
    """Ten answers of a model, of which so many are unusable."""
    return ModelReport(generator, model, 10, 9, 10 - sum(reasons.values()), reasons, 70, 30, cost, Cost(None, 1))


def lines_of(printed: str, title: str) -> list[list[str]]:
    """The rows of one table, as words."""
    body = printed.partition(f"{title} ")[2].splitlines()[2:]
    return [line.split() for line in body]


def test_a_round_tells_its_calls_tokens_and_cost(capsys: pytest.CaptureFixture[str]) -> None:
    report = RoundReport("titles", "t", "gpt", calls=9, prompt_tokens=12_345_678, completion_tokens=900, cost=Cost(2.5))
    rounds_table({"rich": [report]})
    assert lines_of(capsys.readouterr().out, "Rounds")[0][-2:] == ["12.3M+900", "$2.50"]


def test_the_yield_is_told_by_model_with_the_reasons(capsys: pytest.CaptureFixture[str]) -> None:
    models = (answered("gpt", "gpt-4o", Cost(0.5), refused=1), answered("b", "claude", Cost(None, 9), refused=4))
    rounds_table({"rich": [RoundReport("titles", "t", "mix", models=models, quarantined={"refused": 5})]})
    printed = capsys.readouterr().out
    assert lines_of(printed, "Yield")[:2] == [
        ["rich", "titles", "gpt-4o", "10", "90.0%", "$0.5000", "unknown", "at", "least", "$55.56"],
        ["rich", "titles", "claude", "(b)", "10", "60.0%", "unknown", "unknown", "unknown"],
    ]
    assert "in quarantine: rich, titles, gpt-4o: 1 refused\n" in printed
    assert "in quarantine: rich, titles, claude (b): 4 refused\n" in printed


def test_repairs_and_second_questions_are_told(capsys: pytest.CaptureFixture[str]) -> None:
    rounds_table(
        {"rich": [RoundReport("titles", "t", "mix", repaired=1200, asked_again=3), RoundReport("b", "t", "g")]}
    )
    printed = capsys.readouterr().out
    assert "repaired: rich, titles: 1,200 answers that were almost JSON\n" in printed
    assert "asked again: rich, titles: 3 answers that could not be used\n" in printed
    assert "rich, b:" not in printed


def test_tables_of_usual_names_fit_into_120_columns(capsys: pytest.CaptureFixture[str]) -> None:
    models = (answered("gpt-4o-mini", "gpt-4o-mini-2024-07-18", Cost(123.5, 1)),)
    report = RoundReport("news-summarizer", "t", "mix", 51_282, 51_282, 51_282, 51_282, models=models)
    rounds_table({"summarized": [report]})
    printed = capsys.readouterr().out
    for line in ("summarized  news-summarizer  gpt-4o-mini-2024-07-18 ", "summarized  news-summarizer  "):
        assert line in printed


def test_the_name_of_a_model_cannot_steer_the_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    rounds_table({"rich": [RoundReport("t", "t", "g", models=(answered("g", "\x1b[2Jg", Cost(0.0)),))]})
    printed = capsys.readouterr().out
    assert "\x1b" not in printed
    assert "\\x1b[2Jg" in printed


@pytest.mark.parametrize(
    ("cost", "text"),
    [
        (None, "-"),
        (Cost(None, 3), "unknown"),
        (Cost(0.0), "$0.00"),
        (Cost(0.00001), "< $0.0001"),
        (Cost(0.12345), "$0.1235"),
        (Cost(1234.567), "$1,234.57"),
        (Cost(2.0, 1), "at least $2.00"),
    ],
)
def test_money_never_reads_0_where_it_is_unknown_or_small(cost: Cost | None, text: str) -> None:
    assert money(cost) == text


@pytest.mark.parametrize(("count", "text"), [(0, "0"), (999, "999"), (12_345, "12.3k"), (1_500_000, "1.5M")])
def test_counts_are_short(count: int, text: str) -> None:
    assert short(count) == text


@pytest.mark.parametrize("width", [80, 120])
def test_no_name_is_broken_into_pieces_and_no_figure_is_cut_on_a_narrow_terminal(width: int) -> None:
    table = Table(title="Rounds")
    for name in ("variant", "round", "generator"):
        table.add_column(name, overflow="fold")
    for name in ("prompts", "stored", "shared", "calls", "tokens", "expected", "at most"):
        table.add_column(name, justify="right", no_wrap=True)
    table.add_row("sample", Text("user-profiler"), "local", *"1234567")
    table.add_row("", "", "  other", "1,000,000", *"234567")
    console = Console(width=width, file=io.StringIO())
    show(console, table)
    assert isinstance(console.file, io.StringIO)
    lines = console.file.getvalue().splitlines()
    assert max(map(len, lines)) <= width
    words = " ".join(lines).split()
    assert {"sample", "user-profiler", "local", "other", "1,000,000", "expected", "7"} <= set(words)
