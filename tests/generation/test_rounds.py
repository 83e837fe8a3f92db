"""A round asks, parses, judges and updates; what cannot be used is kept with its reason."""

import asyncio
import json
from contextlib import closing
from pathlib import Path

import polars as pl
import pytest
from fake_llm import FakeLLM, by_schema
from pool_of import PoolOf
from small_data import small_dataset

from genre.dataset import Dataset
from genre.errors import UsageError
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
from genre.parts import Identity, Prompt, Record, Refused, Skipped
from genre.registry import Registry
from genre.settings import Layer, load_settings


@pytest.fixture(scope="module")
def registry() -> Registry:
    return Registry.load()


def run(
    dataset: Dataset, rounds: list[PreparedRound], generator: FakeLLM, folder: Path, seen: list[RoundProgress]
) -> tuple[Dataset, list[RoundReport]]:
    with closing(AnswerStore(folder / "answers.sqlite")) as store:
        return asyncio.run(
            run_rounds(
                dataset, rounds, PoolOf(generator), Engine(store), folder=folder / "rounds", on_progress=seen.append
            )
        )


def enrich(
    registry: Registry, folder: Path, *specs: RoundSpec, generator: FakeLLM | None = None
) -> tuple[Dataset, list[RoundReport]]:
    rounds = [prepare_round(registry, spec) for spec in specs]
    return run(small_dataset(), rounds, generator or FakeLLM(), folder, [])


def test_summarizing_adds_a_title_to_every_news_and_keeps_the_old_ones(registry: Registry, tmp_path: Path) -> None:
    dataset, [report] = enrich(registry, tmp_path, RoundSpec("news-summarizer"))
    assert dataset.text("title").to_list() == [f"title of N{number} 0" for number in range(1, 7)]
    assert dataset.text("title", "original").to_list() == small_dataset().text("title").to_list()
    assert (report.prompts, report.records, report.subjects, report.calls) == (6, 6, 6, 6)


def test_profiles_are_of_readers_not_of_users(registry: Registry, tmp_path: Path) -> None:
    dataset, [report] = enrich(registry, tmp_path, RoundSpec("user-profiler"))
    # `new` has two visible histories, so two profiles; `nobody` never clicked.
    assert report.subjects == 3
    profiled = dataset.readers[dataset.interests["reader"].unique().sort()]
    assert sorted(profiled["user"]) == ["new", "new", "warm"]
    assert set(dataset.interests["kind"]) == {"topics", "regions"}


def test_a_profile_is_made_from_the_visible_history_only(registry: Registry, tmp_path: Path) -> None:
    generator = FakeLLM()
    enrich(registry, tmp_path, RoundSpec("user-profiler"), generator=generator)
    texts = ["\n".join(message.content for message in prompt.messages) for prompt in generator.prompts]
    [short] = [text for text in texts if "Five sets" in text and "What to eat" not in text]
    assert "Late goal" in short


@pytest.mark.parametrize("draws", [0, 1, 2, 3])
def test_the_number_of_synthetic_news_is_an_option(registry: Registry, tmp_path: Path, draws: int) -> None:
    dataset, [report] = enrich(registry, tmp_path, RoundSpec("news-generator", options={"draws": draws}))
    generated = dataset.news.filter(pl.col("origin") == "generated")
    assert generated.height == report.records == 2 * draws
    for reader in dataset.readers.iter_rows(named=True):
        grown = len(reader["history"]) - reader["clicks"]
        assert grown == (draws if 1 <= reader["clicks"] <= 5 else 0)


def test_synthetic_news_are_in_histories_only(registry: Registry, tmp_path: Path) -> None:
    dataset, _ = enrich(registry, tmp_path, RoundSpec("news-generator"))
    before = small_dataset()
    assert dataset.impressions.equals(before.impressions)
    assert dataset.readers["clicks"].equals(before.readers["clicks"])
    assert dataset.is_new.equals(before.is_new)


def test_a_chain_reads_the_profiles_of_the_round_before_it(registry: Registry, tmp_path: Path) -> None:
    generator = FakeLLM()
    enrich(registry, tmp_path, RoundSpec("user-profiler"), RoundSpec("chain-generator"), generator=generator)
    chained = [prompt for prompt in generator.prompts if prompt.task == "chain-generator"]
    assert len(chained) == 4
    assert all("topics: health" in prompt.messages[1].content for prompt in chained)


def test_a_chain_without_profiles_is_an_error_that_says_what_to_put_before_it(
    registry: Registry, tmp_path: Path
) -> None:
    with pytest.raises(UsageError, match="has none") as caught:
        enrich(registry, tmp_path, RoundSpec("chain-generator"))
    assert "user-profiler" in str(caught.value)


def test_the_old_data_set_stays_as_it_was(registry: Registry, tmp_path: Path) -> None:
    before = small_dataset()
    fingerprint = before.fingerprint
    rounds = [prepare_round(registry, RoundSpec(task)) for task in ("news-summarizer", "news-generator")]
    after, _ = run(before, rounds, FakeLLM(), tmp_path, [])
    assert before.fingerprint == fingerprint != after.fingerprint
    assert [step.operation for step in after.lineage] == ["read", "round", "round"]


def test_the_same_rounds_give_the_same_data_set_and_lineage_without_a_call(registry: Registry, tmp_path: Path) -> None:
    specs = (RoundSpec("user-profiler"), RoundSpec("chain-generator"))
    first, _ = enrich(registry, tmp_path, *specs)
    again = FakeLLM()
    second, reports = enrich(registry, tmp_path, *specs, generator=again)
    assert not again.prompts
    assert [report.reused for report in reports] == [3, 4]
    assert (second.fingerprint, second.lineage) == (first.fingerprint, first.lineage)


def test_unusable_answers_go_to_quarantine_with_their_reason_and_text(registry: Registry, tmp_path: Path) -> None:
    def careless(prompt: Prompt) -> str | Exception:
        special = {"N1": "Sure! Here it is.", "N2": '{"title": "   "}', "N3": Refused("content filter")}
        return special.get(prompt.subject, by_schema(prompt))

    spec = RoundSpec("news-summarizer", options={"ask_again": 0})
    dataset, [report] = enrich(registry, tmp_path, spec, generator=FakeLLM(careless))
    assert report.quarantined == {
        "malformed: not JSON": 1,
        "malformed: schema: minLength of title": 1,
        "refused": 1,
    }
    assert report.records == 3
    assert dataset.text("title")[0] == "Late goal wins it"
    lines = (tmp_path / "rounds" / "00-news-summarizer" / "quarantine.jsonl").read_text().splitlines()
    assert [(row["subject"], row["text"]) for row in map(json.loads, lines)] == [
        ("N1", "Sure! Here it is."),
        ("N2", '{"title": "   "}'),
        ("N3", "content filter"),
    ]


def test_skipped_prompts_are_counted(registry: Registry, tmp_path: Path) -> None:
    generator = FakeLLM(lambda prompt: Skipped("none") if prompt.subject == "N1" else by_schema(prompt))
    _, [report] = enrich(registry, tmp_path, RoundSpec("news-summarizer"), generator=generator)
    assert (report.prompts, report.skipped, report.records) == (6, 1, 5)


def test_repeated_topics_are_kept_once(registry: Registry, tmp_path: Path) -> None:
    generator = FakeLLM(lambda _: '{"topics": ["food", "food", "travel"], "regions": []}')
    dataset, _ = enrich(registry, tmp_path, RoundSpec("user-profiler"), generator=generator)
    topics = dataset.interests_of("topics")
    assert topics.filter(pl.col("reader") == 0)["value"].to_list() == ["food", "travel"]


def test_a_limit_counts_subjects_and_keeps_all_their_draws(registry: Registry, tmp_path: Path) -> None:
    _, [report] = enrich(registry, tmp_path, RoundSpec("news-generator", limit=1, options={"draws": 3}))
    assert (report.subjects, report.prompts) == (1, 3)


def test_a_round_of_recordings_that_leak_is_marked(registry: Registry, tmp_path: Path) -> None:
    leaking = FakeLLM(identity=Identity(model="recorded", endpoint="file", leaks=True))
    dataset, [report] = enrich(registry, tmp_path, RoundSpec("user-profiler"), generator=leaking)
    assert report.leaked
    assert dataset.lineage[-1].details["leaked"] is True


def test_the_same_round_twice_needs_a_name_of_its_own(registry: Registry, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="`name` of its own"):
        enrich(registry, tmp_path, RoundSpec("news-generator"), RoundSpec("news-generator"))
    dataset, _ = enrich(
        registry, tmp_path, RoundSpec("news-generator"), RoundSpec("news-generator", name="second-helping")
    )
    assert dataset.news.filter(pl.col("origin") == "generated").height == 8


def test_progress_ends_at_its_total(registry: Registry, tmp_path: Path) -> None:
    seen: list[RoundProgress] = []
    run(small_dataset(), [prepare_round(registry, RoundSpec("news-generator"))], FakeLLM(), tmp_path, seen)
    assert (seen[0].done, seen[-1].done, seen[-1].total) == (0, 4, 4)


class NoLateGoals:
    """A gate for the test below."""

    def reject(self, prompt: Prompt, record: Record) -> str | None:
        return "late" if prompt.subject == "N1" else None


def test_a_gate_s_rejection_goes_to_quarantine(registry: Registry, tmp_path: Path) -> None:
    import attrs

    prepared = attrs.evolve(
        prepare_round(registry, RoundSpec("news-summarizer")), gates={"no-late-goals": lambda _: NoLateGoals()}
    )
    _, [report] = run(small_dataset(), [prepared], FakeLLM(), tmp_path, [])
    assert report.quarantined == {"rejected by no-late-goals: late": 1}


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        (RoundSpec("news-sumarizer"), "did you mean 'news-summarizer'?"),
        (RoundSpec("news-summarizer", options={"max_lenght": 9}), "did you mean 'max_length'?"),
        (RoundSpec("news-summarizer", options={"max_length": "9"}), "max_length: wrong value: '9' is not of type int"),
        (RoundSpec("news-summarizer", options={"template": "none.jinja"}), "none.jinja: the template cannot be read"),
        (RoundSpec("news-generator", options={"draws": -1}), "draws"),
        (RoundSpec("news-summarizer", name="../up"), "must be lower-case words"),
    ],
)
def test_a_wrong_round_is_an_error_before_anything_is_asked(registry: Registry, spec: RoundSpec, message: str) -> None:
    with pytest.raises(UsageError) as caught:
        prepare_round(registry, spec)
    assert message in str(caught.value)


def test_a_template_from_registry_toml_is_found_beside_it(tmp_path: Path) -> None:
    (tmp_path / "mine.jinja").write_text("{% block user %}Rewrite {{ title }}{% endblock %}")
    (tmp_path / "registry.toml").write_text('[tasks.news-summarizer]\ntemplate = "mine.jinja"\ngenerator = "gpt"\n')
    prepared = prepare_round(Registry.load(load_settings(tmp_path)), RoundSpec("news-summarizer"))
    assert prepared.generator_name == "gpt"
    assert next(prepared.prompter.prompts(small_dataset())).messages[0].content == "Rewrite Late goal wins it"


def test_a_round_s_option_wins_over_registry_toml_and_the_task(registry: Registry) -> None:
    settings = registry.settings.over(Layer("test", {"tasks": {"news-generator": {"draws": 7, "longest": 3}}}))
    layered = Registry.load(settings)
    prepared = prepare_round(layered, RoundSpec("news-generator", options={"draws": 1}))
    assert (prepared.options["draws"], prepared.options["longest"]) == (1, 3)


def repeat(prompt: Prompt) -> str:
    """Every second answer is the same."""
    return by_schema(prompt) if prompt.draw % 2 else '{"title": "Déjà vu", "abstract": "again", "category": "health"}'


def test_a_round_tells_how_many_of_its_texts_are_distinct(registry: Registry, tmp_path: Path) -> None:
    spec = RoundSpec("news-generator", options={"draws": 4})
    dataset, [report] = enrich(registry, tmp_path, spec, generator=FakeLLM(repeat))
    assert report.records == 8
    assert report.distinct == {"title": 5, "abstract": 5, "category": 1}
    assert report.most_repeated == {"title": 0.5, "abstract": 0.5, "category": 1.0}
    # Four equal titles make 6 of 28 pairs; of the others, those of one reader share "title", "of" and the reader.
    assert report.self_similarity["category"] == 1
    assert 6 / 28 < report.self_similarity["title"] < 1
    for figure in ("distinct", "most_repeated", "self_similarity"):
        assert dataset.lineage[-1].details[figure] == getattr(report, figure)


def test_a_round_without_texts_tells_nothing_of_them(registry: Registry, tmp_path: Path) -> None:
    _, [profiles] = enrich(registry, tmp_path, RoundSpec("user-profiler"))
    assert (profiles.distinct, profiles.most_repeated, profiles.self_similarity) == ({}, {}, {})


def test_a_round_s_gates_are_an_option_and_reject_repeated_titles(registry: Registry, tmp_path: Path) -> None:
    spec = RoundSpec("news-generator", options={"draws": 4, "gates": {"distinct": {}}})
    _, [report] = enrich(registry, tmp_path, spec, generator=FakeLLM(repeat))
    assert report.quarantined == {"rejected by distinct: title of an earlier answer": 3}
    assert report.records == report.distinct["title"] == 5


@pytest.mark.parametrize(
    ("gates", "message"),
    [
        ({"distnct": {}}, r"no gate 'distnct'[\s\S]*'distinct'"),
        ({"distinct": {"propery": "title"}}, r"gates\.distinct[\s\S]*'propery'[\s\S]*'property'"),
        (["distinct"], "a table of tables"),
    ],
)
def test_a_wrong_gate_is_an_error_before_anything_is_asked(registry: Registry, gates: object, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        prepare_round(registry, RoundSpec("news-generator", options={"gates": gates}))
