"""Two providers of different protocols serve one round through litellm, and one of them dies half-way."""

import json
import math
from collections.abc import Callable
from pathlib import Path
from typing import Final

import attrs
import pytest
from at_scale.projects import ENRICH, headline, litellm, project, quarantine, records, title_for
from command_line import run_genre
from servers import ChatServer, Reply, Request

NEWS: Final = 600
SHARES: Final = {"open": 0.7, "claude": 0.3}
MODELS: Final = {"open": "gpt-scripted", "claude": "claude-scripted"}
LIMITS: Final = {"concurrency": 16, "attempts": 3, "backoff": 0.02, "longest_backoff": 0.1, "patience": 1.0}
LIFE: Final = {"open": 200, "claude": 80}
"""Answers that a provider gives before it dies: half of its share, or a little less."""


@attrs.define(eq=False)
class Provider:
    """Answers in its own protocol; after `life` answers it dies as `end` says."""

    name: str
    life: float = math.inf
    end: Callable[[ChatServer], Reply] | None = None
    server: ChatServer | None = None
    answered: int = 0
    refused: int = 0

    def __call__(self, request: Request) -> Reply:
        assert request.path == {"open": "/v1/chat/completions", "claude": "/v1/messages"}[self.name]
        if self.answered >= self.life:
            self.refused += 1
            assert self.end is not None
            assert self.server is not None
            return self.end(self.server)
        self.answered += 1
        title = title_for(headline(request.body["messages"]))
        make = Reply.answer if self.name == "open" else Reply.anthropic
        return make(title, model=MODELS[self.name])


def bad_key(_: ChatServer) -> Reply:
    """It does not know the key any more."""
    return Reply.error(401, "invalid x-api-key")


def gone(server: ChatServer) -> Reply:
    """It listens no longer."""
    server.die()
    return Reply(manner="drop")


def run(folder: Path, open_provider: Provider, claude: Provider) -> str:
    """A whole round; what the user was told on standard error."""
    with ChatServer(open_provider) as one, ChatServer(claude) as other:
        open_provider.server, claude.server = one, other
        generators = {
            "both": f'plugin = "mix"\nroutes = {{ open = {SHARES["open"]}, claude = {SHARES["claude"]} }}',
            "open": litellm(one.base_url, model="openai/gpt-asked", **LIMITS),
            "claude": litellm(other.address, model="anthropic/claude-asked", **LIMITS),
        }
        project(folder, generators, news=NEWS)
        outcome = run_genre(folder, *ENRICH)
    assert outcome.code == 0, outcome.err
    assert quarantine(folder) == []
    assert records(folder)["subject"].n_unique() == NEWS
    lineage = json.loads((folder / "rich" / "dataset.json").read_text())["lineage"]
    assert {name: each["model"] for name, each in lineage[-1]["details"]["models"].items()} == {
        "open": "openai/gpt-asked",
        "claude": "anthropic/claude-asked",
    }
    return outcome.err


def by_provider(folder: Path) -> dict[str, int]:
    """Records by who answered, as each record says."""
    models = records(folder)["model"].to_list()
    counts = {name: sum(model.endswith(said) for model in models) for name, said in MODELS.items()}
    assert sum(counts.values()) == len(models), set(models)
    return counts


@pytest.mark.slow
def test_two_protocols_share_a_round_by_weight(tmp_path: Path) -> None:
    providers = Provider("open"), Provider("claude")
    told = run(tmp_path, *providers)
    counts = by_provider(tmp_path)
    assert counts == {each.name: each.answered for each in providers}
    deviation = math.sqrt(NEWS * SHARES["open"] * SHARES["claude"])
    assert abs(counts["open"] - NEWS * SHARES["open"]) < 4 * deviation
    assert "answers nothing any more" not in told
    print(f"70:30 of {NEWS}: {counts}")


@pytest.mark.slow
@pytest.mark.parametrize("end", [bad_key, gone])
@pytest.mark.parametrize("dying", ["open", "claude"])
def test_when_one_dies_half_way_the_round_completes_on_the_other_and_the_user_is_told_once(
    tmp_path: Path, end: Callable[[ChatServer], Reply], dying: str
) -> None:
    providers = {
        name: Provider(name, LIFE[name], end) if name == dying else Provider(name) for name in ("open", "claude")
    }
    told = run(tmp_path, providers["open"], providers["claude"])
    print(f"{dying} {end.__name__}: {by_provider(tmp_path)}, {providers[dying].refused} asked in vain")
    print(told[-600:])
    counts = by_provider(tmp_path)
    # A server that is gone may have cut off answers that it had begun to send; one that refuses has not.
    cut_off = int(LIMITS["concurrency"]) if end is gone else 0
    assert LIFE[dying] - cut_off <= counts[dying] <= LIFE[dying]
    assert sum(counts.values()) == NEWS
    assert told.count(f"{dying} answers nothing any more") == 1
    assert "Traceback" not in told
