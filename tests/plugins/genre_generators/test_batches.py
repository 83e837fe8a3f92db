"""Both batch generators against a real loopback server: what they send, when, and what becomes of each prompt."""

import asyncio
import json
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import attrs
import pytest
from batch_calls import Maker, anthropic, ask, both, openai, prompt, question
from batch_server import BatchServer, Outcome
from servers import ChatServer, Reply

from genre.errors import UsageError
from genre.options import Secret
from genre.parts import Completion, Fatal, GenerationError, RateLimited, Refused, Sampling, Transient, Usage
from genre_generators.anthropic_batch import AnthropicBatchOptions, anthropic_batch
from genre_generators.batch import Batch
from genre_generators.batch_record import BatchRecord
from genre_generators.litellm_options import LiteLLMOptions
from genre_generators.litellm_provider import LiteLLMGenerator
from genre_generators.openai_batch import OpenAIBatchOptions, openai_batch
from genre_generators.openai_compatible import OpenAICompatibleGenerator
from genre_generators.openai_compatible_options import OpenAICompatibleOptions

KEY = "sk-very-secret-0123456789"
SCHEMA = {
    "type": "object",
    "properties": {"title": {"type": "string", "maxLength": 20}},
    "required": ["title"],
    "additionalProperties": False,
}


@pytest.fixture
def with_key(monkeypatch: pytest.MonkeyPatch) -> Secret:
    monkeypatch.setenv("MY_KEY", KEY)
    return Secret("MY_KEY")


@both
def test_each_prompt_gets_its_own_answer_whatever_the_order_of_the_results(make: Maker, tmp_path: Path) -> None:
    with BatchServer() as server:
        server.outcome = lambda _, body: Outcome(f"answer to {question(body)}")
        answers = ask(make(server, tmp_path), *map(prompt, range(5)))
    assert [answer.text for answer in answers] == [f"answer to question {number}" for number in range(5)]
    assert answers[0] == Completion("answer to question 0", "scripted-1", "stop", Usage(7, 3))


@both
def test_a_batch_holds_no_more_prompts_than_it_may_and_the_last_one_is_sent_too(make: Maker, tmp_path: Path) -> None:
    with BatchServer() as server:
        ask(make(server, tmp_path, batch_size=2), *map(prompt, range(5)))
        assert [len(batch.requests) for batch in server.batches] == [2, 2, 1]


@both
def test_equal_prompts_are_sent_once(make: Maker, tmp_path: Path) -> None:
    with BatchServer() as server:
        answers = ask(make(server, tmp_path), prompt(), prompt(), prompt())
        assert len(server.asked()) == 1
    assert len({answer.text for answer in answers}) == 1


@both
def test_a_prompt_that_is_given_up_before_its_batch_is_sent_is_not_sent(make: Maker, tmp_path: Path) -> None:
    async def scenario(server: BatchServer) -> None:
        generator = make(server, tmp_path, collect_seconds=0.2)
        await generator.complete(prompt(0))  # the journal is read
        given_up = asyncio.create_task(generator.complete(prompt(1)))
        kept = asyncio.create_task(generator.complete(prompt(2)))
        await asyncio.sleep(0)  # both are collected
        given_up.cancel()
        await kept
        await generator.aclose()

    with BatchServer() as server:
        asyncio.run(scenario(server))
        assert [question(body) for body in server.batches[1].requests.values()] == ["question 2"]


def test_a_request_is_the_one_that_openai_compatible_sends(tmp_path: Path) -> None:
    asked = prompt(draw=3, schema=SCHEMA, sampling=Sampling(max_tokens=33, temperature=0.25, top_p=0.5))
    with ChatServer() as chat, BatchServer() as server:
        direct = OpenAICompatibleGenerator(
            OpenAICompatibleOptions(base_url=chat.base_url, model="small", parameters={"min_p": 0.1})
        )

        async def once() -> None:
            await direct.complete(asked)
            await direct.aclose()

        asyncio.run(once())
        ask(openai(server, tmp_path, parameters={"min_p": 0.1}), asked)
        [body] = server.batches[0].requests.values()
        expected = json.loads(json.dumps(chat.requests[0].body))
    del expected["response_format"]["json_schema"]["schema"]["properties"]["title"][
        "maxLength"
    ]  # strict modes refuse it
    assert body == expected


def test_fields_that_a_model_does_not_take_are_left_out(tmp_path: Path) -> None:
    omit = ("temperature", "seed")
    with BatchServer() as server:
        ask(openai(server, tmp_path, omit=omit, max_tokens_field="max_completion_tokens"), prompt())
        [body] = server.batches[0].requests.values()
    assert sorted(body) == ["max_completion_tokens", "messages", "model", "top_p"]


def test_a_request_to_anthropic_has_the_system_s_words_apart_and_the_schema(tmp_path: Path, with_key: Secret) -> None:
    with BatchServer() as server:
        ask(anthropic(server, tmp_path, api_key=with_key, parameters={"top_k": 5}), prompt(schema=SCHEMA))
        [body] = server.batches[0].requests.values()
        assert server.headers["x-api-key"] == KEY
        assert server.headers["anthropic-version"] == "2023-06-01"
    assert body == {
        "model": "small",
        "max_tokens": 33,
        "system": "You are brief.",
        "messages": [{"role": "user", "content": "question 0"}],
        "temperature": 0.7,
        "top_k": 5,
        "output_config": {
            "format": {
                "type": "json_schema",
                "schema": {**SCHEMA, "properties": {"title": {"type": "string"}}},
            }
        },
    }


def test_answers_are_shared_with_openai_compatible(tmp_path: Path) -> None:
    with BatchServer() as server:
        url = server.base_url
        mine = openai(server, tmp_path, parameters={"min_p": 0.1}).identity
        options = OpenAICompatibleOptions(base_url=url, model="small", parameters={"min_p": 0.1})
        assert mine == OpenAICompatibleGenerator(options).identity
        assert openai(server, tmp_path, omit=("temperature",)).identity != openai(server, tmp_path).identity


def test_answers_are_shared_with_litellm(tmp_path: Path) -> None:
    mine = anthropic_batch(AnthropicBatchOptions(model="claude-haiku-4-5", journal=tmp_path)).identity
    assert mine == LiteLLMGenerator(LiteLLMOptions(model="anthropic/claude-haiku-4-5")).identity


@both
@pytest.mark.parametrize(
    ("outcome", "kind", "billed"),
    [
        (Outcome(status=400, error="too long"), Refused, False),
        (Outcome(status=404, error="no such model"), Fatal, False),
        (Outcome(status=429, error="slowly"), RateLimited, False),
        (Outcome(status=529, error="overloaded"), Transient, False),
        (Outcome(status=0, error="it expired"), Transient, False),
        (Outcome(text="  "), Transient, True),
    ],
)
def test_an_error_of_one_prompt_is_its_own(
    make: Maker, outcome: Outcome, kind: type[GenerationError], billed: bool, tmp_path: Path
) -> None:
    with BatchServer() as server:
        server.outcome = lambda _, body: outcome if question(body) == "question 1" else Outcome()
        good, bad = ask(make(server, tmp_path), prompt(0), prompt(1))
    assert isinstance(good, Completion)
    assert type(bad) is kind
    assert bad.may_be_billed is billed


@pytest.mark.parametrize(("make", "word"), [(openai, "length"), (anthropic, "max_tokens")])
def test_an_answer_that_was_cut_off_says_so(make: Maker, word: str, tmp_path: Path) -> None:
    with BatchServer() as server:
        server.outcome = lambda *_: Outcome("half", stop=word)
        [answer] = ask(make(server, tmp_path), prompt())
    assert answer.finish == "length"


@pytest.mark.parametrize(("make", "word"), [(openai, "content_filter"), (anthropic, "refusal")])
def test_a_model_that_declines_refuses(make: Maker, word: str, tmp_path: Path) -> None:
    with BatchServer() as server:
        server.outcome = lambda *_: Outcome("no", stop=word)
        [error] = ask(make(server, tmp_path), prompt())
    assert type(error) is Refused
    assert error.may_be_billed


def test_a_file_that_the_provider_refuses_is_told_with_its_reason(tmp_path: Path) -> None:
    with BatchServer() as server:
        server.states = ["validating", "failed"]
        server.failure = {"data": [{"code": "invalid_json_line", "message": "mismatched model", "line": 3}]}
        [error] = ask(openai(server, tmp_path), prompt())
    assert type(error) is Fatal
    assert "mismatched model (line 3 of its file)" in str(error)
    assert not list(tmp_path.glob("*.jsonl"))


def test_a_full_queue_is_waited_for(tmp_path: Path) -> None:
    with BatchServer() as server:
        server.states = ["validating", "failed"]
        server.failure = {"data": [{"code": "token_limit_exceeded", "message": "Enqueued token limit reached"}]}
        [error] = ask(openai(server, tmp_path), prompt())
    assert type(error) is RateLimited
    assert error.retry_after == 300
    assert not list(tmp_path.glob("*.jsonl"))


@both
def test_a_wrong_key_is_told_with_its_variable(make: Maker, tmp_path: Path, with_key: Secret) -> None:
    with BatchServer() as server:
        server.intercept = lambda *_: Reply.error(401, f"the key {KEY} is wrong")
        [error] = ask(make(server, tmp_path, api_key=with_key), prompt())
    assert type(error) is Fatal
    assert "MY_KEY" in str(error)
    assert KEY not in str(error)
    assert not list(tmp_path.glob("*.jsonl"))


@both
@pytest.mark.parametrize(
    ("reply", "kind"),
    [(Reply.error(429, Retry_After="7"), RateLimited), (Reply.error(413, "too large"), Fatal)],
)
def test_a_batch_that_the_provider_does_not_take_is_not_journalled(
    make: Maker, reply: Reply, kind: type[GenerationError], tmp_path: Path
) -> None:
    with BatchServer() as server:
        server.intercept = lambda method, path: reply if (method, path[-7:]) == ("POST", "batches") else None
        errors = ask(make(server, tmp_path), prompt(0), prompt(1))
    assert [type(error) for error in errors] == [kind, kind]
    assert kind is Fatal or errors[0].retry_after == 7
    assert not list(tmp_path.glob("*.jsonl"))


def test_an_upload_that_breaks_off_costs_nothing(tmp_path: Path) -> None:
    with BatchServer() as server:
        server.intercept = lambda _, path: Reply(manner="drop") if path.endswith("files") else None
        [error] = ask(openai(server, tmp_path), prompt())
    assert type(error) is Transient
    assert not error.may_be_billed
    assert not list(tmp_path.glob("*.jsonl"))


def test_an_answer_that_came_when_its_asker_was_cancelled_is_kept() -> None:
    async def scenario() -> Completion:
        batch = Batch(BatchRecord(Path("unused"), "s", 0.0, ("key",)))
        asker = asyncio.create_task(batch.answer("key"))
        await asyncio.sleep(0)
        batch.answered("key", Completion("kept", "m"))
        asker.cancel()
        await asyncio.gather(asker, return_exceptions=True)
        assert asker.cancelled()
        assert not batch.taken
        return await batch.answer("key")

    assert asyncio.run(scenario()).text == "kept"


@both
def test_lost_looks_at_a_batch_do_not_lose_it(make: Maker, tmp_path: Path) -> None:
    years = Reply.error(429, Retry_After="999999999999")
    replies = [Reply(manner="drop"), Reply.error(500), years, Reply(200, b"{"), Reply(manner="truncate")]

    def now_and_then(method: str, path: str) -> Reply | None:
        return replies.pop() if replies and method == "GET" and "_0" in path else None

    with BatchServer() as server:
        server.intercept = now_and_then
        [answer] = ask(make(server, tmp_path), prompt())
        assert len(server.batches) == 1
    assert not replies
    assert isinstance(answer, Completion)


@both
def test_results_whose_download_breaks_off_are_fetched_again(make: Maker, tmp_path: Path) -> None:
    broken = [Reply(200, b'{"custom_id"', manner="truncate"), Reply.error(503)]

    def first_times(_: str, path: str) -> Reply | None:
        return broken.pop() if broken and ("answers-of" in path or "results" in path) else None

    with BatchServer() as server:
        server.intercept = first_times
        [answer] = ask(make(server, tmp_path), prompt())
    assert not broken
    assert isinstance(answer, Completion)


@both
def test_results_that_the_provider_has_deleted_are_asked_for_again(make: Maker, tmp_path: Path) -> None:
    with BatchServer() as server:
        server.intercept = lambda _, path: Reply.error(404) if "-of-" in path or "results" in path else None
        [error] = ask(make(server, tmp_path), prompt())
    assert type(error) is Transient
    assert error.may_be_billed
    assert not list(tmp_path.glob("*.jsonl"))


@both
def test_a_batch_that_takes_too_long_is_cancelled_and_what_it_has_is_kept(make: Maker, tmp_path: Path) -> None:
    with BatchServer() as server:
        server.states = ["validating", "in_progress", "in_progress"]
        expired = Outcome(status=0, error="it was cancelled")
        server.outcome = lambda _, body: expired if question(body) == "question 1" else Outcome()
        answer, error = ask(make(server, tmp_path, longest_hours=1e-9), prompt(0), prompt(1))
        assert server.batches[0].cancelled
    assert isinstance(answer, Completion)
    assert type(error) is Transient


@both
def test_a_batch_that_somebody_else_cancels_ends_the_run(make: Maker, tmp_path: Path) -> None:
    with BatchServer() as server:
        server.states = ["in_progress", "cancelled"]
        expired = Outcome(status=0, error="it was cancelled")
        server.outcome = lambda _, body: expired if question(body) == "question 1" else Outcome()
        answer, error = ask(make(server, tmp_path), prompt(0), prompt(1))
    assert isinstance(answer, Completion)
    assert type(error) is Fatal
    assert "cancelled" in str(error)


@both
def test_the_user_is_told_what_becomes_of_a_batch(make: Maker, tmp_path: Path) -> None:
    told: list[str] = []
    with BatchServer() as server:
        generator = make(server, tmp_path)
        generator.on_message = told.append
        ask(generator, prompt(0), prompt(1))
        name = server.batches[0].id
    assert told[0] == f"batch {name}: 2 prompts are under way"
    assert told[-1] in (f"batch {name}: completed", f"batch {name}: ended")


def test_a_prompt_that_no_batch_can_hold_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("genre_generators.openai_batches.OpenAIBatches.most_bytes", 1_000)
    long = prompt(schema={"type": "object", "description": "x" * 2_000})
    with BatchServer() as server:
        answer, error = ask(openai(server, tmp_path), prompt(), long)
    assert isinstance(answer, Completion)
    assert type(error) is Refused


def test_a_batch_holds_no_more_bytes_than_it_may(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("genre_generators.openai_batches.OpenAIBatches.most_bytes", 1_000)
    with BatchServer() as server:
        ask(openai(server, tmp_path), *map(prompt, range(4)))
        assert len(server.batches) == 2
        assert all(len(file) <= 1_000 for file in server.files.values())


def test_the_provider_s_own_address_needs_its_usual_key(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    [error] = ask(openai_batch(OpenAIBatchOptions(model="gpt-4o-mini", journal=tmp_path)), prompt())
    assert isinstance(error, UsageError)
    assert "OPENAI_API_KEY" in str(error)


def test_another_address_is_sent_no_usual_key(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    with BatchServer() as server:
        ask(openai(server, tmp_path), prompt())
        assert KEY not in str(server.headers)


@both
def test_a_missing_key_is_told_before_the_first_prompt(make: Maker, tmp_path: Path) -> None:
    with BatchServer() as server, pytest.raises(UsageError, match="NO_SUCH_KEY"):
        make(server, tmp_path, api_key=Secret("NO_SUCH_KEY"))


def test_prices_are_those_of_batches(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    usual: dict[str, Any] = {"input_cost_per_token": 4e-6, "output_cost_per_token": 8e-6}
    listed = SimpleNamespace(model_cost={"half": usual, "own": {**usual, "output_cost_per_token_batches": 3e-6}})
    monkeypatch.setattr("genre_generators.batch_prices.import_litellm", lambda: listed)
    prices = {name: openai_batch(OpenAIBatchOptions(model=name)).price for name in ("half", "own", "unknown")}
    assert prices["half"] is not None
    assert prices["own"] is not None
    assert attrs.astuple(prices["half"]) == pytest.approx((2, 4))
    assert attrs.astuple(prices["own"]) == pytest.approx((2, 3))
    assert prices["unknown"] is None
    with BatchServer() as server:
        assert openai(server, tmp_path, model="half").price is None


@pytest.mark.slow
def test_litellm_s_list_has_prices_of_batches() -> None:
    """In a process of its own: whoever imports litellm first decides what warnings it gives later."""
    code = "from genre_generators.batch_prices import listed_batch_price\nprint(listed_batch_price('gpt-4o-mini'))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "Price(prompt=0.075, completion=0.3)"
