"""Tables of rounds and results on the terminal."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final

from rich.console import Console
from rich.table import Table
from rich.text import Text

from genre.cli.narrow import show
from genre.experiments.estimate import Estimate
from genre.experiments.results import mean_rows
from genre.generation import RoundReport
from genre.generation.costs import Cost, money
from genre.generation.estimates import RouteEstimate
from genre.modeling.metrics import METRICS
from genre.untrusted import harmless

PIPED_WIDTH = 120
"""Columns when the output is not a terminal, whose width nobody knows."""


def output() -> Console:
    """Standard output; wide enough for every table where it is no terminal."""
    console = Console()
    return console if console.is_terminal else Console(width=PIPED_WIDTH)


def rounds_table(reports: Mapping[str, Sequence[RoundReport]]) -> None:
    """Print what each round of each variant did and cost, what became of each model's answers and why, and how much
    texts repeat each other.
    """
    rounds = _table(
        "Rounds",
        ("variant", "round"),
        ("subjects", "records", "calls", "stored", "skipped", "unusable", "tokens", "cost"),
    )
    models = _table(
        "Yield", ("variant", "round", "model"), ("answers", "usable", "cost", "paid before", "1,000 records")
    )
    texts = _table("Texts", ("variant", "round", "text"), ("records", "distinct", "most repeated", "self-similarity"))
    reasons: list[str] = []
    mended: list[str] = []
    for variant, each in reports.items():
        for report in each:
            name = f"{report.name} (leaked)" if report.leaked else report.name
            _add_round(rounds, variant, name, report)
            _add_models(models, variant, name, report)
            _add_texts(texts, variant, name, report)
            reasons += _reasons(f"{variant}, {name}", report)
            mended += _mended(f"{variant}, {name}", report)
    console = output()
    for table in (rounds, models, texts):
        if table.row_count:
            show(console, table)
    for line in mended:
        console.print(Text(harmless(line)))
    for reason in reasons:
        console.print(Text(harmless(f"in quarantine: {reason}"), style="yellow"))


def estimate_table(estimate: Estimate, *, budget: float | None = None) -> None:
    """Print what each round would ask of whom and cost, what the figures rest on, and whether a budget would do."""
    table = _table(
        "Estimate",
        ("variant", "round", "generator"),
        ("prompts", "stored", "shared", "calls", "tokens", "expected", "at most"),
    )
    for each in estimate.rounds:
        name = f"{each.name} *" if each.assumptions else each.name
        counts = [f"{count:,}" for count in (each.prompts, each.stored, each.repeated)]
        first: list[Text | str] = [*_names(each.variant, name, each.generator), *counts]
        if len(each.routes) != 1:
            table.add_row(*first, f"{each.calls:,}", _tokens(each.routes), money(each.cost), money(each.most))
        for route in each.routes:
            inner: list[Text | str] = [*_names("", "", f"  {route.generator}"), "", "", ""]
            figures = (f"{route.calls:,}", _tokens([route]), money(route.cost), money(route.most))
            table.add_row(*(first if len(each.routes) == 1 else inner), *figures)
    console = output()
    if table.row_count:
        show(console, table)
    for line in _notes(estimate):
        console.print(Text(harmless(line)))
    if budget is not None:
        console.print(Text(harmless(_verdict(estimate, budget)), style="bold"))


def _tokens(routes: Sequence[RouteEstimate]) -> str:
    asked, answered = sum(each.prompt_tokens for each in routes), sum(each.completion_tokens for each in routes)
    return f"{short(asked)}+{short(answered)}" if any(each.calls for each in routes) else "-"


def _notes(estimate: Estimate) -> Iterator[str]:
    """What the figures rest on, and their sum."""
    for each in estimate.rounds:
        where = f"{each.variant}, {each.name}"
        yield from (f"* {where}: assumes that {assumption}" for assumption in each.assumptions)
        if each.problem is not None:
            yield f"! {where}: cannot be estimated yet, and is not in the sum: {each.problem}"
        if each.asked_again:
            yield f"{where}: {each.asked_again:,} of the calls ask again for a stored answer that cannot be used"
    if any(each.repeated for each in estimate.rounds):
        yield "shared: asks the same as another prompt, of this round or of one before it, and is paid there"
    routes = [(each.task, route) for each in estimate.rounds for route in each.routes if route.calls]
    yield from _grouped("tokens of prompts for", ((r.generator, _COUNTED[r.prompt_tokens_by]) for _, r in routes))
    yield from _grouped("tokens of answers to", ((task, _expected(route)) for task, route in routes))
    yield from (f"the price of {name} is not known: its calls are in no sum" for name in estimate.unpriced)
    bound = " (lower bounds)" if any(each.problem for each in estimate.rounds) else ""
    cost, most = money(estimate.cost), money(estimate.most)
    yield f"{estimate.calls:,} calls, {cost} expected, {most} at most{bound}; nobody was asked"


def _grouped(what: str, notes: Iterable[tuple[str, str]]) -> Iterator[str]:
    """One line for all names of which the same is said."""
    names: dict[str, dict[str, None]] = {}
    for name, note in notes:
        names.setdefault(note, {})[name] = None
    return (f"{what} {', '.join(named)}: {note}" for note, named in names.items())


def _expected(route: RouteEstimate) -> str:
    if route.completion_tokens_by == "max_tokens":
        return "max_tokens, an upper bound, since no answer of the task is stored"
    return f"the mean of {route.measured:,} stored answers of the task"


def _verdict(estimate: Estimate, budget: float) -> str:
    enough, name = estimate.enough(budget), f"a budget of {money(Cost(budget))}"
    if enough == "unknown":
        return f"{name}: a run with it is refused as long as the price of {', '.join(estimate.unpriced)} is not known"
    if enough == "worst case":
        return f"{name} is enough even in the worst case"
    if enough == "expected":
        return f"{name} is enough for what is expected, but not for the worst case"
    return f"{name} is not enough: a run would stop at it, and a higher one goes on from there"


_COUNTED: Final = {
    "provider": "as the provider counted those of stored answers of the round",
    "tokenizer": "counted by a tokenizer of the provider",
    "bytes / 4": "UTF-8 bytes of messages and schema / 4, a rule of thumb",
}


def short(count: float) -> str:
    """A count in three digits: 12.7M."""
    for unit, size in (("G", 1e9), ("M", 1e6), ("k", 1e3)):
        if count >= size:
            return f"{count / size:.3g}{unit}" if count < 999.5 * size else f"{count / size:,.0f}{unit}"
    return f"{count:.0f}"


def _add_round(table: Table, variant: str, name: str, report: RoundReport) -> None:
    unusable = sum(report.quarantined.values())
    counts = (report.subjects, report.records, report.calls, report.reused, report.skipped, unusable)
    tokens = f"{short(report.prompt_tokens)}+{short(report.completion_tokens)}" if report.calls else "-"
    table.add_row(*_names(variant, name), *(f"{count:,}" for count in counts), tokens, money(report.cost))


def _add_models(table: Table, variant: str, name: str, report: RoundReport) -> None:
    for model in report.models:
        paid = Cost.sum((model.cost, model.reused_cost))
        table.add_row(
            *_names(variant, name, model.answerer),
            f"{model.answers:,}",
            f"{model.records / model.answers:.1%}",
            *map(money, (model.cost, model.reused_cost, paid.times(1000 / model.records) if model.records else None)),
        )


def _mended(name: str, report: RoundReport) -> Iterator[str]:
    """What it took to make records of answers: repair of their syntax, and asking again."""
    if report.repaired:
        yield f"repaired: {name}: {report.repaired:,} answers that were almost JSON"
    if report.asked_again:
        yield f"asked again: {name}: {report.asked_again:,} answers that could not be used"


def _add_texts(table: Table, variant: str, name: str, report: RoundReport) -> None:
    for field, distinct in report.distinct.items():
        similarity = report.self_similarity.get(field)
        table.add_row(
            *_names(variant, name, field),
            f"{report.records:,}",
            f"{distinct:,}",
            f"{report.most_repeated[field]:.1%}",
            "-" if similarity is None else f"{similarity:.3f}",
        )


def _reasons(where: str, report: RoundReport) -> list[str]:
    """Why answers were not used; by model where there are several."""
    if len(report.models) <= 1:
        return [f"{where}: {count:,} {reason}" for reason, count in report.quarantined.items()]
    return [
        f"{where}, {model.answerer}: {count:,} {reason}"
        for model in report.models
        for reason, count in model.quarantined.items()
    ]


def _names(*names: str) -> list[Text]:
    return [Text(harmless(name)) for name in names]


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
        show(output(), table)


def _table(title: str, names: Sequence[str], figures: Sequence[str]) -> Table:
    table = Table(title=title, title_justify="left", title_style="bold", box=None, pad_edge=False, header_style="bold")
    for name in names:
        table.add_column(name, overflow="fold")
    for name in figures:
        table.add_column(name, justify="right", no_wrap=True)
    return table
