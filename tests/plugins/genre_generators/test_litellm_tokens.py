"""The generator `litellm` counts the tokens of prompts for estimates, and asks nobody."""

from pathlib import Path

import attrs
import pytest

from genre.parts import Message, Prompt, Sampling
from genre_generators.litellm_options import LiteLLMOptions
from genre_generators.litellm_provider import LiteLLMGenerator

PROMPT = Prompt("t", "N1", 0, (Message("user", "The last wild coast. <|endoftext|>"),), Sampling(max_tokens=10))


@pytest.fixture(autouse=True)
def offline(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever connects to anything fails."""

    def refuse(*_: object) -> None:
        raise AssertionError("an estimate asks nobody")

    monkeypatch.setattr("socket.socket.connect", refuse)
    monkeypatch.setattr("socket.getaddrinfo", refuse)


def counted(model: str, prompt: Prompt = PROMPT, **options: object) -> int | None:
    return LiteLLMGenerator(LiteLLMOptions(model, **options)).count_tokens(prompt)  # type: ignore[arg-type]


@pytest.mark.parametrize("model", ["openai/gpt-4o-mini", "gpt-4o-mini"])
def test_the_tokens_of_openai_s_models_are_counted(model: str) -> None:
    tokens = counted(model)
    assert tokens is not None
    assert 8 < tokens < len(PROMPT.messages[0].content)


def test_the_schema_is_counted_too() -> None:
    with_schema = attrs.evolve(PROMPT, schema={"type": "object", "properties": {"title": {"type": "string"}}})
    assert (counted("openai/gpt-4o-mini", with_schema) or 0) > (counted("openai/gpt-4o-mini") or 0) + 8


@pytest.mark.parametrize("model", ["anthropic/claude-haiku-4-5", "ollama/llama3", "huggingface/meta-llama/Llama-3-8B"])
def test_other_providers_tokenizers_are_not_fetched(model: str) -> None:
    assert counted(model) is None


def test_another_server_s_model_may_have_any_tokenizer() -> None:
    assert counted("openai/mine", api_base="http://127.0.0.1:9/v1") is None


def test_nothing_is_written_where_it_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    counted("openai/gpt-4o-mini")
    assert not list(tmp_path.iterdir())
