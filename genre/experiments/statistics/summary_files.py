"""`summary.json` and `summary.md` of a run folder."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from genre.experiments.results import SUMMARY_JSON, write_json
from genre.experiments.statistics.summary import Summary, as_json, summarize_run
from genre.experiments.statistics.summary_page import as_markdown
from genre.staging import staged_file

SUMMARY_MD: Final = "summary.md"


def write_summary(folder: Path, name: str, rows: Sequence[Mapping[str, object]]) -> Summary:
    """Write `summary.json` and `summary.md` into a run folder.

    Args:
        name: the experiment's.
        rows: those of `results.json`.

    Raises:
        UsageError: as `summarize_run`.
        RunError: a file cannot be written.
    """
    summary = summarize_run(folder, rows)
    write_json(folder / SUMMARY_JSON, as_json(summary))
    with staged_file(folder / SUMMARY_MD, "summary") as staging:
        staging.write_text(as_markdown(name, summary), encoding="utf-8")
    return summary
