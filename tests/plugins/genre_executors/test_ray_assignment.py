"""Workers make the driver's generators, and share their limits."""

import asyncio
from pathlib import Path

import attrs
import pytest

from genre.errors import UsageError
from genre.generation import GeneratorPool, Limits
from genre.parts import Fatal
from genre.registry import Registry
from genre.settings import load_settings
from genre_executors.ray_assignment import Assignment, DownGenerator, share_of

REGISTRY = """
[generators.one]
plugin = "openai-compatible"
base_url = "http://127.0.0.1:9/v1"
model = "m"
limits = { concurrency = 10, requests_per_minute = 90.0, tokens_per_minute = 3000.0 }
[generators.two]
plugin = "openai-compatible"
base_url = "http://127.0.0.1:9/v1"
model = "n"
limits = { concurrency = 3 }
[generators.both]
plugin = "mix"
routes = { one = 1, two = 1 }
"""


@pytest.fixture
def registry(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Registry:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "none"))
    (tmp_path / "registry.toml").write_text(REGISTRY, encoding="utf-8")
    return Registry.load(load_settings(tmp_path))


def assignment(registry: Registry, generator: str, workers: int = 4) -> Assignment:
    return Assignment.of(registry, GeneratorPool(registry).get(generator), workers=workers, limited=False)


def test_all_workers_together_keep_within_the_limits() -> None:
    share = share_of(Limits(concurrency=10, requests_per_minute=90, tokens_per_minute=3000), 4)
    assert share == Limits(concurrency=2, requests_per_minute=22.5, tokens_per_minute=750)


def test_there_are_no_more_workers_than_calls_in_flight(registry: Registry) -> None:
    told = assignment(registry, "both")
    assert told.workers == 3
    assert {name: limits.concurrency for name, (_, limits) in told.routing().routes.items()} == {"one": 3, "two": 1}


def test_a_worker_makes_the_driver_s_routing(registry: Registry) -> None:
    mine = GeneratorPool(registry).get("both")
    theirs = assignment(registry, "both").routing()
    assert theirs.name == mine.name
    assert theirs.identities == mine.identities
    assert theirs.router is not None


def test_a_generator_that_is_another_one_on_a_worker_s_machine_is_told(registry: Registry) -> None:
    told = attrs.evolve(assignment(registry, "one"), identities={"one": "something else"})
    with pytest.raises(UsageError, match="'one' is another one on a worker's machine"):
        told.routing()


def test_what_is_down_is_not_asked_again(registry: Registry) -> None:
    routing = GeneratorPool(registry).get("one")
    down = DownGenerator(routing.routes["one"][0], "no credit left")
    assert down.identity == routing.identities["one"]
    with pytest.raises(Fatal, match="no credit left"):
        asyncio.run(down.complete(None))  # type: ignore[arg-type]
