"""Tables of rounds and results on the terminal."""

from collections.abc import Mapping, Sequence

from rich.console import Console
from rich.table import Table
from rich.text import Text

from genre.experiments.results import METRICS, mean_rows
from genre.generation import RoundReport

PIPED_WIDTH = 120
"""Columns when the output is not a terminal, whose width nobody knows."""


def output() -> Console:
    """Standard output; wide enough for every table where it is no terminal."""
    console = Console()
    return console if console.is_terminal else Console(width=PIPED_WIDTH)


def rounds_table(reports: Mapping[str, Sequence[RoundReport]]) -> None:
    """Print what each round of each variant did, why answers were not used, and how much texts repeat each other."""
    table = _table("Rounds", ("variant", "round"), ("subjects", "records", "calls", "stored", "skipped", "unusable"))
    texts = _table("Texts", ("variant", "round", "text"), ("records", "distinct", "most repeated", "self-similarity"))
    reasons: list[str] = []
    for variant, rounds in reports.items():
        for report in rounds:
            name = f"{report.name} (leaked)" if report.leaked else report.name
            unusable = sum(report.quarantined.values())
            counts = (report.subjects, report.records, report.calls, report.reused, report.skipped, unusable)
            table.add_row(Text(variant), Text(name), *(f"{count:,}" for count in counts))
            reasons += [f"{variant}, {name}: {count:,} {reason}" for reason, count in report.quarantined.items()]
            for field, distinct in report.distinct.items():
                similarity = report.self_similarity.get(field)
                texts.add_row(
                    *(Text(each) for each in (variant, name, field)),
                    f"{report.records:,}",
                    f"{distinct:,}",
                    f"{report.most_repeated[field]:.1%}",
                    "-" if similarity is None else f"{similarity:.3f}",
                )
    console = output()
    for each in (table, texts):
        if each.row_count:
            console.print(each)
    for reason in reasons:
        console.print(Text(f"in quarantine: {reason}", style="yellow"))


def results_table(rows: Sequence[Mapping[str, object]]) -> None:
    """Print each metric's mean over the seeds, for all, new and warm readers."""
    means = mean_rows(rows)
    seeds = sorted({int(str(row["seeds"])) for row in means} - {0})  # what is not trained has none
    for split in dict.fromkeys(str(row["split"]) for row in means):
        over = f", mean over {' or '.join(map(str, seeds))} seed{'s' if seeds != [1] else ''}" if seeds else ""
        table = _table(f"Results on {split}{over}", ("variant", "baseline", "readers"), (*METRICS, "impressions"))
        for row in means:
            if row["split"] == split:
                variant = Text(f"{row['variant']} (leaked)" if row["leaked"] else str(row["variant"]))
                place = (variant, Text(str(row["baseline"])), str(row["segment"]))
                figures = (f"{value:.4f}" if isinstance(value := row[name], float) else "-" for name in METRICS)
                table.add_row(*place, *figures, f"{row['impressions']:,}")
        output().print(table)


def _table(title: str, names: Sequence[str], figures: Sequence[str]) -> Table:
    table = Table(title=title, title_justify="left", title_style="bold", box=None, header_style="bold")
    for name in names:
        table.add_column(name, no_wrap=True)
    for name in figures:
        table.add_column(name, justify="right", no_wrap=True)
    return table
