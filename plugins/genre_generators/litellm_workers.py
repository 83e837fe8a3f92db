"""Prompts that worker processes answer through litellm."""

from collections.abc import Mapping
from typing import Any, cast

from genre.parts import Completion, Json, Message, Prompt, Sampling, Usage
from genre_generators.litellm_caller import LiteLLMCaller
from genre_generators.litellm_options import LiteLLMOptions
from genre_generators.worker_lines import Said
from genre_generators.worker_messages import Answer
from genre_generators.worker_pool import WorkerPool


class LiteLLMWorkers:
    """Answers as `LiteLLMCaller` does.

    Args:
        key: the value of the option `api_key`, None without it.
    """

    def __init__(self, options: LiteLLMOptions, key: str | None) -> None:
        self._pool = WorkerPool("litellm", options, key)

    async def complete(self, prompt: Prompt) -> Completion:
        """Answer one prompt.

        Raises:
            GenerationError: one of its subclasses; `Transient` when the worker died.
            UsageError: before any call: an unknown provider, or no key for it.
        """
        schema = cast(Json, prompt.schema)  # one object for all prompts of a round: a worker is told it once
        return read_completion(await self._pool.ask(told_prompt(prompt), schema))

    async def aclose(self) -> None:
        """End the processes; a later call starts others."""
        await self._pool.aclose()


def answering(options: LiteLLMOptions, key: str | None) -> Answer:
    """What a worker does.

    Raises:
        UsageError: an unknown provider, or no key for it.
    """
    caller = LiteLLMCaller(options, key)
    caller.start()

    async def answer(said: Said, schema: Json) -> Said:
        return told_completion(await caller.complete(read_prompt(said, schema)))

    return answer


def told_prompt(prompt: Prompt) -> Said:
    """All of a prompt that a call depends on, but the schema."""
    sampling = prompt.sampling
    drawn = [sampling.max_tokens, sampling.temperature, sampling.top_p]
    return [prompt.draw, prompt.retry, drawn, [[each.role, each.content] for each in prompt.messages]]


def read_prompt(said: Said, schema: Json) -> Prompt:
    """The prompt, without what no call depends on."""
    parts: list[Any] = said
    draw, retry, drawn, messages = parts
    chat = tuple([Message(role, content) for role, content in messages])
    return Prompt("", "", draw, chat, Sampling(*drawn), cast(Mapping[str, Json] | None, schema), retry=retry)


def told_completion(completion: Completion) -> Said:
    """An answer as it is sent."""
    usage = completion.usage
    return [completion.text, completion.model, completion.finish, usage.prompt_tokens, usage.completion_tokens]


def read_completion(said: Said) -> Completion:
    """An answer as it was sent."""
    parts: list[Any] = said
    text, model, finish, prompt_tokens, completion_tokens = parts
    return Completion(text, model, finish, Usage(prompt_tokens, completion_tokens))
