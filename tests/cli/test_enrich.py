"""`genre enrich`, `genre data` and `genre plugins` as a person types them."""

import json
from pathlib import Path

import pytest
from command_line import Genre
from fake_llm import FakeLLM

from genre.dataset import load_dataset
from genre.parts import Completion, Prompt, Refused, Transient


def events(folder: Path) -> list[dict[str, object]]:
    return [json.loads(line) for line in (folder / "events.jsonl").read_text().splitlines()]


def test_a_chain_of_tasks_makes_a_data_set_that_loads_again(
    genre: Genre, fake_plugin: Path, small_folder: Path
) -> None:
    outcome = genre("enrich", small_folder, "--task", "user-profiler", "--task", "chain-generator", "--out", "rich")
    assert outcome.code == 0, outcome.err
    dataset = load_dataset(fake_plugin / "rich")
    assert dataset.stats()["profiled_readers"] == 3
    assert dataset.stats()["generated_news"] == 4


def test_a_second_run_makes_no_call(genre: Genre, fake_plugin: Path, small_folder: Path) -> None:
    arguments = ("enrich", small_folder, "--task", "news-summarizer", "--out", "rich", "--json")
    [first] = json.loads(genre(*arguments).out)
    [second] = json.loads(genre(*arguments).out)
    assert (first["calls"], first["reused"]) == (6, 0)
    assert (second["calls"], second["reused"]) == (0, 6)


def test_options_and_limits_reach_the_task(genre: Genre, fake_plugin: Path, small_folder: Path) -> None:
    outcome = genre(
        "enrich", small_folder, "--task", "news-generator", "--limit", 1, "-o", "draws=3", "--out", "rich", "--json"
    )
    [report] = json.loads(outcome.out)
    assert (report["subjects"], report["records"]) == (1, 3)


def test_data_show_tells_who_wrote_which_title(genre: Genre, fake_plugin: Path, small_folder: Path) -> None:
    genre("enrich", small_folder, "--task", "news-summarizer", "--out", "rich")
    described = json.loads(genre("data", "show", "rich", "--news", "N1").out)
    titles = [text for text in described["texts"] if text["field"] == "title"]
    assert [(text["version"], text["model"]) for text in titles] == [("original", ""), ("news-summarizer", "fake-1")]


def test_data_show_has_a_reader_s_synthetic_news_and_profile(
    genre: Genre, fake_plugin: Path, small_folder: Path
) -> None:
    genre("enrich", small_folder, "--task", "user-profiler", "--task", "news-generator", "--out", "rich")
    readers = json.loads(genre("data", "show", "rich", "--reader", "new").out)
    assert len(readers) == 2
    for reader in readers:
        assert [news["origin"] for news in reader["history"]][-3:] == ["original", "generated", "generated"]
        assert {interest["kind"] for interest in reader["interests"]} == {"topics", "regions"}


def test_data_stats_as_json_has_the_lineage(genre: Genre, fake_plugin: Path, small_folder: Path) -> None:
    genre("enrich", small_folder, "--task", "news-summarizer", "--out", "rich")
    stats = json.loads(genre("data", "stats", "rich", "--json").out)
    assert stats["rewritten_texts"] == 6
    assert [step["operation"] for step in stats["lineage"]] == ["read", "round"]


def test_plugins_list_json_has_a_row_for_each_part(genre: Genre) -> None:
    rows = json.loads(genre("plugins", "list", "--json").out)
    assert all(set(row) == {"kind", "name", "distribution", "enabled", "summary"} for row in rows)
    assert ("task", "chain-generator", "genre-rec", True) in {
        (row["kind"], row["name"], row["distribution"], row["enabled"]) for row in rows
    }


def test_a_disabled_plugin_is_listed_as_off_and_its_use_is_an_error_that_says_so(
    genre: Genre, fake_plugin: Path, small_folder: Path
) -> None:
    text = (fake_plugin / "registry.toml").read_text()
    (fake_plugin / "registry.toml").write_text(text.replace("[plugins]", '[plugins]\ndisabled = ["task/news-*"]'))
    rows = json.loads(genre("plugins", "list", "--kind", "task", "--json").out)
    assert {row["name"] for row in rows if not row["enabled"]} == {"news-summarizer", "news-generator"}
    outcome = genre("enrich", small_folder, "--task", "news-summarizer", "--out", "rich")
    assert outcome.code == 2
    assert "'news-summarizer' is disabled in registry.toml" in outcome.err
    assert "registry.toml:2" in outcome.err


def test_a_plugin_s_command_is_listed_and_runs(genre: Genre, fake_plugin: Path) -> None:
    assert "greet" in genre("--help").out
    assert genre("greet").out == "hello from a plugin\n"


def test_a_plugin_hears_of_the_plan_and_of_stored_answers(genre: Genre, fake_plugin: Path, small_folder: Path) -> None:
    genre("enrich", small_folder, "--task", "news-summarizer", "--out", "rich")
    planned, *stored = events(fake_plugin)
    assert planned == {
        "event": "run_planned",
        "name": "rich",
        "rounds": [["rich", "news-summarizer", "fake"]],
        "baselines": [],
    }
    assert {event["event"] for event in stored} == {"answers_stored"}
    assert sum(int(str(event["count"])) for event in stored) == 6


def test_a_veto_stops_the_run_before_the_first_call_with_its_reason(
    genre: Genre, fake_plugin: Path, small_folder: Path
) -> None:
    (fake_plugin / "veto").write_text("the budget office is closed")
    outcome = genre("enrich", small_folder, "--task", "news-summarizer", "--out", "rich")
    assert outcome.code == 1
    assert "the budget office is closed" in outcome.err
    assert [event["event"] for event in events(fake_plugin)] == ["run_planned"]
    assert not (fake_plugin / "rich").exists()


def test_folders_with_brackets_in_their_names_are_folders_like_others(
    genre: Genre, fake_plugin: Path, small_folder: Path
) -> None:
    small_folder.rename(fake_plugin / "small [v2]")
    outcome = genre("enrich", "small [v2]", "--task", "news-generator", "--out", "rich[1]*")
    assert outcome.code == 0, outcome.err
    assert "generated news" in genre("data", "stats", "rich[1]*").out


def test_what_a_provider_says_is_printed_as_it_is(
    genre: Genre, fake_plugin: Path, small_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("fake_llm.FakeLLM.complete", refuse)
    outcome = genre("enrich", small_folder, "--task", "news-summarizer", "--out", "rich")
    assert outcome.code == 0, outcome.err
    assert "in quarantine: rich, news-summarizer: 6 refused" in outcome.out


def test_a_server_that_is_not_there_is_no_enrichment_however_few_are_asked(
    genre: Genre, fake_plugin: Path, small_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with (fake_plugin / "registry.toml").open("a") as settings:
        settings.write('[generators.gone]\nplugin = "fake"\nlimits = { attempts = 1 }\n')
    monkeypatch.setattr("fake_llm.FakeLLM.complete", cannot_connect)
    task = ("enrich", small_folder, "--task", "news-summarizer", "--generator", "gone", "--out", "rich")
    outcome = genre(*task)
    assert outcome.code == 1
    assert "'gone' failed at all 6 prompts of 'news-summarizer'; at the first: cannot connect to there:1" in outcome.err
    assert not list((fake_plugin / "rich").glob("*"))
    monkeypatch.undo()
    monkeypatch.chdir(fake_plugin)
    assert genre(*task).code == 0


async def cannot_connect(_self: FakeLLM, _prompt: Prompt) -> Completion:
    raise Transient("cannot connect to there:1")


async def refuse(_self: FakeLLM, _prompt: Prompt) -> Completion:
    raise Refused("no [/bold] [link=x] today")
