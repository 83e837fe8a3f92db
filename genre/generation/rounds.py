"""Rounds: task x generator -> records -> a richer data set; a chain is a list of rounds."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path

import attrs

from genre.dataset import Dataset
from genre.errors import RunError
from genre.generation.diversity import diversity
from genre.generation.executors import Asker
from genre.generation.passes import Passes
from genre.generation.prepare import PreparedRound
from genre.generation.records import QUARANTINE, Quarantine, RecordSink
from genre.generation.reports import RoundProgress, RoundReport, Tally
from genre.generation.routing import Routings
from genre.parts import Prompt


async def run_rounds(
    dataset: Dataset,
    rounds: Sequence[PreparedRound],
    pool: Routings,
    asker: Asker,
    *,
    folder: Path,
    on_progress: Callable[[RoundProgress], None] = lambda _: None,
) -> tuple[Dataset, list[RoundReport]]:
    """Run rounds one after another, each on the data set that the one before it made.

    Args:
        pool: what finds each round's generator: a `GeneratorPool`, or another that has instances by name.
        asker: what answers the prompts: an `Engine`, or what an executor opens.
        folder: where each round's records and quarantine are kept.

    Raises:
        RunError: a generator cannot go on, or failed at all prompts of a round; all answers so far are stored.
    """
    reports: list[RoundReport] = []
    for number, prepared in enumerate(rounds):
        place = round_folder(folder, number, prepared)
        dataset, report = await _run_round(dataset, prepared, pool, asker, folder=place, on_progress=on_progress)
        reports.append(report)
    return dataset, reports


def round_folder(folder: Path, number: int, prepared: PreparedRound) -> Path:
    """Where a round of a chain keeps its records and its quarantine.

    Args:
        number: its place in the chain, from 0.
    """
    return folder / f"{number:02}-{prepared.name}"


async def _run_round(
    dataset: Dataset,
    prepared: PreparedRound,
    pool: Routings,
    asker: Asker,
    *,
    folder: Path,
    on_progress: Callable[[RoundProgress], None],
) -> tuple[Dataset, RoundReport]:
    routing = pool.get(prepared.generator_name)
    gates = {name: make(dataset) for name, make in prepared.gates.items()}
    total = _total(prepared, dataset)
    tally = Tally(prepared, total, on_progress)
    prompts = first_subjects(prepared.prompter.prompts(dataset), prepared.limit)
    with RecordSink(folder, prepared.prompter.schema, prepared.name) as sink, Quarantine(folder) as quarantine:
        await Passes(prepared, gates, asker, routing, folder, sink, quarantine, tally).run(prompts)
        tally.report()
        records = sink.scan()
    _check_answered(tally, place=folder)
    identities = routing.identities
    figures = attrs.asdict(diversity(records, prepared.prompter.schema))
    report = attrs.evolve(tally.result, leaked=any(each.leaks for each in identities.values()), **figures)
    details: dict[str, object] = {
        "round": prepared.name,
        "task": prepared.task.name,
        "generator": prepared.generator_name,
        "models": {
            name: {"model": each.model, "endpoint": each.endpoint, "parameters": dict(each.parameters)}
            for name, each in identities.items()
        },
        "leaked": report.leaked,
        "options": {key: _as_json(value) for key, value in prepared.options.items()},
        "templates": sorted(tally.templates),
        "ask_again": {"times": prepared.again.times, "template": prepared.again.template.version},
        "limit": prepared.limit,
        "prompts": report.prompts,
        "records": report.records,
        "skipped": report.skipped,
        "repaired": report.repaired,
        "asked_again": report.asked_again,
        "quarantined": dict(report.quarantined),
        **figures,
    }
    return prepared.updater.update(dataset, records).with_lineage("round", **details), report


def _check_answered(tally: Tally, *, place: Path) -> None:
    """A round of calls that all failed is no round: what comes after would pass for enriched."""
    report = tally.result
    failed = report.quarantined.get("failed", 0)
    if not failed or failed + report.skipped < report.prompts:
        return
    raise RunError(
        f"the generator {report.generator!r} failed at all {failed} prompts of {report.name!r}; at the first: "
        f"{tally.first_failure}",
        where=place / QUARANTINE,
        remedy="see whether the server runs and its address is right; the same command goes on from here",
    )


def first_subjects(prompts: Iterable[Prompt], limit: int | None) -> Iterator[Prompt]:
    """All prompts of the first `limit` distinct subjects."""
    if limit is None:
        yield from prompts
        return
    seen: set[str] = set()
    for prompt in prompts:
        if prompt.subject not in seen and len(seen) == limit:
            return
        seen.add(prompt.subject)
        yield prompt


def _total(prepared: PreparedRound, dataset: Dataset) -> int | None:
    count = getattr(prepared.prompter, "count", None)
    return int(count(dataset, prepared.limit)) if count else None


def _as_json(value: object) -> object:
    """Options as lineage keeps them: a file by its name, since its folder differs between machines."""
    if isinstance(value, str) and Path(value).is_absolute():
        return Path(value).name
    if isinstance(value, Mapping):
        return {name: _as_json(item) for name, item in value.items()}
    return [_as_json(item) for item in value] if isinstance(value, list | tuple) else value
