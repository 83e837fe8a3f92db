"""One dollar against priced answers, 256 in flight: the server's own bill never exceeds it."""

import re
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Final

import attrs
import pytest
from at_scale.projects import ENRICH, headline, number_for, openai_compatible, project, table, title_for
from command_line import Outcome, run_genre
from servers import ChatServer, Reply, Request

BUDGET: Final = 1.0
NEWS: Final = 1_800
MOST_TOKENS: Final = 96
"""`max_tokens` of the task."""
ATTEMPTS: Final = 4
LIMITS: Final = {
    "concurrency": 256,
    "attempts": ATTEMPTS,
    "backoff": 0.02,
    "longest_backoff": 0.1,
    "slow_down_at": 1e6,
}

Length = Callable[[int], int]
"""Tokens of an answer, from a number that looks random."""
LENGTHS: Final[dict[str, Length]] = {
    "all as long as they may be": lambda _: MOST_TOKENS,
    "all short": lambda number: 5 + number % 5,
    "evenly spread": lambda number: 1 + number % MOST_TOKENS,
    "short, and rarely as long as they may be": lambda number: MOST_TOKENS if number % 10 == 0 else 8,
    "short at first, then long": lambda _: MOST_TOKENS,
}


@attrs.define(eq=False)
class Billing:
    """Answers, and writes a bill: also for answers that it then drops or breaks off, as a provider would.

    Attributes:
        prompt, completion: US dollars for a million tokens.
        lost: of a hundred answers, those that are billed and do not arrive.
        bill: US dollars.
        tries: how often each headline was asked about; the last attempt is never lost.
        delivered: how often each was answered whole.
    """

    prompt: float
    completion: float
    length: Length
    seed: int = 1
    lost: int = 0
    short_at_first: int = 0
    bill: float = 0.0
    tries: Counter[str] = attrs.field(factory=Counter)
    delivered: Counter[str] = attrs.field(factory=Counter)

    def __call__(self, request: Request) -> Reply:
        about = headline(request.body["messages"])
        number = number_for(f"{about} {self.tries[about]}", self.seed)
        words = sum(len(message["content"]) for message in request.body["messages"])
        asked, answered = words // 4, self.length(number)
        if self.tries.total() < self.short_at_first:
            answered = 5
        self.tries[about] += 1
        self.bill += (asked * self.prompt + answered * self.completion) / 1e6
        if number // 1_000 % 100 < self.lost and self.tries[about] < ATTEMPTS:
            return Reply(manner="drop") if number % 2 else Reply(body=b'{"choices": [', manner="truncate")
        self.delivered[about] += 1
        return Reply.answer(title_for(about), tokens=(asked, answered))


def generator(server: ChatServer, script: Billing) -> str:
    """Options of a generator that asks the server at its price."""
    return openai_compatible(
        server.base_url, price=table({"prompt": script.prompt, "completion": script.completion}), **LIMITS
    )


def check_stopped_before(outcome: Outcome, bill: float) -> None:
    """The run ended because of the budget, and said so."""
    assert outcome.code == 1, outcome.err
    assert "the budget of 1 USD does not cover the next call" in outcome.err
    assert "run again with a --budget for the rest" in outcome.err
    assert "Traceback" not in outcome.err
    assert bill <= BUDGET
    spent = re.search(r"([0-9.]+) USD are spent", outcome.err)
    assert spent is not None
    assert bill <= float(spent[1]) + 1e-4 <= BUDGET + 1e-4


@pytest.mark.slow
@pytest.mark.parametrize("name", LENGTHS)
@pytest.mark.parametrize("lost", [0, 10])
def test_the_bill_of_256_calls_in_flight_stays_within_the_budget_and_a_higher_one_pays_nothing_twice(
    tmp_path: Path, name: str, lost: int
) -> None:
    script = Billing(3.0, 20.0, LENGTHS[name], lost=lost, short_at_first=300 if "at first" in name else 0)
    with ChatServer(script, latency=0.05) as server:
        project(tmp_path, {"priced": generator(server, script)}, news=NEWS)
        check_stopped_before(run_genre(tmp_path, *ENRICH, "--budget", "1usd"), script.bill)
        bill, delivered = script.bill, script.delivered.total()
        assert 0 < delivered < NEWS
        assert server.most_in_flight > 64
        if not lost:
            assert bill > 0.98 * BUDGET, "money was set aside and never used"
        outcome = run_genre(tmp_path, *ENRICH, "--budget", "100usd")
        assert outcome.code == 0, outcome.err
    print(f"{name}, {lost} % lost: {bill:.4f} USD for {delivered} answers, {server.most_in_flight} in flight")
    assert set(script.delivered.values()) == {1}
    assert len(script.delivered) == NEWS
    if not lost:
        assert len(server.requests) == NEWS


@pytest.mark.slow
def test_one_budget_covers_a_mix_of_two_prices(tmp_path: Path) -> None:
    dear, cheap = Billing(6.0, 40.0, LENGTHS["evenly spread"], lost=5), Billing(0.5, 2.0, LENGTHS["all short"], lost=5)
    with ChatServer(dear, latency=0.05) as dear_server, ChatServer(cheap, latency=0.05) as cheap_server:
        generators = {
            "both": 'plugin = "mix"\nroutes = { dear = 1, cheap = 1 }',
            "dear": generator(dear_server, dear),
            "cheap": generator(cheap_server, cheap),
        }
        project(tmp_path, generators, news=NEWS)
        check_stopped_before(run_genre(tmp_path, *ENRICH, "--budget", "1usd"), dear.bill + cheap.bill)
        print(f"a mix: {dear.bill:.4f} + {cheap.bill:.4f} USD")
        assert dear.bill > cheap.bill > 0
        outcome = run_genre(tmp_path, *ENRICH, "--budget", "100usd")
        assert outcome.code == 0, outcome.err
    delivered = dear.delivered + cheap.delivered
    assert set(delivered.values()) == {1}
    assert len(delivered) == NEWS
