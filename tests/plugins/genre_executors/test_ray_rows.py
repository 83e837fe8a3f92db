"""What crosses the borders of processes is plain data, and comes back as it was."""

import math

from hypothesis import given
from hypothesis import strategies as st

from genre.generation import StoredAnswer
from genre.parts import Completion, Message, Prompt, Sampling, Usage
from genre_executors.ray_rows import answer_from, answer_text, prompt_from, prompt_text

texts = st.text(max_size=20)  # any character, unpaired surrogates among them
prompts = st.builds(
    Prompt,
    task=texts,
    subject=texts,
    draw=st.integers(0, 9),
    messages=st.lists(st.builds(Message, st.sampled_from(["system", "user", "assistant"]), texts)).map(tuple),
    sampling=st.builds(Sampling, st.integers(1, 99), st.one_of(st.just(0), st.floats(0, 2)), st.just(1)),
    schema=st.one_of(st.none(), st.just({"type": "object", "required": ["é"], "minimum": 0.5})),
    version=texts,
    user=st.one_of(st.none(), texts),
)
answers = st.builds(
    StoredAnswer,
    key=st.binary(min_size=1, max_size=20),
    state=st.sampled_from(["ok", "refused", "truncated", "failed"]),
    completion=st.builds(
        Completion,
        texts,
        texts,
        st.sampled_from(["stop", "length"]),
        st.builds(Usage, st.one_of(st.none(), st.integers()), st.one_of(st.none(), st.integers())),
    ),
    task=texts,
    subject=texts,
    draw=st.integers(0, 9),
    generator=texts,
    endpoint=texts,
    template=texts,
    question=st.one_of(st.none(), st.binary(min_size=1, max_size=20)),
    cost=st.one_of(st.none(), st.floats(0, 1e9), st.just(math.inf)),
    identity=texts,
)


@given(prompts)
def test_a_prompt_comes_back_as_it_was(prompt: Prompt) -> None:
    text = prompt_text(prompt)
    assert text.isascii()
    assert prompt_from(text) == prompt


@given(prompts)
def test_numbers_keep_their_kind_for_they_are_part_of_a_key(prompt: Prompt) -> None:
    assert type(prompt_from(prompt_text(prompt)).sampling.temperature) is type(prompt.sampling.temperature)


@given(answers)
def test_an_answer_comes_back_as_it_was(answer: StoredAnswer) -> None:
    text = answer_text(answer)
    assert text.isascii()
    assert answer_from(text) == answer
