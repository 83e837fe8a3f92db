"""What a round did, and how far it is: counts by outcome, while answers come and at the end."""

import time
from collections import Counter
from collections.abc import Callable, Mapping
from typing import Final

import attrs

from genre.generation.costs import NOTHING, Cost, CostSum
from genre.generation.engine import Answered
from genre.generation.judging import Judgement
from genre.generation.prepare import PreparedRound
from genre.generation.store import StoredAnswer

REPORT_SECONDS: Final = 0.05
"""Between two progress reports, at least: nobody sees more of them."""


@attrs.frozen
class ModelReport:
    """What one model's answers came to in a round.

    Attributes:
        generator: the instance that asked it.
        model: its name as the provider says it; of refused and failed calls the name that was asked for.
        answers: its answers, those of the store included.
        calls: answers that were asked for in this run.
        quarantined: answers that cannot be used, by reason.
        prompt_tokens, completion_tokens, cost: of the calls of this run.
        reused_cost: what the answers of the store cost when they were paid, each of them once.
        repaired: records whose answer's syntax had to be repaired.
        asked_again: answers that cannot be used, and were asked for again. All others are a record or in quarantine.
    """

    generator: str
    model: str
    answers: int
    calls: int
    records: int
    quarantined: Mapping[str, int]
    prompt_tokens: int
    completion_tokens: int
    cost: Cost
    reused_cost: Cost
    repaired: int = 0
    asked_again: int = 0

    @property
    def answerer(self) -> str:
        """The model, and the instance that asked it where that says more."""
        return self.model if self.generator in self.model else f"{self.model} ({self.generator})"


@attrs.frozen
class RoundReport:
    """What a round did. `records + quarantined + skipped == prompts`: a prompt ends as one of them.

    And `reused + calls + skipped == prompts + asked_again`: a prompt is asked once, and once more each time that it is
    asked again.

    Attributes:
        subjects: distinct news or readers that have a record.
        reused: answers from the store.
        calls: answers that were asked for in this run.
        skipped: prompts that the generator has no answer for and was told to leave out.
        repaired: records whose answer's syntax had to be repaired.
        asked_again: answers that cannot be used, and were asked for again.
        quarantined: prompts without a usable answer, by what is wrong with the last one.
        prompt_tokens, completion_tokens, cost: of the calls of this run.
        reused_cost: what the answers of the store cost when they were paid, each of them once.
        record_cost: what a record cost, all answers of this run and of the store together; None without any record.
        models: the same by generator and model.
        templates: versions of the prompts' templates.
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
    repaired: int = 0
    asked_again: int = 0
    quarantined: Mapping[str, int] = attrs.field(factory=dict)
    prompt_tokens: int = 0
    completion_tokens: int = 0
    cost: Cost = NOTHING
    reused_cost: Cost = NOTHING
    record_cost: Cost | None = None
    models: tuple[ModelReport, ...] = ()
    templates: tuple[str, ...] = ()
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


class Tally:
    """Counts of a round, and its progress reports.

    Attributes:
        templates: versions of the prompts' templates.
        first_failure: what was said of the first call that failed; None without any.
    """

    def __init__(
        self, prepared: PreparedRound, total: int | None, on_progress: Callable[[RoundProgress], None]
    ) -> None:
        self.templates: set[str] = set()
        self.first_failure: str | None = None
        self._prepared = prepared
        self._total = total
        self._on_progress = on_progress
        self._prompts = 0
        self._skipped = 0
        self._waiting = 0
        self._subjects: set[str] = set()
        self._models: dict[tuple[str, str], _ModelTally] = {}
        self._paid: set[bytes] = set()
        self._reported_at = 0.0
        self.report()

    def count(self, item: Answered, judgement: Judgement, *, first: bool = True, again: bool = False) -> None:
        """An answer was judged.

        Args:
            first: the prompt was asked for the first time.
            again: the answer cannot be used, and will be asked for again.
        """
        self.templates.add(item.prompt.version)
        self._prompts += first
        self._waiting += again - (not first)
        if item.answer is None:
            self._skipped += 1
        else:
            self._count_answer(item, judgement, again=again)
        if judgement.reason is None and judgement.record is not None:
            self._subjects.add(item.prompt.subject)
        if time.monotonic() - self._reported_at >= REPORT_SECONDS:
            self.report()

    def given_up(self, generator: str, model: str, reason: str) -> None:
        """An answer that was to be asked for again could not be: the generator leaves such a prompt out."""
        self._waiting -= 1
        tally = self._models[generator, model]
        tally.asked_again -= 1
        tally.reasons[reason] += 1

    def report(self) -> None:
        """Tell how far the round is."""
        self._reported_at = time.monotonic()
        tallies = self._models.values()
        reused = sum(each.answers - each.calls for each in tallies)
        unusable = sum(each.reasons.total() for each in tallies)
        name, generator = self._prepared.name, self._prepared.generator_name
        done = self._prompts - self._waiting
        self._on_progress(RoundProgress(name, generator, done, self._total, reused, unusable))

    @property
    def result(self) -> RoundReport:
        """What the round came to."""
        models = tuple(self._models[key].result(*key) for key in sorted(self._models))
        reasons = sum((each.reasons for each in self._models.values()), Counter[str]())
        calls, records = sum(each.calls for each in models), sum(each.records for each in models)
        cost, reused_cost = Cost.sum(each.cost for each in models), Cost.sum(each.reused_cost for each in models)
        return RoundReport(
            name=self._prepared.name,
            task=self._prepared.task.name,
            generator=self._prepared.generator_name,
            prompts=self._prompts,
            subjects=len(self._subjects),
            records=records,
            reused=sum(each.answers for each in models) - calls,
            calls=calls,
            skipped=self._skipped,
            repaired=sum(each.repaired for each in models),
            asked_again=sum(each.asked_again for each in models),
            quarantined=dict(sorted(reasons.items())),
            prompt_tokens=sum(each.prompt_tokens for each in models),
            completion_tokens=sum(each.completion_tokens for each in models),
            cost=cost,
            reused_cost=reused_cost,
            record_cost=Cost.sum((cost, reused_cost)).times(1 / records) if records else None,
            models=models,
            templates=tuple(sorted(self.templates)),
        )

    def _count_answer(self, item: Answered, judgement: Judgement, *, again: bool) -> None:
        answer, reused = item.answer, item.reused
        assert answer is not None
        if judgement.problem == "failed" and self.first_failure is None:
            self.first_failure = answer.completion.text
        key = (answer.generator, answer.completion.model)
        if key not in self._models:
            self._models[key] = _ModelTally()
        # Prompts that ask the same share one answer, which was paid once.
        counted = reused and answer.key in self._paid
        if answer.cost != 0 and not counted:  # an unknown cost is one, too
            self._paid.add(answer.key)
        self._models[key].count_cost(answer, reused=reused, counted=counted)
        self._models[key].count(judgement, again=again)


@attrs.define(eq=False)
class _ModelTally:
    """Counts of one model in a round."""

    answers: int = 0
    calls: int = 0
    records: int = 0
    repaired: int = 0
    asked_again: int = 0
    reasons: Counter[str] = attrs.field(factory=Counter)
    prompt_tokens: int = 0
    completion_tokens: int = 0
    cost: CostSum = attrs.field(factory=CostSum)
    reused_cost: CostSum = attrs.field(factory=CostSum)

    def count(self, judgement: Judgement, *, again: bool) -> None:
        """Count what an answer came to."""
        self.answers += 1
        if again:
            self.asked_again += 1
        elif judgement.reason is not None:
            self.reasons[judgement.reason] += 1
        elif judgement.record is not None:
            self.records += 1
            self.repaired += judgement.repaired

    def count_cost(self, answer: StoredAnswer, *, reused: bool, counted: bool) -> None:
        """Count what an answer cost, unless it was counted before."""
        if not reused:
            self.calls += 1
            self.prompt_tokens += answer.completion.usage.prompt_tokens or 0
            self.completion_tokens += answer.completion.usage.completion_tokens or 0
            self.cost.add(answer.cost)
        elif not counted:
            self.reused_cost.add(answer.cost)

    def result(self, generator: str, model: str) -> ModelReport:
        """What the model's answers came to."""
        return ModelReport(
            generator=generator,
            model=model,
            answers=self.answers,
            calls=self.calls,
            records=self.records,
            repaired=self.repaired,
            asked_again=self.asked_again,
            quarantined=dict(sorted(self.reasons.items())),
            prompt_tokens=self.prompt_tokens,
            completion_tokens=self.completion_tokens,
            cost=self.cost.result,
            reused_cost=self.reused_cost.result,
        )
