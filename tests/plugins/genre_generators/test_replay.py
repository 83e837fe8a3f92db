"""Recorded answers are found by subject, user or question, and bad recordings are named by file and line."""

import asyncio
import gzip
import json
from pathlib import Path
from typing import Any

import attrs
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from genre.errors import UsageError
from genre.generation.exports import write_export
from genre.generation.keys import answer_key, question_key
from genre.generation.store import StoredAnswer
from genre.options import structure
from genre.parts import Completion, Fatal, Identity, Message, Prompt, Refused, Sampling, Skipped
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


@settings(max_examples=30)
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


ASKED = attrs.evolve(prompt("N1"), messages=(Message("user", "hello"),), schema={"type": "object"})


def stored(asked: Prompt, text: str = "hi", **changes: Any) -> StoredAnswer:
    """An answer to this prompt, as the store keeps it."""
    answer = StoredAnswer(
        answer_key(asked, Identity("m", "e")), "ok", Completion(text, "m-1"), asked.task, asked.subject, asked.draw,
        "g", "e", "v", question=question_key(asked),
    )  # fmt: skip
    return attrs.evolve(answer, **changes)


def export(path: Path, *answers: StoredAnswer) -> Path:
    write_export(answers, path)
    return path


@pytest.mark.parametrize("name", ["export.jsonl", "export.jsonl.gz"])
def test_an_export_is_recognised_and_answers_the_prompts_that_were_recorded(tmp_path: Path, name: str) -> None:
    second = attrs.evolve(ASKED, draw=1)
    generator = replay(export(tmp_path / name, stored(ASKED, "{{ one }}\n"), stored(second, "two")))
    assert [text(generator, asked) for asked in (ASKED, second)] == ["{{ one }}\n", "two"]


@pytest.mark.parametrize("change", [{"task": "u"}, {"subject": "N2"}, {"user": "U1"}, {"version": "v2"}])
def test_the_same_question_is_answered_whoever_it_is_about(tmp_path: Path, change: dict[str, Any]) -> None:
    generator = replay(export(tmp_path / "e.jsonl", stored(ASKED)), by="question")
    assert text(generator, attrs.evolve(ASKED, **change)) == "hi"


@pytest.mark.parametrize(
    "change",
    [{"messages": (Message("user", "hello!"),)}, {"sampling": Sampling(2)}, {"schema": None}, {"draw": 1}],
)
def test_a_changed_prompt_is_a_miss(tmp_path: Path, change: dict[str, Any]) -> None:
    file = export(tmp_path / "e.jsonl", stored(ASKED))
    with pytest.raises(Fatal, match=r"(?s)'N1'.*same words, sampling and schema.*on_miss"):
        text(replay(file), attrs.evolve(ASKED, **change))
    with pytest.raises(Skipped, match="N1"):
        text(replay(file, on_miss="skip"), attrs.evolve(ASKED, **change))


def test_an_exported_answer_keeps_its_model_and_its_state(tmp_path: Path) -> None:
    cut, refused = (attrs.evolve(ASKED, draw=draw) for draw in (1, 2))
    generator = replay(
        export(
            tmp_path / "e.jsonl",
            stored(ASKED),
            stored(cut, '{"a', state="truncated"),
            stored(refused, "content filter", state="refused"),
        )
    )
    assert asyncio.run(generator.complete(ASKED)) == Completion("hi", "m-1")
    assert asyncio.run(generator.complete(cut)) == Completion('{"a', "m-1", finish="length")
    with pytest.raises(Refused, match="content filter"):
        text(generator, refused)


def test_a_refused_answer_is_none_when_it_is_looked_up_by_subject_either(tmp_path: Path) -> None:
    file = export(tmp_path / "e.jsonl", stored(ASKED, "content filter", state="refused"))
    with pytest.raises(Refused, match="content filter"):
        text(replay(file, by="subject", subject_field="subject", answer="{{ text }}"), ASKED)


def test_two_answers_to_one_question_are_an_error_that_says_how_to_export_one(tmp_path: Path) -> None:
    other = stored(ASKED, completion=Completion("ho", "m-2"))
    with pytest.raises(UsageError, match=r"(?s)e\.jsonl:2.*'m-2'.*--model"):
        text(replay(export(tmp_path / "e.jsonl", stored(ASKED), other)), ASKED)


def test_one_answer_in_two_exports_is_one_answer(tmp_path: Path) -> None:
    files = [export(tmp_path / name, stored(ASKED)) for name in ("a.jsonl", "b.jsonl")]
    assert text(replay(*files), ASKED) == "hi"


def test_answers_that_do_not_say_what_was_asked_are_found_by_subject_only(tmp_path: Path) -> None:
    file = export(tmp_path / "e.jsonl", stored(ASKED, question=None))
    with pytest.raises(UsageError, match=r'(?s)earlier version.*by = "subject"'):
        text(replay(file), ASKED)
    assert text(replay(file, by="subject", subject_field="subject", answer="{{ text }}"), ASKED) == "hi"


def test_a_line_that_is_not_of_an_export_is_named(tmp_path: Path) -> None:
    file = export(tmp_path / "e.jsonl", stored(ASKED))
    with file.open("a") as lines:
        lines.write('{"id": "N1", "response": "x"}\n')
    with pytest.raises(UsageError, match="not a line of an export") as caught:
        text(replay(file), ASKED)
    assert caught.value.where == f"{file}:2"


def test_how_recordings_are_looked_up_is_part_of_the_identity(tmp_path: Path) -> None:
    file = export(tmp_path / "e.jsonl", stored(ASKED))
    assert replay(file).identity == replay(file, by="question").identity != replay(file, by="subject").identity
    assert not replay(file).identity.leaks


def test_by_may_be_left_out_or_said_and_is_checked() -> None:
    assert structure({"paths": ["a"]}, ReplayOptions, "here").by is None
    assert structure({"paths": ["a"], "by": "question"}, ReplayOptions, "here").by == "question"
    with pytest.raises(UsageError, match="by"):
        structure({"paths": ["a"], "by": "words"}, ReplayOptions, "here")


def test_an_export_of_answers_that_leaked_leaks_where_the_options_say_so(tmp_path: Path) -> None:
    file = export(tmp_path / "e.jsonl", stored(ASKED))
    assert replay(file, leaks=True).identity.leaks
