"""Rounds whose generator gives unusable answers, and what became of them."""

import asyncio
import hashlib
import json
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import attrs
from fake_llm import FakeLLM, by_schema
from pool_of import PoolOf
from small_data import small_dataset

from genre.dataset import Dataset
from genre.generation import (
    AnswerStore,
    Engine,
    PreparedRound,
    RoundProgress,
    RoundReport,
    RoundSpec,
    prepare_round,
    run_rounds,
)
from genre.parts import Prompt
from genre.registry import Registry

Answer = Callable[[Prompt], str | Exception]


@attrs.frozen(eq=False)
class Outcome:
    dataset: Dataset
    report: RoundReport
    generator: FakeLLM
    folder: Path

    @property
    def quarantine(self) -> list[dict[str, object]]:
        return [json.loads(line) for line in (self.folder / "quarantine.jsonl").read_text().splitlines()]

    def asked(self, subject: str) -> list[Prompt]:
        return [prompt for prompt in self.generator.prompts if prompt.subject == subject]


def run(prepared: PreparedRound, answer: Answer, folder: Path, seen: list[RoundProgress] | None = None) -> Outcome:
    generator = FakeLLM(answer)
    with closing(AnswerStore(folder / "answers.sqlite")) as store:
        dataset, [report] = asyncio.run(
            run_rounds(
                small_dataset(),
                [prepared],
                PoolOf(generator),
                Engine(store),
                folder=folder / "rounds",
                on_progress=([] if seen is None else seen).append,
            )
        )
    return Outcome(dataset, report, generator, folder / "rounds" / f"00-{prepared.name}")


def summarize(registry: Registry, answer: Answer, folder: Path, **options: object) -> Outcome:
    return run(prepare_round(registry, RoundSpec("news-summarizer", options=options)), answer, folder)


def times_asked(prompt: Prompt) -> int:
    """How often, as far as the prompt shows."""
    return 1 if len(prompt.messages) == 2 else 2


def better_when_asked_again(prompt: Prompt) -> str:
    return "Gladly." if prompt.subject in ("N1", "N4") and times_asked(prompt) == 1 else by_schema(prompt)


def never(prompt: Prompt) -> str:
    return f"No, says {hashlib.blake2b(repr(prompt.messages).encode()).hexdigest()}."


def assert_adds_up(report: RoundReport) -> None:
    assert report.reused + report.calls + report.skipped == report.prompts + report.asked_again
    assert report.records + sum(report.quarantined.values()) + report.skipped == report.prompts
    for model in report.models:
        assert model.answers == model.records + model.asked_again + sum(model.quarantined.values())
