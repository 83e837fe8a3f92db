"""A server that answers nearly a third of its calls with rubbish: every subject ends as a record or in quarantine."""

import threading
from collections import Counter
from pathlib import Path
from typing import Final

import attrs
import pytest
from at_scale.projects import (
    ENRICH,
    headline,
    litellm,
    number_for,
    openai_compatible,
    project,
    quarantine,
    records,
    title_for,
)
from command_line import run_genre
from servers import ChatServer, Reply, Request

HOSTILE: Final = 30
"""Of a hundred calls."""
HOPELESS: Final = 50
"""One subject of so many never gets an answer that can be used, however often it is asked about."""
ATTEMPTS: Final = 4
QUESTIONS: Final = 2
"""Of a subject: an answer that cannot be used may be asked for once more, with the reason."""
TIMEOUT: Final = 3.0
MEGABYTE: Final = "x" * (1 << 20)
JSON_TYPE: Final = {"Content-Type": "application/json"}
WHOLE: Final = Reply.answer('{"title": "A title"}').body
REPLIES: Final = {
    "rate limit": Reply.error(429, "slow down"),
    "rate limit that says how long": Reply.error(429, "slow down", Retry_After="0.05"),
    "server error": Reply.error(500, "boom"),
    "dropped": Reply(manner="drop"),
    "truncated": Reply(body=WHOLE[: len(WHOLE) // 2], headers=JSON_TYPE, manner="truncate"),
    "empty body": Reply(headers=JSON_TYPE),
    "invalid JSON": Reply(body=b'{"choices": [', headers=JSON_TYPE),
    "invalid UTF-8": Reply(body=WHOLE.replace(b"A title", b"A t\xff\xfetle"), headers=JSON_TYPE),
    "another kind of JSON": Reply.of(["no", {"chat": "completion"}]),
    "another content type": Reply(body=b"<html><body>proxy</body></html>", headers={"Content-Type": "text/html"}),
    "empty answer": Reply.answer(""),
    "answer of a megabyte": Reply.answer('{"title": "' + MEGABYTE + '"}'),
    "answer of a megabyte of anything": Reply.answer(MEGABYTE),
    "answer that is no JSON": Reply.answer("Sure! Here is your title:"),
    "stalled": Reply(body=WHOLE[:20], headers=JSON_TYPE, manner="stall"),
}


@attrs.define(eq=False)
class Hostile:
    """Chooses by seed, question, and how often it was asked, so that a seed means the same whoever comes first.

    Attributes:
        asked: calls by headline, without those that were answered by a rate limit.
        limited: those.
        said: how often each reply was given.
    """

    seed: int
    asked: Counter[str] = attrs.field(factory=Counter)
    said: Counter[str] = attrs.field(factory=Counter)
    limited: Counter[str] = attrs.field(factory=Counter)
    _lock: threading.Lock = attrs.field(factory=threading.Lock, init=False)

    def __call__(self, request: Request) -> Reply:
        about = headline(request.body["messages"])
        number = number_for(f"{about} {self.asked[about]} {self.limited[about]}", self.seed)
        hostile = number % 100 < HOSTILE
        names = list(REPLIES)
        if number_for(about, self.seed) % HOPELESS == 0:
            hostile, names = True, [name for name in REPLIES if not name.startswith("rate limit")]
        name = names[number // 100 % len(names)] if hostile else "fine"
        self.said[name] += 1
        (self.limited if name.startswith("rate limit") else self.asked)[about] += 1
        return Reply.answer(title_for(about)) if name == "fine" else REPLIES[name]


LIMITS: Final = {"concurrency": 64, "attempts": ATTEMPTS, "backoff": 0.02, "longest_backoff": 0.1, "slow_down_at": 1e6}


@pytest.mark.slow
@pytest.mark.parametrize(
    ("kind", "news", "seed"),
    [
        *(("openai-compatible", 500, seed) for seed in (1, 2, 3)),
        ("litellm", 200, 1),
    ],
)
def test_every_subject_of_a_hostile_server_is_a_record_or_in_quarantine_after_few_calls(
    tmp_path: Path, kind: str, news: int, seed: int
) -> None:
    script = Hostile(seed)
    with ChatServer(script) as server:
        options = openai_compatible(server.base_url, timeout=TIMEOUT, **LIMITS)
        if kind == "litellm":
            options = litellm(server.base_url, timeout=TIMEOUT, **LIMITS)
        project(tmp_path, {"server": options}, news=news)
        outcome = run_genre(tmp_path, *ENRICH)
    assert outcome.code == 0, outcome.err
    assert "Traceback" not in outcome.err

    good, bad = records(tmp_path)["subject"].to_list(), quarantine(tmp_path)
    assert len(good) == len(set(good))
    assert set(good) | {row["subject"] for row in bad} == subjects(news)
    assert not set(good) & {row["subject"] for row in bad}
    assert all(row["reason"] == "failed" or row["reason"].startswith("malformed: ") for row in bad)
    assert all(row["text"] for row in bad)
    assert ATTEMPTS <= max(script.asked.values()) <= ATTEMPTS * QUESTIONS
    assert min(script.asked.values()) >= 1
    print(f"{kind}, seed {seed}: {len(server.requests)} calls, {len(bad)} in quarantine, {dict(script.said)}")
    assert set(script.said) == {"fine", *REPLIES}


def subjects(news: int) -> set[str]:
    return {f"N{number}" for number in range(1, 7)} | {f"M{number}" for number in range(news - 6)}
