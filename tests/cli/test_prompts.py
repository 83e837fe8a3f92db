"""`genre prompts`: prompts on real rows, and versions of them compared."""

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click
import pytest
from command_line import Genre
from fake_llm import FakeLLM
from hypothesis import given
from hypothesis import strategies as st
from small_data import small_dataset

from genre.cli.main import genre as command_line
from genre.dataset import load_dataset, save_dataset
from genre.experiments.prompts import draw_subjects
from genre.generation import ChatTemplate
from genre.parts import Completion, Prompt, Refused, Sampling, Usage
from genre.untrusted import harmless_lines

PAGE = (Path(__file__).parents[2] / "docs" / "how-to" / "prompts.md").read_text(encoding="utf-8")
SHOW = ("prompts", "show", "small", "--task", "news-summarizer")
TRY = ("prompts", "try", "small", "--task", "news-summarizer")


def answering(monkeypatch: pytest.MonkeyPatch, answer: Callable[[Prompt], str]) -> list[Prompt]:
    """The fake generator answers with this; returns what it is asked."""
    asked: list[Prompt] = []

    async def complete(_self: FakeLLM, prompt: Prompt) -> Completion:
        asked.append(prompt)
        return Completion(answer(prompt), "fake-1", usage=Usage(7, 3))

    monkeypatch.setattr("fake_llm.FakeLLM.complete", complete)
    return asked


def template(folder: Path, name: str, user: str) -> Path:
    (folder / name).write_text("{% block user %}\n" + user + "\n{% endblock %}", encoding="utf-8")
    return folder / name


def shown(genre: Genre, *arguments: object) -> Any:
    outcome = genre(*arguments, "--json")
    assert outcome.code == 0, outcome.err
    return json.loads(outcome.out)


def subjects(version: dict[str, Any]) -> list[str]:
    return [prompt["subject"] for prompt in version["prompts"]]


def prompt_about(subject: str, draw: int = 0) -> Prompt:
    return Prompt("task", subject, draw, (), Sampling(max_tokens=1))


def test_the_list_tells_how_each_task_asks(genre: Genre, fake_plugin: Path) -> None:
    rows = {row["task"]: row for row in shown(genre, "prompts", "list")}
    row = rows["news-summarizer"]
    assert (row["prompter"], row["generator"], row["gates"]) == ("news-text", "fake", [])
    assert row["version"] == ChatTemplate.load(Path(row["template"])).version


def test_the_list_follows_registry_toml(genre: Genre, fake_plugin: Path) -> None:
    mine = template(fake_plugin, "mine.jinja", "{{ title }}")
    with (fake_plugin / "registry.toml").open("a") as file:
        file.write('[tasks.news-summarizer]\ntemplate = "mine.jinja"\ngenerator = "other"\ngates = { distinct = {} }\n')
    [row] = [row for row in shown(genre, "prompts", "list") if row["task"] == "news-summarizer"]
    assert (Path(row["template"]), row["generator"], row["gates"]) == (mine, "other", ["distinct"])


def test_a_task_that_cannot_be_used_is_listed_with_the_reason(genre: Genre, fake_plugin: Path) -> None:
    with (fake_plugin / "registry.toml").open("a") as file:
        file.write('[tasks.news-summarizer]\ntemplate = "none.jinja"\n')
    outcome = genre("prompts", "list")
    assert outcome.code == 0
    assert "news-summarizer cannot be used" in outcome.out
    assert "user_profiler.jinja" in outcome.out


def test_show_renders_real_rows_and_calls_nothing(
    genre: Genre, fake_plugin: Path, small_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = answering(monkeypatch, str)
    [version] = shown(genre, *SHOW, "--subject", "N2")["versions"]
    [prompt] = version["prompts"]
    assert [message["role"] for message in prompt["messages"]] == ["system", "user"]
    assert "Five sets, one winner" in prompt["messages"][1]["content"]
    assert prompt["sampling"]["max_tokens"] == 96
    assert list(prompt["schema"]["properties"]) == ["title"]
    assert not asked
    assert not (fake_plugin / ".genre").exists()


def test_the_estimate_of_tokens_is_a_quarter_of_the_bytes_and_says_that_it_is_one(
    genre: Genre, fake_plugin: Path, small_folder: Path
) -> None:
    template(fake_plugin, "mine.jinja", "éé12345")  # nine bytes
    arguments = (*SHOW, "--sample", 1, "--template", "mine.jinja")
    assert shown(genre, *arguments)["versions"][0]["prompts"][0]["estimated_tokens"] == 3
    assert "an estimate" in genre(*arguments).out


def test_the_same_seed_draws_the_same_subjects_for_every_version(
    genre: Genre, fake_plugin: Path, small_folder: Path
) -> None:
    template(fake_plugin, "a.jinja", "{{ title }}")
    template(fake_plugin, "b.jinja", "{{ category }}")
    versions = ("--template", "a.jinja", "--template", "b.jinja")
    draws = [shown(genre, *SHOW, "--sample", 2, "--seed", seed, *versions)["versions"] for seed in (0, 0, 1, 2, 3)]
    assert all(subjects(a) == subjects(b) for a, b in draws)
    assert draws[0] == draws[1]
    assert len({tuple(subjects(a)) for a, _ in draws}) > 1


@given(st.integers(1, 8), st.integers(0, 3), st.lists(st.sampled_from("abcdefgh"), max_size=30))
def test_a_draw_has_all_prompts_of_so_many_subjects_in_their_order(size: int, seed: int, names: list[str]) -> None:
    prompts = [prompt_about(name, draw) for draw, name in enumerate(names)]
    drawn = draw_subjects(iter(prompts), size, seed)
    chosen = {prompt.subject for prompt in drawn}
    assert len(chosen) == min(size, len(set(names)))
    assert drawn == [prompt for prompt in prompts if prompt.subject in chosen]


def test_every_subject_is_drawn_about_equally_often() -> None:
    prompts = [prompt_about(str(number)) for number in range(10)]
    counts = dict.fromkeys((prompt.subject for prompt in prompts), 0)
    for seed in range(1000):
        for prompt in draw_subjects(prompts, 3, seed):
            counts[prompt.subject] += 1
    assert all(230 < count < 370 for count in counts.values())  # 300 expected, standard deviation 14.5


def test_a_user_stands_for_all_its_readers(genre: Genre, fake_plugin: Path, small_folder: Path) -> None:
    [version] = shown(genre, "prompts", "show", "small", "--task", "user-profiler", "--subject", "new")["versions"]
    assert len(set(subjects(version))) == 2
    assert {prompt["user"] for prompt in version["prompts"]} == {"new"}


def test_options_reach_the_task(genre: Genre, fake_plugin: Path, small_folder: Path) -> None:
    arguments = ("prompts", "show", "small", "--task", "news-generator", "--sample", 1, "-o", "draws=3")
    [version] = shown(genre, *arguments)["versions"]
    assert [prompt["draw"] for prompt in version["prompts"]] == [0, 1, 2]


MISTAKES = {
    "no task": ([], "add --task NAME; valid: book-describer"),
    "a wrong task": (["--task", "news-sumarizer"], "did you mean 'news-summarizer'?"),
    "a wrong option": (["--task", "news-summarizer", "-o", "max_lenght=3"], "did you mean 'max_length'?"),
    "a wrong subject": (["--task", "news-summarizer", "--subject", "N11"], "did you mean 'N1'?"),
    "a subject that is not asked about": (
        ["--task", "news-generator", "--subject", "warm"],
        "does not ask about 'warm'",
    ),
    "nobody to ask about": (["--task", "user-profiler", "-o", "splits=['none']"], "asks about nothing"),
    "a template twice": (["--task", "news-summarizer", "-o", "template=a", "--template", "b"], "named twice"),
    "no such template": (["--task", "news-summarizer", "--template", "none.jinja"], "cannot be read"),
    "a chain without its first round": (["--task", "chain-generator"], "the data set has none"),
}


@pytest.mark.parametrize(("arguments", "message"), MISTAKES.values(), ids=MISTAKES)
def test_a_mistake_is_answered_with_what_to_do(
    genre: Genre, fake_plugin: Path, small_folder: Path, arguments: list[str], message: str
) -> None:
    outcome = genre("prompts", "show", "small", *arguments)
    assert outcome.code == 2
    assert message in outcome.err
    assert "Traceback" not in outcome.err


def test_an_unknown_generator_is_an_error_with_the_nearest(genre: Genre, fake_plugin: Path, small_folder: Path) -> None:
    outcome = genre(*TRY, "--generator", "fakee")
    assert outcome.code == 2
    assert "did you mean 'fake'?" in outcome.err


UNRENDERABLE = {
    "an unknown variable": ("ok\n{{ titel }}", 3),
    "a slip in the syntax": ("ok\n{% if %}", 3),
    "a forbidden attribute": ("{{ title.__class__.__mro__ }}", 2),
    "an unknown filter": ("ok\n\n{{ title | shout }}", 4),
    "a filter of texts on a number": ("{{ max_length | one_line }}", 2),
    "a file that it includes": ("ok\n{% include 'other' %}", 3),
    "a call that never ends": ("{% macro f() %}{{ f() }}{% endmacro %}\n{{ f() }}", None),
}


@pytest.mark.parametrize(("text", "line"), UNRENDERABLE.values(), ids=UNRENDERABLE)
def test_a_template_that_does_not_render_is_an_error_with_file_and_line(
    genre: Genre, fake_plugin: Path, small_folder: Path, text: str, line: int | None
) -> None:
    template(fake_plugin, "mine.jinja", text)
    outcome = genre(*SHOW, "--template", "mine.jinja")
    assert outcome.code == 2
    assert f"mine.jinja:{line or ''}" in outcome.err
    assert "Traceback" not in outcome.err


def test_texts_cannot_steer_the_terminal_or_forge_markup(genre: Genre, fake_plugin: Path, tmp_path: Path) -> None:
    dataset = small_dataset()
    texts = dataset.texts.with_columns(text=dataset.texts["text"].str.replace("Late", "\x1b[2J\x9b[red]\u202e\x07Late"))
    save_dataset(type(dataset)(**{**_tables(dataset), "texts": texts}), tmp_path / "small")
    outcome = genre(*SHOW, "--subject", "N1")
    assert outcome.code == 0, outcome.err
    assert r"\x1b[2J\x9b[red]\u202e\x07Late goal" in outcome.out
    printed = genre(*SHOW, "--subject", "N1", "--json").out
    assert not set("\x1b\x9b\u202e\x07") & set(outcome.out + printed)
    assert (
        "\x1b[2J\x9b[red]\u202e\x07Late" in json.loads(printed)["versions"][0]["prompts"][0]["messages"][1]["content"]
    )


def _tables(dataset: Any) -> dict[str, Any]:
    import attrs

    return {field.alias: getattr(dataset, field.name) for field in attrs.fields(type(dataset)) if field.init}


@given(st.text())
def test_harmless_text_keeps_every_character_that_is_harmless(text: str) -> None:
    made = harmless_lines(text)
    assert "\x1b" not in made
    if text.isprintable():
        assert made == text


def test_try_asks_for_just_these_and_shows_what_a_round_would_make_of_it(
    genre: Genre, fake_plugin: Path, small_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = answering(monkeypatch, lambda prompt: f'{{"title": "About {prompt.subject}"}}')
    told = shown(genre, *TRY, "--sample", 2)
    [version] = told["versions"]
    assert [prompt.subject for prompt in asked] == subjects(version)
    answer = version["prompts"][0]["answer"]
    title = f"About {asked[0].subject}"
    assert (answer["state"], answer["record"], answer["unusable"]) == ("ok", {"title": title}, None)
    assert (answer["prompt_tokens"], answer["completion_tokens"]) == (7, 3)
    [summary] = told["summary"]
    assert (summary["answers"], summary["usable"], summary["distinct"]) == (2, 2, 2)


def test_what_was_tried_is_never_paid_again_by_a_run(
    genre: Genre, fake_plugin: Path, small_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = answering(monkeypatch, lambda prompt: f'{{"title": "About {prompt.subject}"}}')
    shown(genre, *TRY, "--sample", 2, "--store", "mine.sqlite")
    again = shown(genre, *TRY, "--sample", 2, "--store", "mine.sqlite")
    assert again["summary"][0]["calls"] == 0
    [report] = shown(genre, "enrich", "small", "--task", "news-summarizer", "--out", "rich", "--store", "mine.sqlite")
    assert (report["reused"], report["calls"], len(asked)) == (2, 4, 6)


ANSWERS = {
    "not JSON": ("no", "malformed: not JSON"),
    "not what the schema says": ('{"title": ""}', "malformed: schema: minLength of title"),
    "rejected by a gate": ('{"title": "Late goal wins it"}', "rejected by distinct: title of a news in the data set"),
    "of lone surrogates": ('{"title": "\ud800"}', "malformed: unpaired surrogate"),
}


@pytest.mark.parametrize(("text", "reason"), ANSWERS.values(), ids=ANSWERS)
def test_an_answer_that_cannot_be_used_is_shown_with_the_reason(
    genre: Genre, fake_plugin: Path, small_folder: Path, monkeypatch: pytest.MonkeyPatch, text: str, reason: str
) -> None:
    answering(monkeypatch, lambda _: text)
    arguments = (*TRY, "--sample", 1, "-o", "gates.distinct={}")
    answer = shown(genre, *arguments)["versions"][0]["prompts"][0]["answer"]
    assert answer["unusable"] == reason
    outcome = genre(*arguments)
    assert outcome.code == 0, outcome.err
    assert f"no, {reason}" in outcome.out


def test_a_refusal_is_shown_in_the_provider_s_words(
    genre: Genre, fake_plugin: Path, small_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def refuse(_self: FakeLLM, _prompt: Prompt) -> Completion:
        raise Refused("not [/bold] \x1b[2J today")

    monkeypatch.setattr("fake_llm.FakeLLM.complete", refuse)
    outcome = genre(*TRY, "--sample", 1)
    assert outcome.code == 0, outcome.err
    assert r"no, refused: not [/bold] \x1b[2J today" in outcome.out


def test_versions_stand_side_by_side_and_end_in_a_table(
    genre: Genre, fake_plugin: Path, small_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    answering(monkeypatch, lambda prompt: '{"title": "Same"}' if "Say" in prompt.messages[0].content else "broken")
    a = template(fake_plugin, "a.jinja", "Say {{ title }}")
    b = template(fake_plugin, "b.jinja", "Tell {{ title }}")
    outcome = genre(*TRY, "--sample", 3, "--template", "a.jinja", "--template", "b.jinja")
    assert outcome.code == 0, outcome.err
    assert re.search(r"user +Say .+ Tell ", outcome.out)
    table = outcome.out[outcome.out.index("Versions") :]
    figures = {line.split()[0]: line.split()[1:] for line in table.splitlines() if ".jinja" in line}
    assert figures["a.jinja"] == [ChatTemplate.load(a).version, "3", "3", "3", "17", "1"]
    assert figures["b.jinja"] == [ChatTemplate.load(b).version, "3", "3", "0", "6", "0"]


def test_a_veto_stops_a_try_before_the_first_call(
    genre: Genre, fake_plugin: Path, small_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = answering(monkeypatch, str)
    (fake_plugin / "veto").write_text("the budget office is closed")
    outcome = genre(*TRY)
    assert outcome.code == 1
    assert "the budget office is closed" in outcome.err
    assert not asked


def save_the_page_s_files(folder: Path) -> None:
    """The templates and the experiment of the page, under the names that it gives them."""
    jinja = re.findall(r"as `([\w.]+)`:\n\n```jinja\n(.*?)```", PAGE, flags=re.DOTALL)
    toml = re.findall(r"`([\w.]+)`:\n\n```toml\n(.*?)```", PAGE, flags=re.DOTALL)
    assert [name for name, _ in (*jinja, *toml)] == ["plain.jinja", "strict.jinja", "titles.toml"]
    for name, text in (*jinja, *toml):
        (folder / name).write_text(text, encoding="utf-8")


def test_two_versions_of_a_prompt_are_two_variants_of_the_documented_experiment(
    genre: Genre, fake_plugin: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (fake_plugin / "experiments").mkdir()
    save_the_page_s_files(fake_plugin / "experiments")  # not the working directory: paths are relative to the file
    asked = answering(monkeypatch, lambda prompt: f'{{"title": "About {prompt.subject}"}}')
    outcome = genre("run", "experiments/titles.toml", "--set", "baselines=[]", "--set", "untrained=['random']")
    assert outcome.code == 0, outcome.err
    run = fake_plugin / "runs" / "titles"
    versions = {name: ChatTemplate.load(fake_plugin / "experiments" / f"{name}.jinja").version for name in VERSIONS}
    assert {prompt.version for prompt in asked} == set(versions.values())
    for name, version in versions.items():
        details = load_dataset(run / "datasets" / name).lineage[-1].details
        assert (details["templates"], details["prompts"]) == ([version], 40)
    written = json.loads((run / "experiment.json").read_text())
    described = written["experiment"]
    assert {name: written["rounds"][name][0]["templates"] for name in VERSIONS} == {
        name: [version] for name, version in versions.items()
    }
    named = {each["name"]: each["rounds"][0]["options"] for each in described["variants"] if each["rounds"]}
    assert named == {name: {"template": f"{name}.jinja"} for name in VERSIONS}


VERSIONS = ("plain", "strict")


def test_every_command_line_of_the_page_runs(genre: Genre, fake_plugin: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    save_the_page_s_files(fake_plugin)
    answering(monkeypatch, lambda prompt: f'{{"title": "About {prompt.subject}"}}')
    [block] = re.findall(r"```sh\n(.*?)```", PAGE, flags=re.DOTALL)
    *called, last = [line.split()[1:] for line in block.splitlines()]
    assert len(called) == 4
    for words in called:
        outcome = genre(*words)
        assert outcome.code == 0, outcome.err
    assert last == ["run", "titles.toml"]  # the test above runs it


def test_the_page_names_every_option() -> None:
    group = command_line.get_command(click.Context(command_line), "prompts")
    assert isinstance(group, click.Group)
    for command in group.commands.values():
        for parameter in command.params:
            assert isinstance(parameter, click.Argument) or any(option in PAGE for option in parameter.opts)
