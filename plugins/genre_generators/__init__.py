"""Generators: any provider, any OpenAI-compatible server, a small LLM inside this process, and recordings."""

from collections.abc import Iterator

from genre import hookimpl
from genre.parts import Part


@hookimpl
def genre_generators() -> Iterator[Part]:
    """Who answers prompts."""
    yield Part(
        name="local",
        summary="A small LLM inside this process: no key, no network; any other GGUF file by its path",
        target="genre_generators.local:LocalGenerator",
        options="genre_generators.local:LocalOptions",
    )
    yield Part(
        name="openai-compatible",
        summary="Any server that speaks /v1/chat/completions: vLLM, llama.cpp, Ollama, TGI",
        target="genre_generators.openai_compatible:OpenAICompatibleGenerator",
        options="genre_generators.openai_compatible_options:OpenAICompatibleOptions",
    )
    yield Part(
        name="litellm",
        summary="Any provider that litellm knows; structured answers where the provider has them",
        target="genre_generators.litellm_provider:LiteLLMGenerator",
        options="genre_generators.litellm_options:LiteLLMOptions",
    )
    yield Part(
        name="openai-batch",
        summary="OpenAI's batch API, and servers that speak it: answers within a day, at half the price",
        target="genre_generators.openai_batch:openai_batch",
        options="genre_generators.openai_batch:OpenAIBatchOptions",
    )
    yield Part(
        name="anthropic-batch",
        summary="Anthropic's Message Batches: answers within a day, at half the price",
        target="genre_generators.anthropic_batch:anthropic_batch",
        options="genre_generators.anthropic_batch:AnthropicBatchOptions",
    )
    yield Part(
        name="replay",
        summary="Answers recorded in JSONL files, looked up by subject or user and draw",
        target="genre_generators.replay:ReplayGenerator",
        options="genre_generators.replay:ReplayOptions",
    )
    yield Part(
        name="mix",
        summary="Several generators for one round: by weight, by task, and one for another when it is down",
        target="genre_generators.mix:Mix",
        options="genre_generators.mix:MixOptions",
    )
