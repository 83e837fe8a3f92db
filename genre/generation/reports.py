"""What a round did, and how far it is: counts by outcome, while answers come and at the end."""

from collections import Counter
from collections.abc import Callable, Mapping

import attrs

from genre.generation.engine import Answered
from genre.generation.judging import Judgement
from genre.generation.prepare import PreparedRound

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


class Tally:
    """Counts of a round, and its progress reports.

    Attributes:
        templates: versions of the prompts' templates.
    """

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

    def count(self, item: Answered, judgement: Judgement) -> None:
        """An answer was judged."""
        self.templates.add(item.prompt.version)
        self._counts["prompts"] += 1
        if item.answer is None:
            self._counts["skipped"] += 1
        else:
            self._counts["reused" if item.reused else "calls"] += 1
            if not item.reused:
                self._counts["prompt_tokens"] += item.answer.completion.usage.prompt_tokens or 0
                self._counts["completion_tokens"] += item.answer.completion.usage.completion_tokens or 0
        if judgement.reason is not None:
            self._reasons[judgement.reason] += 1
        elif judgement.record is not None:
            self._counts["records"] += 1
            self._subjects.add(item.prompt.subject)
        if not item.reused or self._counts["prompts"] % REPORT_EVERY == 0:
            self.report()

    def report(self) -> None:
        """Tell how far the round is."""
        done, reused = self._counts["prompts"], self._counts["reused"]
        name, generator = self._prepared.name, self._prepared.generator_name
        self._on_progress(RoundProgress(name, generator, done, self._total, reused, self._reasons.total()))

    @property
    def result(self) -> RoundReport:
        """What the round came to."""
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
