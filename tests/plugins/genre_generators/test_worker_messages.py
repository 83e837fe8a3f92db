"""What a worker process and its parent tell each other."""

from hypothesis import given
from hypothesis import strategies as st

from genre.errors import UsageError
from genre.parts import (
    Completion,
    Fatal,
    GenerationError,
    Message,
    Prompt,
    RateLimited,
    Refused,
    Sampling,
    Transient,
    Usage,
)
from genre_generators.litellm_workers import read_completion, read_prompt, told_completion, told_prompt
from genre_generators.worker_lines import MOST_TOGETHER, Lines, Outbox, encoded
from genre_generators.worker_messages import Configuration, beginning, failure, read_beginning, read_failure

PROMPT = Prompt("task", "S", 3, (Message("system", "Be brief."), Message("user", "?")), Sampling(9, 0.5, 0.25), retry=2)


def test_a_worker_draws_with_the_seed_of_the_prompt() -> None:
    assert read_prompt(told_prompt(PROMPT), None).seed == PROMPT.seed


def test_a_worker_is_told_all_that_a_call_depends_on() -> None:
    schema = {"type": "object"}
    read = read_prompt(told_prompt(PROMPT), schema)
    assert (read.messages, read.sampling, read.schema) == (PROMPT.messages, PROMPT.sampling, schema)


def test_an_answer_comes_back_whole() -> None:
    answer = Completion("a title", "small-1", "length", Usage(7, None))
    assert read_completion(told_completion(answer)) == answer


def test_each_error_comes_back_with_its_type_and_what_it_says() -> None:
    for error in (RateLimited("busy", 2.5), Transient("lost", may_be_billed=True), Refused("no"), Fatal("gone")):
        read = read_failure(failure(error))
        assert isinstance(read, GenerationError)
        assert (type(read), str(read), vars(read)) == (type(error), str(error), vars(error))


def test_a_worker_that_can_make_no_calls_says_why() -> None:
    error = read_beginning(beginning(UsageError("no key", where="registry.toml", remedy="set one")))
    assert error is not None
    assert (error.message, error.where, error.remedy) == ("no key", "registry.toml", "set one")
    assert read_beginning(beginning(None)) is None


def test_a_configuration_shows_no_key_when_it_is_printed() -> None:
    told = Configuration("chat", {"model": "m"}, "sk-very-secret")
    assert "sk-very-secret" not in repr(told)
    assert Configuration.read(told.line()) == told


@given(st.lists(st.lists(st.text(st.characters(codec=None)), min_size=1), max_size=8), st.integers(1, 50))
def test_messages_arrive_whole_however_they_are_cut(messages: list[list[str]], size: int) -> None:
    sent = b"".join(encoded([message]) for message in messages)
    lines = Lines()
    pieces = (sent[start : start + size] for start in range(0, len(sent), size))
    assert [message for piece in pieces for message in lines.feed(piece)] == messages


@given(st.binary())
def test_any_body_arrives_whole(body: bytes) -> None:
    [said] = Lines().feed(encoded([[0, [200, None, body.decode("utf-8", "surrogateescape")]]]))
    assert said[1][2].encode("utf-8", "surrogateescape") == body


def test_what_is_said_in_one_turn_is_sent_together_and_in_order() -> None:
    soon, writes = [], []
    outbox = Outbox(soon.append, writes.append)
    messages = [[number] for number in range(MOST_TOGETHER + 3)]
    for message in messages:
        outbox.put(message)
    for flush in soon:
        flush()
    assert len(writes) == 2
    assert Lines().feed(b"".join(writes)) == messages
