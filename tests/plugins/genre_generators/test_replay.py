"""Recorded answers are found by subject or user and draw, and bad recordings are named by file and line."""

import asyncio
import gzip
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from genre.errors import UsageError
from genre.parts import Fatal, Prompt, Sampling, Skipped
from genre_generators.replay import ReplayGenerator, ReplayOptions

SHARED = Path(__file__).parents[4] / "shared" / "data"


def prompt(subject: str, draw: int = 0, user: str | None = None) -> Prompt:
    return Prompt(task="t", subject=subject, draw=draw, messages=(), sampling=Sampling(1), user=user)


def write(path: Path, *rows: object) -> Path:
    content = "".join(json.dumps(row) + "\n" for row in rows).encode()
    path.write_bytes(gzip.compress(content) if path.suffix == ".gz" else content)
    return path


def replay(*paths: Path, **options: Any) -> ReplayGenerator:
    return ReplayGenerator(ReplayOptions(paths=paths, **options))


def text(generator: ReplayGenerator, asked: Prompt) -> str:
    return asyncio.run(generator.complete(asked)).text


@pytest.mark.parametrize("name", ["answers.jsonl", "answers.jsonl.gz"])
def test_a_recorded_answer_is_found_by_its_subject(tmp_path: Path, name: str) -> None:
    file = write(tmp_path / name, {"id": "N1", "response": "one"}, {"id": "N2", "response": "two"})
    assert text(replay(file), prompt("N2")) == "two"


def test_the_last_of_two_rows_counts(tmp_path: Path) -> None:
    file = write(tmp_path / "a.jsonl", {"id": "N1", "response": "old"}, {"id": "N1", "response": "new"})
    assert text(replay(file), prompt("N1")) == "new"


def test_each_file_answers_its_draw(tmp_path: Path) -> None:
    first = write(tmp_path / "a.jsonl", {"id": "N1", "response": "first"})
    second = write(tmp_path / "b.jsonl", {"id": "N1", "response": "second"})
    generator = replay(first, second)
    assert [text(generator, prompt("N1", draw)) for draw in (0, 1)] == ["first", "second"]


def test_a_row_may_say_its_draw(tmp_path: Path) -> None:
    rows = [{"id": "N1", "draw": draw, "response": f"draw {draw}"} for draw in (1, 0)]
    generator = replay(write(tmp_path / "a.jsonl", *rows))
    assert [text(generator, prompt("N1", draw)) for draw in (0, 1)] == ["draw 0", "draw 1"]


def test_a_recording_keyed_by_user_is_found_through_the_prompts_user_and_leaks(tmp_path: Path) -> None:
    generator = replay(write(tmp_path / "a.jsonl", {"id": "U1", "response": "hers"}), by="user")
    assert text(generator, prompt("reader-9", user="U1")) == "hers"
    assert generator.identity.leaks
    with pytest.raises(Fatal, match="which user"):
        text(generator, prompt("reader-9"))


def test_recordings_by_subject_do_not_leak_unless_the_options_say_so(tmp_path: Path) -> None:
    file = write(tmp_path / "a.jsonl", {"id": "N1", "response": "x"})
    assert not replay(file).identity.leaks
    assert replay(file, leaks=True).identity.leaks
    assert not replay(file, by="user", leaks=False).identity.leaks


def test_a_miss_ends_the_run_with_the_subject_and_the_remedy_or_is_skipped(tmp_path: Path) -> None:
    file = write(tmp_path / "a.jsonl", {"id": "N1", "response": "x"})
    with pytest.raises(Fatal, match=r"(?s)N7.*on_miss"):
        text(replay(file), prompt("N7"))
    with pytest.raises(Skipped, match="N7"):
        text(replay(file, on_miss="skip"), prompt("N7"))


def test_a_template_makes_the_answer_out_of_the_row(tmp_path: Path) -> None:
    file = write(tmp_path / "a.jsonl", {"id": "N1", "response": "[description] A book."})
    answer = '{"description": {{ (response | replace("[description] ", "")) | tojson }} }'
    assert json.loads(text(replay(file, answer=answer), prompt("N1"))) == {"description": "A book."}


@settings(max_examples=30, deadline=None)
@given(value=st.recursive(st.text() | st.integers() | st.booleans() | st.none(), st.lists))
def test_tojson_writes_any_value_as_it_was(tmp_path_factory: pytest.TempPathFactory, value: object) -> None:
    file = write(tmp_path_factory.mktemp("r") / "a.jsonl", {"id": "N1", "response": value})
    assert json.loads(text(replay(file, answer="{{ response | tojson }}"), prompt("N1"))) == value


def test_characters_that_html_would_escape_stay_as_they_are(tmp_path: Path) -> None:
    file = write(tmp_path / "a.jsonl", {"id": "N1", "response": "R&B <'n'> \"soul\" é \u2028"})
    written = text(replay(file, answer="{{ response | tojson }}"), prompt("N1"))
    assert written == '"R&B <\'n\'> \\"soul\\" é \u2028"'


def test_a_template_that_asks_for_a_missing_field_names_the_fields_there_are(tmp_path: Path) -> None:
    file = write(tmp_path / "a.jsonl", {"id": "N1", "interest": []})
    with pytest.raises(Fatal, match=r"(?s)response.*id, interest"):
        text(replay(file), prompt("N1"))


def test_a_template_cannot_leave_its_sandbox(tmp_path: Path) -> None:
    file = write(tmp_path / "a.jsonl", {"id": "N1", "response": "x"})
    with pytest.raises(Fatal):
        text(replay(file, answer="{{ response.__class__.__mro__ }}"), prompt("N1"))


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("{not json", "not JSON"),
        ("[1]", "object"),
        ('{"name": "N1"}', "name"),
        ('{"id": 3}', "id"),
        ('{"id": "N1", "draw": -1}', "draw"),
        ('{"id": "N1", "draw": true}', "draw"),
    ],
)
def test_a_bad_line_is_an_error_that_names_file_and_line(tmp_path: Path, line: str, words: str) -> None:
    file = tmp_path / "a.jsonl"
    file.write_text('{"id": "N0", "response": "x"}\n\n' + line + "\n", encoding="utf-8")
    with pytest.raises(UsageError, match=words) as caught:
        text(replay(file), prompt("N0"))
    assert caught.value.where == f"{file}:3"


def test_a_missing_file_is_an_error_when_the_generator_is_made(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"nowhere\.jsonl"):
        replay(tmp_path / "nowhere.jsonl")


def test_a_file_that_is_not_gzip_is_an_error(tmp_path: Path) -> None:
    file = tmp_path / "a.jsonl.gz"
    file.write_bytes(b"plain")
    with pytest.raises(UsageError, match=r"a\.jsonl\.gz"):
        text(replay(file), prompt("N1"))


def test_a_template_with_a_mistake_is_an_error_when_the_generator_is_made(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="answer"):
        replay(write(tmp_path / "a.jsonl"), answer="{{ response")


def test_the_identity_depends_on_content_and_template_and_not_on_the_folder(tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    one = write(tmp_path / "a.jsonl", {"id": "N1", "response": "x"})
    same = write(tmp_path / "other" / "a.jsonl", {"id": "N1", "response": "x"})
    assert replay(one).identity == replay(same).identity
    assert replay(one, answer="{{ response }}!").identity != replay(one).identity
    write(same, {"id": "N1", "response": "y"})
    assert replay(one).identity != replay(same).identity


def test_the_rows_model_is_the_completions_model(tmp_path: Path) -> None:
    file = write(tmp_path / "a.jsonl", {"id": "N1", "response": "x", "model": "gpt-3.5-turbo"})
    assert asyncio.run(replay(file).complete(prompt("N1"))).model == "gpt-3.5-turbo"


def test_real_recordings_are_read() -> None:
    file = SHARED / "tiny" / "llm" / "book_summarizer.jsonl"
    if not file.is_file():
        pytest.skip("the shared data are not there")
    rows = [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]
    answer = '{"description": {{ response | replace("[description] ", "") | tojson }} }'
    generator = replay(file, answer=answer)
    for row in rows:
        answered = json.loads(text(generator, prompt(row["id"])))
        assert row["response"].endswith(answered["description"])
