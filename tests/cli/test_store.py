"""`genre store` as a person types it: counting, looking, sharing, deleting; and a run replayed from an export."""

import gzip
import json
import shlex
import sqlite3
import time
import tomllib
from contextlib import closing
from pathlib import Path

import attrs
import polars as pl
import pytest
from command_line import Genre
from fake_llm import FakeLLM, by_schema
from hypothesis import given
from hypothesis import strategies as st

from genre.cli.store import parse_age
from genre.cli.store import store as command_group
from genre.dataset import load_dataset
from genre.errors import UsageError
from genre.generation.store import AnswerStore, StoredAnswer
from genre.parts import Completion, Prompt, Refused, Usage
from genre.registry import Registry
from genre.untrusted import harmless

PAGE = Path(__file__).parents[2] / "docs" / "how-to" / "store.md"
STORE = Path(".genre") / "answers.sqlite"
DAY = 86_400
ANSWER = StoredAnswer(
    key=b"\x01" * 20,
    state="ok",
    completion=Completion("hi", "m-1", usage=Usage(3, 4)),
    task="t",
    subject="N1",
    draw=0,
    generator="g",
    endpoint="e",
    template="v1",
    question=b"\x09" * 20,
    cost=0.25,
    identity='{"endpoint":"e","model":"m","parameters":{}}',
    stored_at=0,
)


def answer(number: int, **changes: object) -> StoredAnswer:
    return attrs.evolve(ANSWER, key=bytes([number]) * 20, **changes)  # type: ignore[arg-type]


def fill(*answers: StoredAnswer) -> None:
    """A store where commands look for it."""
    with closing(AnswerStore(STORE)) as store:
        store.put(answers)


def keys() -> list[int]:
    with closing(AnswerStore(STORE)) as store:
        return [row.key[0] for row in store.rows()]


def test_stats_add_up_by_task_generator_model_and_state(genre: Genre) -> None:
    fill(ANSWER, answer(2, draw=1, cost=None, stored_at=DAY), answer(3, task="u", state="refused", cost=None))
    found = json.loads(genre("store", "stats", "--json").out)
    assert (found["store"], found["first"], found["last"]) == (
        ".genre/answers.sqlite", "1970-01-01T00:00:00+00:00", "1970-01-02T00:00:00+00:00",
    )  # fmt: skip
    assert found["bytes"] >= STORE.stat().st_size > 0
    first, second = found["rows"]
    assert [first[name] for name in ("task", "state", "answers", "prompt_tokens", "cost", "unknown_costs")] == [
        "t", "ok", 2, 6, 0.25, 1,
    ]  # fmt: skip
    assert (second["task"], second["state"], second["cost"]) == ("u", "refused", None)


def test_an_unknown_cost_never_reads_0(genre: Genre) -> None:
    fill(ANSWER, answer(2, draw=1, cost=None), answer(3, task="u", cost=None))
    lines = genre("store", "stats").out.splitlines()
    assert "0.250000 + 1 unknown" in lines[1]
    assert lines[2].split()[-1] == "unknown"
    assert lines[-1].startswith(".genre/answers.sqlite: ")


def test_show_has_all_of_a_row_and_the_raw_text(genre: Genre) -> None:
    fill(ANSWER, answer(2, draw=1, completion=Completion("line 1\nline 2", "m-1")))
    outcome = genre("store", "show", "--task", "t", "--subject", "N1", "--draw", 1)
    assert outcome.out.endswith("text:\n  line 1\n  line 2\n")
    for line in ("task: t", "draw: 1", "question: " + "09" * 20, "stored at: 1970-01-01T00:00:00+00:00", "cost: 0.25"):
        assert f"{line}\n" in outcome.out
    [by_key] = json.loads(genre("store", "show", "--key", "01" * 20, "--json").out)
    assert (by_key["draw"], by_key["text"], by_key["identity"]["model"]) == (0, "hi", "m")


def test_what_a_terminal_would_obey_is_escaped(genre: Genre) -> None:
    fill(answer(1, completion=Completion("\x1b[2J\u202eevil\x9b31m\rX", "m\x1b]0;title\x07"), subject="[bold]N1"))
    for form in ([], ["--json"]):
        out = genre("store", "show", "--task", "t", "--subject", "[bold]N1", *form).out
        assert "[bold]N1" in out
        assert not {"\x1b", "\x9b", "\x07", "\r", "\u202e"} & set(out)
    assert not {"\x1b", "\x07"} & set(genre("store", "stats").out + genre("store", "stats", "--json").out)


@given(st.text())
def test_harmless_text_is_one_line_without_anything_that_is_not_shown(text: str) -> None:
    shown = harmless(text)
    assert len(shown.splitlines()) <= 1
    assert all(char.isprintable() or char in text for char in shown)
    shown.encode()


def test_words_of_any_script_are_shown_as_they_are() -> None:
    assert harmless("crème\u00a0brûlée 新闻\u3000推荐 \U0001f600") == "crème\u00a0brûlée 新闻\u3000推荐 \U0001f600"


def test_export_writes_what_was_chosen(genre: Genre) -> None:
    fill(ANSWER, answer(2, task="u"), answer(3, draw=1, state="failed"), answer(4, draw=2, question=None))
    outcome = genre(
        "store", "export", "--out", "shared/e.jsonl.gz", "--task", "t", "--generator", "g", "--model", "m-1"
    )
    assert outcome.code == 0, outcome.err
    assert "e.jsonl.gz: 2 answers" in outcome.out
    assert "1 failed calls" in outcome.out
    assert "1 answers of an earlier version can be replayed by subject only" in outcome.out
    lines = gzip.decompress(Path("shared/e.jsonl.gz").read_bytes()).splitlines()
    assert [json.loads(line)["draw"] for line in lines] == [0, 2]


def test_prune_tells_first_and_deletes_with_yes_only(genre: Genre) -> None:
    fill(ANSWER, answer(2, draw=1, state="refused"), answer(3, draw=2, state="refused", cost=None))
    dry = genre("store", "prune", "--state", "refused", "--dry-run", "--yes")
    assert dry.code == 0
    assert "would be deleted: 2 answers, cost in USD: 0.250000 + 1 unknown" in dry.out
    asked = genre("store", "prune", "--state", "refused")
    assert (asked.code, keys()) == (2, [1, 2, 3])
    assert "add --yes" in asked.err
    done = genre("store", "prune", "--state", "refused", "--yes")
    assert (done.code, keys()) == (0, [1])
    assert "deleted: 2 answers" in done.out
    assert "nothing to delete" in genre("store", "prune", "--state", "refused", "--yes").out


def test_prune_knows_ages_and_keeps_what_has_none(genre: Genre) -> None:
    now = int(time.time())
    fill(answer(1, stored_at=now - 31 * DAY), answer(2, draw=1, stored_at=now - 29 * DAY), answer(3, draw=2))
    with closing(sqlite3.connect(STORE)) as connection, connection:
        connection.execute("UPDATE answers SET stored_at = NULL WHERE draw = 2")
    outcome = genre("store", "prune", "--older-than", "30d", "--yes")
    assert "1 answers of unknown age" in outcome.out
    assert keys() == [2, 3]


def test_the_criteria_of_prune_add_up(genre: Genre) -> None:
    fill(ANSWER, answer(2, task="u"), answer(3, task="u", draw=1, generator="h"))
    assert genre("store", "prune", "--task", "u", "--generator", "h", "--yes").code == 0
    assert keys() == [1, 2]


@given(number=st.integers(0, 10**9 - 1), unit=st.sampled_from("mhdw"))
def test_an_age_is_a_number_and_a_unit(number: int, unit: str) -> None:
    assert parse_age(f"{number}{unit}") == number * {"m": 60, "h": 3_600, "d": DAY, "w": 7 * DAY}[unit]


@given(st.text().filter(lambda text: not (text[:-1].isdigit() and text[-1:] in "mhdw")))
def test_anything_else_is_no_age(text: str) -> None:
    with pytest.raises(UsageError, match="not an age"):
        parse_age(text)


MISTAKES: dict[str, tuple[list[object], list[str]]] = {
    "a misspelt task": (["export", "--out", "e.jsonl", "--task", "tt"], ["of the task 'tt'", "did you mean 't'?"]),
    "a misspelt model": (["export", "--out", "e.jsonl", "--model", "m1"], ["of the model 'm1'", "did you mean 'm-1'?"]),
    "an export that exists": (["export", "--out", "precious.jsonl"], ["precious.jsonl: the file exists", "--force"]),
    "another kind of file": (["export", "--out", "e.csv"], ["e.csv", ".jsonl or .jsonl.gz"]),
    "an export into the store": (["export", "--out", STORE, "--force"], ["would replace the store"]),
    "a subject that was not asked about": (["show", "--task", "t", "--subject", "N7"], ["there is no such answer"]),
    "a task without answers": (["show", "--task", "tt", "--subject", "N1"], ["did you mean 't'?"]),
    "no key": (["show", "--key", "xyz"], ["'xyz' is not a key"]),
    "nothing to show": (["show", "--task", "t"], ["name --task and --subject, or --key"]),
    "two ways to show": (["show", "--key", "01", "--draw", "0"], ["name --task and --subject, or --key"]),
    "nothing to prune by": (["prune", "--yes"], ["nothing says which answers to delete"]),
    "a paid answer as a state to prune": (["prune", "--state", "ok", "--yes"], ["'ok' is not one of"]),
    "an age without a unit": (["prune", "--older-than", "30"], ["'30' is not an age", "30d"]),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_is_told_and_the_store_stays_as_it_was(genre: Genre, mistake: str) -> None:
    fill(ANSWER)
    Path("precious.jsonl").write_text("precious")
    arguments, expected = MISTAKES[mistake]
    outcome = genre("store", *arguments)
    assert outcome.code == 2, outcome
    assert "Traceback" not in outcome.err
    for text in expected:
        assert text in outcome.err
    assert (keys(), Path("precious.jsonl").read_text()) == ([1], "precious")
    assert not Path("e.jsonl").exists()


@pytest.mark.parametrize(
    "arguments",
    [
        ["stats"],
        ["show", "--key", "00"],
        ["export", "--out", "e.jsonl"],
        ["prune", "--state", "failed"],
    ],
    ids=lambda arguments: arguments[0],
)
def test_where_no_store_is_the_place_is_told_and_none_is_made(
    genre: Genre, tmp_path: Path, arguments: list[str]
) -> None:
    for place in (STORE, Path("other") / "store.sqlite"):
        outcome = genre("store", *arguments, "--store", place)
        assert outcome.code == 2
        assert str(tmp_path / place) in outcome.err
        assert "--store" in outcome.err
    assert list(tmp_path.iterdir()) == []


REPLAY = '\n[generators.recorded]\nplugin = "replay"\npaths = ["shared.jsonl.gz"]\n'


def moody(prompt: Prompt) -> str | Exception:
    """An answer, a refusal, or what is no JSON."""
    special: dict[str, str | Exception] = {"N2": Refused("content filter"), "N3": "Sure! Here it is."}
    return special.get(prompt.subject, by_schema(prompt)) if prompt.task == "news-summarizer" else by_schema(prompt)


def records(folder: Path) -> list[pl.DataFrame]:
    return [pl.read_parquet(path) for path in sorted(folder.rglob("*/records/*.parquet"))]


def test_a_run_is_replayed_from_an_export_without_a_call(
    genre: Genre, fake_plugin: Path, small_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    registry = fake_plugin / "registry.toml"
    registry.write_text(registry.read_text() + REPLAY)
    chain = ("enrich", small_folder, "--task", "news-summarizer", "--task", "user-profiler", "--json")
    monkeypatch.setattr("fake_llm.FakeLLM.complete", answering)
    first = genre(*chain, "--out", "rich")
    assert first.code == 0, first.err
    assert genre("store", "export", "--out", "shared.jsonl.gz").code == 0
    monkeypatch.setattr("fake_llm.FakeLLM.complete", never)
    again = genre(*chain, "--out", "again", "--generator", "recorded", "--store", "new/answers.sqlite")
    assert again.code == 0, again.err
    assert load_dataset(Path("again")).fingerprint == load_dataset(Path("rich")).fingerprint
    assert [each["quarantined"] for each in json.loads(again.out)] == [
        {"malformed: not JSON": 1, "refused": 1},
        {},
    ]
    one, other = records(Path("rich-rounds")), records(Path("again-rounds"))
    assert len(one) == len(other) == 2
    assert all(left.equals(right) for left, right in zip(one, other, strict=True))
    assert set(one[0]["model"]) == {"fake-1"}


def test_a_changed_template_is_not_answered_from_an_export(genre: Genre, fake_plugin: Path, small_folder: Path) -> None:
    registry = fake_plugin / "registry.toml"
    registry.write_text(registry.read_text() + REPLAY)
    enrich = ("enrich", small_folder, "--task", "news-summarizer")
    assert genre(*enrich, "--out", "rich").code == 0
    assert genre("store", "export", "--out", "shared.jsonl.gz").code == 0
    Path("mine.jinja").write_text("{% block user %}Shorten: {{ title }}{% endblock %}")
    registry.write_text(registry.read_text() + '[tasks.news-summarizer]\ntemplate = "mine.jinja"\n')
    outcome = genre(*enrich, "--out", "again", "--generator", "recorded", "--store", "new/answers.sqlite")
    assert outcome.code == 1
    assert "no recording has this question about 'N1'" in outcome.err
    assert "undo what changed" in outcome.err


def test_the_page_of_the_store_shows_commands_with_options_that_exist() -> None:
    lines = [line for block in PAGE.read_text().split("```sh\n")[1:] for line in block.split("```")[0].splitlines()]
    assert len(lines) == 6
    for line in lines:
        program, group, name, *words = shlex.split(line, comments=True)
        assert (program, group) == ("genre", "store")
        known = {option for parameter in command_group.commands[name].params for option in parameter.opts}
        assert {word for word in words if word.startswith("-")} <= known


def test_the_generators_on_the_page_of_the_store_are_some() -> None:
    texts = PAGE.read_text().split("```toml\n")[1:]
    assert len(texts) == 2
    for text in texts:
        table = tomllib.loads(text.split("```")[0])["generators"]["recorded"]
        assert table.pop("plugin") == "replay"
        Registry.load().structure_options("generator", "replay", table)


async def answering(_self: FakeLLM, prompt: Prompt) -> Completion:
    outcome = moody(prompt)
    if isinstance(outcome, Exception):
        raise outcome
    return Completion(outcome, "fake-1")


async def never(_self: FakeLLM, _prompt: Prompt) -> Completion:
    raise AssertionError("a replayed run calls nobody")
