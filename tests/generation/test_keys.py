"""Keys are hashes of canonical JSON, however that is written."""

import hashlib
from collections.abc import Mapping

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from genre.errors import RunError
from genre.generation.keys import KeyMaker
from genre.parts import Identity, Json, Message, Prompt, Sampling, canonical_json

WHO = Identity("small", "http://127.0.0.1/v1", {"top_k": 5})
TEXTS = st.text(st.characters(exclude_categories=["Cs"]))
CHATS = st.lists(st.builds(Message, st.sampled_from(["system", "user", "assistant"]), TEXTS)).map(tuple)


def hashed(value: object) -> bytes:
    return hashlib.blake2b(canonical_json(value).encode(), digest_size=20).digest()


@given(CHATS, st.integers(0, 9), st.sampled_from([None, {"type": "object", "required": ["b", "a"]}]))
def test_a_key_is_the_hash_of_the_canonical_json_of_all_that_decides_the_answer(
    chat: tuple[Message, ...], draw: int, schema: Mapping[str, Json] | None
) -> None:
    prompt = Prompt("task", "N1", draw, chat, Sampling(9, 0.5), schema)
    keys = KeyMaker({"small": WHO}).keys(prompt, ["small"])
    asked = {
        "messages": [[message.role, message.content] for message in chat],
        "sampling": attrs.asdict(prompt.sampling),
        "schema": schema,
        "draw": draw,
    }
    answering = {"model": WHO.model, "endpoint": WHO.endpoint, "parameters": dict(WHO.parameters)}
    assert keys.question == hashed(asked)
    assert keys.answers == (hashed({**asked, **answering}),)


def test_half_of_a_surrogate_pair_has_no_key() -> None:
    prompt = Prompt("task", "N1", 0, (Message("user", "\ud83d"),), Sampling(9))
    with pytest.raises(RunError, match="'task' about 'N1' holds a lone surrogate"):
        KeyMaker({"small": WHO}).keys(prompt, ["small"])
