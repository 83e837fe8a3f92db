"""A round's report tells what each model's answers came to and cost; what is not known is never 0."""

import asyncio
from contextlib import closing
from pathlib import Path

import attrs
import polars as pl
from fake_llm import FakeLLM
from small_data import small_dataset

from genre.dataset import Dataset
from genre.generation import (
    AnswerStore,
    ChatTemplate,
    Engine,
    Limits,
    RoundReport,
    RoundSpec,
    Routing,
    prepare_round,
    run_rounds,
)
from genre.generation.costs import Cost
from genre.generation.reports import ModelReport
from genre.parts import Completion, Identity, Price, Prompt, Refused, Usage
from genre.registry import Registry


@attrs.define(eq=False)
class PricedLLM(FakeLLM):
    """A call costs 10 USD: seven tokens of the prompt and three of the answer."""

    price: Price | None = attrs.field(factory=lambda: Price(1e6, 1e6))
    model: str = "priced-1"

    async def complete(self, prompt: Prompt) -> Completion:
        answered = await super().complete(prompt)
        return attrs.evolve(answered, model=self.model, usage=Usage(7, 3))


class Half:
    """Routes draw 0 to `a` and draw 1 to `b`."""

    names = ("a", "b")

    def route(self, prompt: Prompt) -> tuple[str, ...]:
        return self.names if prompt.draw == 0 else self.names[::-1]


class PoolOf:
    """A pool with these generators for every round."""

    def __init__(self, **generators: FakeLLM) -> None:
        self._routes = {name: (generator, Limits(attempts=1)) for name, generator in generators.items()}

    def get(self, name: str) -> Routing:
        return Routing(name, self._routes, Half() if len(self._routes) > 1 else None)


def run(
    folder: Path, *tasks: str, dataset: Dataset | None = None, **generators: FakeLLM
) -> tuple[Dataset, RoundReport]:
    """The last round's data set and report."""
    registry = Registry.load()
    rounds = [prepare_round(registry, RoundSpec(task)) for task in tasks]
    with closing(AnswerStore(folder / "answers.sqlite")) as store:
        pool = PoolOf(**generators)
        made, reports = asyncio.run(
            run_rounds(dataset or small_dataset(), rounds, pool, Engine(store), folder=folder / "rounds")
        )
    return made, reports[-1]


def test_each_model_tells_what_its_answers_came_to_and_cost(tmp_path: Path) -> None:
    other = PricedLLM(lambda _: "no JSON", Identity("b", "test"), model="priced-2")
    _, report = run(tmp_path, "news-generator", a=PricedLLM(), b=other)
    assert report.models == (
        ModelReport("a", "priced-1", 2, 2, 2, {}, 14, 6, Cost(20.0), Cost(0.0)),
        # Each of its two answers is asked for again, and each of those costs as much.
        ModelReport("b", "priced-2", 4, 4, 0, {"malformed: not JSON": 2}, 28, 12, Cost(40.0), Cost(0.0), asked_again=2),
    )
    assert (report.records, report.quarantined) == (2, {"malformed: not JSON": 2})
    assert (report.prompt_tokens, report.completion_tokens) == (42, 18)
    assert (report.cost, report.record_cost) == (Cost(60.0), Cost(30.0))


def test_a_second_run_costs_nothing_and_tells_what_was_paid_before(tmp_path: Path) -> None:
    first, _ = run(tmp_path, "news-summarizer", a=PricedLLM())
    second, report = run(tmp_path, "news-summarizer", a=PricedLLM())
    assert (report.calls, report.prompt_tokens, report.cost) == (0, 0, Cost(0.0))
    assert (report.reused, report.reused_cost, report.record_cost) == (6, Cost(60.0), Cost(10.0))
    assert second.lineage == first.lineage


def test_an_unknown_price_is_an_unknown_cost(tmp_path: Path) -> None:
    _, report = run(tmp_path, "news-summarizer", a=PricedLLM(price=None))
    assert (report.cost, report.record_cost) == (Cost(None, 6), Cost(None, 6))
    _, again = run(tmp_path, "news-summarizer", a=PricedLLM())
    assert (again.cost, again.reused_cost) == (Cost(0.0), Cost(None, 6))


def test_a_sum_with_something_unknown_is_a_lower_bound(tmp_path: Path) -> None:
    free_to_guess = PricedLLM(identity=Identity("b", "test"), price=None, model="priced-2")
    _, report = run(tmp_path, "news-generator", a=PricedLLM(), b=free_to_guess)
    assert (report.cost, report.record_cost) == (Cost(20.0, 2), Cost(5.0, 2))


def test_an_answer_that_several_prompts_share_was_paid_once(tmp_path: Path) -> None:
    _, first = run(tmp_path, "news-summarizer", dataset=twins(), a=PricedLLM())
    assert (first.calls, first.reused, first.cost) == (2, 4, Cost(20.0))
    assert first.reused_cost == Cost(0.0)
    _, second = run(tmp_path, "news-summarizer", dataset=twins(), a=PricedLLM())
    assert (second.reused, second.reused_cost) == (6, Cost(20.0))


def test_refused_calls_are_under_the_model_that_was_asked_for(tmp_path: Path) -> None:
    _, report = run(tmp_path, "news-summarizer", a=PricedLLM(lambda _: Refused("no")))
    [model] = report.models
    assert (model.generator, model.model, model.quarantined) == ("a", "fake", {"refused": 6})
    assert report.record_cost is None


def test_the_versions_of_templates_are_told(tmp_path: Path) -> None:
    dataset, report = run(tmp_path, "user-profiler", "chain-generator", a=FakeLLM())
    template = Registry.load().task("chain-generator").defaults["template"]
    assert report.templates == (ChatTemplate.load(Path(str(template))).version,)
    assert dataset.lineage[-1].details["templates"] == list(report.templates)


def test_the_sum_of_nothing_known_is_unknown_and_of_nothing_at_all_is_0() -> None:
    assert Cost.sum(()) == Cost(0.0)
    assert Cost.sum((Cost(0.0), Cost(None, 2))) == Cost(None, 2)
    assert Cost.sum((Cost(1.0), Cost(2.0, 1))) == Cost(3.0, 1)
    assert Cost(None, 2).times(3) == Cost(None, 2)


def twins() -> Dataset:
    """The small data set, in which all news say the same, but one that has no abstract."""
    dataset = small_dataset()
    news = dataset.news.with_columns(category=pl.lit("a"), subcategory=pl.lit("b"))
    texts = dataset.texts.with_columns(text=pl.lit("Same again"))
    tables = {field.alias: getattr(dataset, field.name) for field in attrs.fields(Dataset) if field.init}
    return Dataset(**{**tables, "news": news, "texts": texts})


def test_an_answer_that_several_prompts_share_is_one_unknown_cost(tmp_path: Path) -> None:
    _, first = run(tmp_path, "news-summarizer", dataset=twins(), a=PricedLLM(price=None))
    assert (first.calls, first.cost, first.reused_cost) == (2, Cost(None, 2), Cost(0.0))
    _, second = run(tmp_path, "news-summarizer", dataset=twins(), a=PricedLLM(price=None))
    assert (second.reused, second.reused_cost) == (6, Cost(None, 2))
