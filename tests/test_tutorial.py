"""The tables that the tutorial explains have the columns of those that are printed."""

import pytest
from doc_blocks import ROOT, blocks_of

from genre.cli.tables import results_table, rounds_table
from genre.experiments.results import Cell, result_rows
from genre.generation import RoundReport
from genre.modeling.metrics import METRICS

PAGE = ROOT / "docs" / "tutorial" / "in-ten-minutes.md"
SHOWN = {
    block.text.split()[0]: block.text.splitlines()[1].split() for block in blocks_of(PAGE) if block.language == "text"
}


def printed(text: str, title: str) -> list[str]:
    lines = text.splitlines()
    [place] = [number for number, line in enumerate(lines) if line.startswith(title)]
    return lines[place + 1].split()


def test_the_tables_of_rounds_are_those_of_the_tutorial(capsys: pytest.CaptureFixture[str]) -> None:
    report = RoundReport("r", "t", "g", records=1, distinct={"title": 1}, most_repeated={"title": 1.0})
    rounds_table({"v": [report]})
    out = capsys.readouterr().out
    assert SHOWN["Rounds"] == printed(out, "Rounds")
    assert SHOWN["Texts"] == printed(out, "Texts")


def test_the_table_of_results_is_that_of_the_tutorial(capsys: pytest.CaptureFixture[str]) -> None:
    summary = [{"segment": "all", **dict.fromkeys(METRICS, 0.5), "impressions": 1}]
    results_table(result_rows(Cell("v", "b", 0), "test", summary, leaked=False))
    out = capsys.readouterr().out
    assert "Results on test, mean over 1 seed" in out
    assert SHOWN["Results"] == printed(out, "Results")
