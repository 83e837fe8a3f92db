"""What crosses the borders of processes is plain data, and comes back as it was."""

import json
import math
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from genre.errors import GenreError, RunError, RunVetoed, UsageError
from genre.generation import StoredAnswer
from genre.parts import Completion, Message, Prompt, Sampling, Usage
from genre.settings import Layer, Settings
from genre_executors.ray_rows import (
    answer_from,
    answer_text,
    error_of,
    failure_of,
    prompt_from,
    prompt_text,
    sent_layers,
    settings_from,
)

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


@pytest.mark.parametrize("error", [UsageError("a", where="b", remedy="c"), RunError("a"), RunVetoed("no")])
def test_an_error_says_the_same_on_the_other_side(error: GenreError) -> None:
    again = error_of(failure_of(error))
    assert str(again) == str(error)
    assert again.exit_code == error.exit_code


def test_nothing_but_plugins_and_the_generators_that_are_asked_leaves_the_machine() -> None:
    said = {
        "plugins": {"disabled": ["task/x"]},
        "generators": {"asked": {"model": "m", "api_key": {"env": "KEY"}}, "other": {"api_key": "sk-in-clear-text"}},
        "tasks": {"t": {"template": "private"}},
    }
    [(origin, data, path)] = sent_layers(Settings((Layer("project", said),)), {"asked"})
    assert (origin, path) == ("project", None)
    assert data == {"plugins": said["plugins"], "generators": {"asked": said["generators"]["asked"]}}
    assert "sk-in" not in json.dumps(data)


def test_a_key_in_clear_text_that_a_higher_file_replaces_does_not_leave_the_machine() -> None:
    mine = Layer("user", {"generators": {"g": {"plugin": "litellm", "api_key": "sk-in-clear-text"}}})
    ours = Layer("project", {"generators": {"g": {"model": "m", "api_key": {"env": "KEY"}}}})
    settings = Settings((mine, ours))
    sent = sent_layers(settings, {"g"})
    assert "sk-in" not in json.dumps(sent)
    assert settings_from(sent).table("generators") == settings.table("generators")


def test_relative_paths_refer_to_the_same_file_on_the_other_side() -> None:
    settings = Settings((Layer("project", {"generators": {"g": {}}}, Path("/here/registry.toml")),))
    assert settings_from(sent_layers(settings, {"g"})) == settings
