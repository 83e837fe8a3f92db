"""Tables of rounds and results on the terminal."""

from collections.abc import Mapping, Sequence

from rich.console import Console
from rich.table import Table

from genre.experiments.results import METRICS, mean_rows
from genre.generation import RoundReport


def rounds_table(reports: Mapping[str, Sequence[RoundReport]]) -> None:
    """Print what each round of each variant did."""
    columns = ("variant", "round", "generator", "subjects", "records", "calls", "stored", "skipped", "quarantined")
    table = Table(*columns, title="Rounds", title_justify="left", box=None, header_style="bold")
    for variant, rounds in reports.items():
        for report in rounds:
            counts = (report.subjects, report.records, report.calls, report.reused, report.skipped)
            quarantined = sum(report.quarantined.values())
            name = f"{report.name} (leaked)" if report.leaked else report.name
            table.add_row(variant, name, report.generator, *(f"{count:,}" for count in (*counts, quarantined)))
            for reason, count in report.quarantined.items():
                table.add_row("", f"  quarantined {count}: {reason[:60]}", style="yellow")
    if table.row_count:
        Console().print(table)


def results_table(rows: Sequence[Mapping[str, object]]) -> None:
    """Print each metric's mean over the seeds, for all, new and warm readers."""
    columns = ("variant", "baseline", "split", "segment", *METRICS, "impressions", "seeds")
    table = Table(*columns, title="Results (mean over seeds)", title_justify="left", box=None, header_style="bold")
    for row in mean_rows(rows):
        variant = f"{row['variant']} (leaked)" if row["leaked"] else str(row["variant"])
        metrics = (f"{value:.4f}" if isinstance(value := row[name], float) else "-" for name in METRICS)
        place = (str(row["baseline"]), str(row["split"]), str(row["segment"]))
        table.add_row(variant, *place, *metrics, f"{row['impressions']:,}", str(row["seeds"]))
    Console().print(table)
