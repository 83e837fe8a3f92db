"""The history compressor: who is asked, how answers are read, and that only encoders read less."""

import asyncio
import json
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import attrs
import numpy as np
import polars as pl
import pytest
from command_line import Genre
from fake_llm import FakeLLM, by_schema
from hypothesis import given
from hypothesis import strategies as st
from pool_of import PoolOf
from small_data import small_dataset

from genre.dataset import Dataset
from genre.errors import UsageError
from genre.generation import AnswerStore, Engine, RoundReport, RoundSpec, prepare_round, run_rounds
from genre.modeling import FeatureSettings, prepare_features
from genre.parts import MalformedOutput, Prompt, Prompter, canonical_json
from genre.registry import Registry

WARM = 1
"""Position of the reader with six clicks; `new` has two and three, `nobody` none."""


@pytest.fixture(scope="module")
def registry() -> Registry:
    return Registry.load()


Enrich = Callable[..., tuple[Dataset, list[RoundReport]]]


@pytest.fixture
def enrich(registry: Registry, tmp_path: Path) -> Enrich:
    """Runs rounds over the small data set with a fake generator."""

    def run(*specs: RoundSpec, generator: FakeLLM | None = None) -> tuple[Dataset, list[RoundReport]]:
        rounds = [prepare_round(registry, spec) for spec in specs]
        with closing(AnswerStore(tmp_path / "answers.sqlite")) as store:
            pool, engine = PoolOf(generator or FakeLLM()), Engine(store)
            return asyncio.run(run_rounds(small_dataset(), rounds, pool, engine, folder=tmp_path / "rounds"))

    return run


def compressor(**options: object) -> RoundSpec:
    return RoundSpec("history-compressor", options=options)


def prompter(registry: Registry, **options: object) -> Prompter:
    return prepare_round(registry, compressor(**options)).prompter


def choosing(*titles: int) -> FakeLLM:
    """A generator that always names these titles, and answers other tasks by their schema."""

    def answer(prompt: Prompt) -> str:
        return canonical_json({"titles": list(titles)}) if prompt.task == "history-compressor" else by_schema(prompt)

    return FakeLLM(answer)


# -- what is asked ----------------------------------------------------------------------------------------------


def test_only_readers_with_more_clicks_than_may_be_named_are_asked_about(registry: Registry) -> None:
    for select, users in [(5, ["warm"]), (2, ["warm", "new"]), (1, ["new", "warm", "new"])]:
        asker = prompter(registry, select=select)
        assert [prompt.user for prompt in asker.prompts(small_dataset())] == users
        assert asker.count(small_dataset(), None) == len(users)
        assert asker.count(small_dataset(), 1) == 1


def test_titles_are_numbered_from_one_and_shown_with_their_categories(registry: Registry) -> None:
    [prompt] = prompter(registry).prompts(small_dataset())
    lines = prompt.messages[1].content.splitlines()
    assert lines[1] == "1. (sports) Late goal wins it"
    assert lines[6] == "6. (travel) The last wild coast"
    assert "at most 5 headlines" in prompt.messages[0].content


def test_a_news_without_category_is_shown_without_parentheses(registry: Registry) -> None:
    dataset = small_dataset()
    plain = attrs.evolve(dataset, news=dataset.news.with_columns(category=pl.lit("")))
    [prompt] = prompter(registry).prompts(plain)
    assert prompt.messages[1].content.splitlines()[1] == "1. Late goal wins it"


def test_the_schema_bounds_the_numbers_by_the_titles_that_are_shown(registry: Registry) -> None:
    for options, shown in [({}, 6), ({"select": 2, "longest": 4}, 4)]:
        prompt = next(each for each in prompter(registry, **options).prompts(small_dataset()) if each.user == "warm")
        assert prompt.schema is not None
        assert prompt.schema["properties"] == {
            "titles": {
                "type": "array",
                "items": {"type": "integer", "minimum": 1, "maximum": shown},
                "minItems": 1,
                "maxItems": options.get("select", 5),
            }
        }


@pytest.mark.parametrize(("options", "message"), [({"select": 0}, "select"), ({"select": 3, "longest": 3}, "longest")])
def test_options_that_leave_no_choice_are_an_error(registry: Registry, options: dict[str, int], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        prompter(registry, **options)


# -- how answers are read ---------------------------------------------------------------------------------------

MALFORMED = {
    '{"titles": [1, 1]}': "a title twice",
    '{"titles": [0]}': "a title that was not shown",
    '{"titles": [7]}': "a title that was not shown",
    '{"titles": [-1]}': "a title that was not shown",
    '{"titles": [1.0]}': "a title by something else than a whole number",
    '{"titles": ["1"]}': "a title by something else than a whole number",
    '{"titles": [true]}': "a title by something else than a whole number",
    '{"titles": [null, 2]}': "a title by something else than a whole number",
    '{"titles": []}': "schema: minItems of titles",
    '{"titles": [1, 2, 3, 4, 5, 6]}': "schema: maxItems of titles",
    '{"titles": 1}': "schema: type of titles",
    "{}": "schema: required",
    '{"titles": [1], "why": "late goals"}': "schema: additionalProperties",
    "[1, 2]": "schema: type",
    "1, 2": "not JSON",
}


@pytest.mark.parametrize("text", MALFORMED)
def test_an_answer_that_names_no_choice_is_malformed_with_a_reason(registry: Registry, text: str) -> None:
    asker = prompter(registry)
    [prompt] = asker.prompts(small_dataset())
    with pytest.raises(MalformedOutput) as caught:
        asker.parse(prompt, text)
    assert caught.value.reason == MALFORMED[text]


WORDS = st.none() | st.booleans() | st.floats(allow_nan=False) | st.text(max_size=3) | st.integers()


@given(answer=st.lists(st.integers(-1, 8) | WORDS, max_size=7) | WORDS)
def test_every_answer_is_a_choice_of_shown_titles_or_malformed(registry: Registry, answer: object) -> None:
    asker = prompter(registry)
    [prompt] = asker.prompts(small_dataset())
    text = json.dumps({"titles": answer})
    good = (
        isinstance(answer, list)
        and all(type(number) is int and 1 <= number <= 6 for number in answer)
        and 1 <= len(answer) == len(set(answer)) <= 5
    )
    if good:
        assert asker.parse(prompt, text) == {"titles": [number - 7 for number in answer]}
    else:
        with pytest.raises(MalformedOutput):
            asker.parse(prompt, text)


# -- where answers go -------------------------------------------------------------------------------------------


def test_a_round_keeps_the_named_clicks_in_the_order_of_the_history(enrich: Enrich) -> None:
    dataset, [report] = enrich(compressor(), generator=choosing(6, 1, 3))
    assert (report.prompts, report.records) == (1, 1)
    assert dataset.readers["kept"].to_list() == [None, [0, 2, 5], None, None]
    assert dataset.encoder_history.to_list() == [[0, 1], [0, 2, 5], [], [0, 1, 2]]


@pytest.mark.parametrize("longest", [3, 4, 5, 6, 7])
def test_numbers_count_from_the_first_title_that_was_shown(enrich: Enrich, longest: int) -> None:
    dataset, _ = enrich(compressor(longest=longest, select=2), generator=choosing(1, 3))
    first = max(0, 6 - longest)
    assert dataset.readers["kept"][WARM].to_list() == [first, first + 2]


def test_each_reader_s_numbers_are_those_of_its_own_history(enrich: Enrich) -> None:
    dataset, _ = enrich(compressor(select=1, longest=2), generator=choosing(1))
    assert dataset.readers["kept"].to_list() == [[0], [4], None, [1]]


def test_a_changed_choice_changes_what_features_read(enrich: Enrich) -> None:
    settings = FeatureSettings(history_length=4)
    seen = []
    for name, titles in (("one", (2, 3)), ("two", (1, 4, 6))):
        spec = RoundSpec("history-compressor", name=name, options={"select": len(titles)})
        dataset, _ = enrich(spec, generator=choosing(*titles))
        seen.append(prepare_features(dataset, settings).readers.history.take(np.array([WARM])).values.tolist())
    assert seen == [[1, 2], [0, 3, 5]]


def test_synthetic_news_are_read_beside_the_kept_clicks(enrich: Enrich) -> None:
    generator = RoundSpec("news-generator", options={"draws": 1, "readers": "all"})
    for rounds in ((compressor(), generator), (generator, compressor())):
        dataset, _ = enrich(*rounds, generator=choosing(2))
        read = dataset.encoder_history[WARM].to_list()
        assert read[0] == 1
        assert dataset.news["origin"].gather(read).to_list() == ["original", "generated"]


def test_prompts_of_other_tasks_do_not_change(enrich: Enrich, registry: Registry) -> None:
    dataset, _ = enrich(compressor(select=1), generator=choosing(1))
    assert dataset.readers["kept"].drop_nulls().len() == 3
    for task in ("user-profiler", "news-generator", "news-summarizer", "history-compressor"):
        asker = prepare_round(registry, RoundSpec(task)).prompter
        assert list(asker.prompts(dataset)) == list(asker.prompts(small_dataset()))


def test_segments_and_ids_do_not_change(enrich: Enrich) -> None:
    dataset, _ = enrich(compressor(select=1), generator=choosing(1))
    assert dataset.readers.drop("kept").equals(small_dataset().readers.drop("kept"))
    assert dataset.is_new.equals(small_dataset().is_new)


def test_a_malformed_choice_keeps_everything_and_is_counted(enrich: Enrich) -> None:
    dataset, [report] = enrich(compressor(), generator=choosing(1, 9))
    assert report.quarantined == {"malformed: a title that was not shown": 1}
    assert dataset.fingerprint == small_dataset().fingerprint


def test_a_round_without_anybody_to_ask_changes_nothing(enrich: Enrich) -> None:
    dataset, [report] = enrich(compressor(select=6))
    assert report.prompts == 0
    assert dataset.fingerprint == small_dataset().fingerprint


def test_the_command_line_shows_which_clicks_are_kept(genre: Genre, fake_plugin: Path, small_folder: Path) -> None:
    outcome = genre("enrich", small_folder, "--task", "history-compressor", "-o", "longest=6", "--out", "rich")
    assert outcome.code == 0, outcome.err
    [reader] = json.loads(genre("data", "show", "rich", "--reader", "warm").out)
    assert [news["kept"] for news in reader["history"]] == [True, False, False, False, False, False]
