"""Rounds: task x generator -> records -> a richer data set; a chain is a list of rounds."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import aclosing
from pathlib import Path

import attrs

from genre.dataset import Dataset
from genre.generation.diversity import diversity
from genre.generation.engine import Answered, Engine
from genre.generation.pool import GeneratorPool
from genre.generation.prepare import PreparedRound
from genre.generation.records import Quarantine, RecordSink
from genre.parts import Gate, MalformedOutput, Prompt, Prompter, Record

REPORT_EVERY = 64
"""Answers between two progress reports."""


@attrs.frozen
class RoundReport:
    """What a round did. `reused + calls + skipped == prompts`, and every answer is a record or in quarantine.

    Attributes:
        subjects: distinct news or readers that have a record.
        reused: prompts answered from the store.
        calls: prompts that were sent.
        skipped: prompts that the generator has no answer for and was told to leave out.
        quarantined: answers that cannot be used, by reason.
        leaked: the answers were made from more than the prompts say.
        distinct: how many different values each text of the records has. Models repeat themselves: of 2,306 books that
            GPT-3.5 made up for GENRE's authors, 488 titles were distinct.
        most_repeated: share of the records that have the most frequent value of each text.
        self_similarity: mean Jaccard similarity of the word sets of two records, for each text. See `Diversity`.
    """

    name: str
    task: str
    generator: str
    prompts: int = 0
    subjects: int = 0
    records: int = 0
    reused: int = 0
    calls: int = 0
    skipped: int = 0
    quarantined: Mapping[str, int] = attrs.field(factory=dict)
    prompt_tokens: int = 0
    completion_tokens: int = 0
    leaked: bool = False
    distinct: Mapping[str, int] = attrs.field(factory=dict)
    most_repeated: Mapping[str, float] = attrs.field(factory=dict)
    self_similarity: Mapping[str, float] = attrs.field(factory=dict)


@attrs.frozen
class RoundProgress:
    """How far a round is; `total` is None when its prompter cannot tell."""

    name: str
    generator: str
    done: int
    total: int | None
    reused: int
    quarantined: int


async def run_rounds(
    dataset: Dataset,
    rounds: Sequence[PreparedRound],
    pool: GeneratorPool,
    engine: Engine,
    *,
    folder: Path,
    on_progress: Callable[[RoundProgress], None] = lambda _: None,
) -> tuple[Dataset, list[RoundReport]]:
    """Run rounds one after another, each on the data set that the one before it made.

    Args:
        folder: where each round's records and quarantine are kept.

    Raises:
        RunError: a generator cannot go on; all answers so far are stored.
    """
    reports: list[RoundReport] = []
    for number, prepared in enumerate(rounds):
        place = folder / f"{number:02}-{prepared.name}"
        dataset, report = await _run_round(dataset, prepared, pool, engine, folder=place, on_progress=on_progress)
        reports.append(report)
    return dataset, reports


async def _run_round(
    dataset: Dataset,
    prepared: PreparedRound,
    pool: GeneratorPool,
    engine: Engine,
    *,
    folder: Path,
    on_progress: Callable[[RoundProgress], None],
) -> tuple[Dataset, RoundReport]:
    routing = pool.get(prepared.generator_name)
    gates = {name: make(dataset) for name, make in prepared.gates.items()}
    total = _total(prepared, dataset)
    tally = _Tally(prepared, total, on_progress)
    prompts = first_subjects(prepared.prompter.prompts(dataset), prepared.limit)
    with RecordSink(folder, prepared.prompter.schema, prepared.name) as sink, Quarantine(folder) as quarantine:
        answers = engine.answers(prompts, routing)
        async with aclosing(answers):  # no call may outlive the generator, however this block ends
            async for item in answers:
                record, reason = _judge(item, prepared.prompter, gates)
                tally.count(item, record, reason)
                if reason is not None and item.answer is not None:
                    quarantine.add(item.answer, reason)
                elif record is not None and item.answer is not None:
                    sink.add(item.prompt, item.answer.completion.model, record)
        tally.report()
        records = sink.scan()
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
        "limit": prepared.limit,
        "prompts": report.prompts,
        "records": report.records,
        "skipped": report.skipped,
        "quarantined": dict(report.quarantined),
        **figures,
    }
    return prepared.updater.update(dataset, records).with_lineage("round", **details), report


class _Tally:
    """Counts of a round, and its progress reports."""

    def __init__(
        self, prepared: PreparedRound, total: int | None, on_progress: Callable[[RoundProgress], None]
    ) -> None:
        self.templates: set[str] = set()
        self._prepared = prepared
        self._total = total
        self._on_progress = on_progress
        self._counts: Counter[str] = Counter()
        self._reasons: Counter[str] = Counter()
        self._subjects: set[str] = set()
        self.report()

    def count(self, item: Answered, record: Record | None, reason: str | None) -> None:
        self.templates.add(item.prompt.version)
        self._counts["prompts"] += 1
        if item.answer is None:
            self._counts["skipped"] += 1
        else:
            self._counts["reused" if item.reused else "calls"] += 1
            if not item.reused:
                self._counts["prompt_tokens"] += item.answer.completion.usage.prompt_tokens or 0
                self._counts["completion_tokens"] += item.answer.completion.usage.completion_tokens or 0
        if reason is not None:
            self._reasons[reason] += 1
        elif record is not None:
            self._counts["records"] += 1
            self._subjects.add(item.prompt.subject)
        if not item.reused or self._counts["prompts"] % REPORT_EVERY == 0:
            self.report()

    def report(self) -> None:
        done, reused = self._counts["prompts"], self._counts["reused"]
        name, generator = self._prepared.name, self._prepared.generator_name
        self._on_progress(RoundProgress(name, generator, done, self._total, reused, self._reasons.total()))

    @property
    def result(self) -> RoundReport:
        return RoundReport(
            name=self._prepared.name,
            task=self._prepared.task.name,
            generator=self._prepared.generator_name,
            subjects=len(self._subjects),
            quarantined=dict(sorted(self._reasons.items())),
            prompts=self._counts["prompts"],
            records=self._counts["records"],
            reused=self._counts["reused"],
            calls=self._counts["calls"],
            skipped=self._counts["skipped"],
            prompt_tokens=self._counts["prompt_tokens"],
            completion_tokens=self._counts["completion_tokens"],
        )


def _judge(item: Answered, prompter: Prompter, gates: Mapping[str, Gate]) -> tuple[Record | None, str | None]:
    """The record of an answer, or why it has none; both None when the generator left it out."""
    answer = item.answer
    if answer is None:
        return None, None
    if answer.state in ("refused", "failed"):
        return None, answer.state  # the provider's own words are beside it in quarantine, and count as one reason
    if answer.state == "truncated":
        return None, "truncated at max_tokens"
    try:
        record = prompter.parse(item.prompt, answer.completion.text)
    except MalformedOutput as error:
        return None, f"malformed: {error.reason}"
    for name, gate in gates.items():
        if (reason := gate.reject(item.prompt, record)) is not None:
            return None, f"rejected by {name}: {reason}"
    return record, None


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
