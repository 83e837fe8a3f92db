"""A worker process: prompts come on its standard input, outcomes go to its standard output.

It ends when its standard input does, so none outlives its parent, however that ends. An interrupt from the terminal is
the parent's to handle: answers under way have to come through until the parent has stored them.
"""

import asyncio
import gc
import os
import signal
from collections.abc import Awaitable, Callable, Mapping
from typing import BinaryIO, Final, TypeAlias

from genre.errors import UsageError
from genre.options import structure
from genre.parts import Completion, Fatal, GenerationError, Prompt
from genre_generators.chat_errors import plain
from genre_generators.worker_lines import Lines, Outbox, encoded
from genre_generators.worker_messages import Configuration, Schema, beginning, outcome, read_question

Complete: TypeAlias = Callable[[Prompt], Awaitable[Completion]]
"""Makes one call; it raises nothing but GenerationError."""


def _litellm(told: Configuration) -> Complete:
    from genre_generators.litellm_caller import LiteLLMCaller
    from genre_generators.litellm_options import LiteLLMOptions

    caller = LiteLLMCaller(structure(told.options, LiteLLMOptions, "worker"), told.key)
    caller.start()
    return caller.complete


def _chat(told: Configuration) -> Complete:
    from genre_generators.chat_client import ChatClient
    from genre_generators.openai_compatible import OpenAICompatibleOptions

    return ChatClient.of(structure(told.options, OpenAICompatibleOptions, "worker"), told.key).complete


_CALLERS: Final[Mapping[str, Callable[[Configuration], Complete]]] = {"litellm": _litellm, "chat": _chat}


def caller(told: Configuration) -> Complete:
    """Who makes the calls; only its own libraries are loaded.

    Raises:
        UsageError: it can make none.
    """
    return _CALLERS[told.caller](told)


def main() -> None:
    """Serve the parent until it closes its end."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    # What libraries print goes to the standard error; only outcomes go to the parent.
    answers = os.fdopen(os.dup(1), "wb", buffering=0)
    os.dup2(2, 1)
    questions = os.fdopen(0, "rb", buffering=0)  # unbuffered: it must not read ahead
    told = Configuration.read(questions.readline())
    gc.set_threshold(*told.collect)
    try:
        complete = caller(told)
    except UsageError as error:
        answers.write(encoded([beginning(error)]))
        return
    # What libraries made, litellm half a million objects, stays: no collection has to look at it again.
    gc.freeze()
    answers.write(encoded([beginning(None)]))
    asyncio.run(_serve(complete, questions, answers))


async def _serve(complete: Complete, questions: BinaryIO, answers: BinaryIO) -> None:
    loop = asyncio.get_running_loop()
    transport, _ = await loop.connect_write_pipe(asyncio.BaseProtocol, answers)
    await loop.connect_read_pipe(lambda: _Worker(complete, Outbox(loop.call_soon, transport.write)), questions)
    await asyncio.Event().wait()


class _Worker(asyncio.Protocol):
    """Makes a call of each question, and one outcome of each call."""

    def __init__(self, complete: Complete, outbox: Outbox) -> None:
        self._complete = complete
        self._outbox = outbox
        self._lines = Lines()
        self._schema: Schema = None
        self._calls: dict[int, asyncio.Task[None]] = {}

    def data_received(self, data: bytes) -> None:
        """Begin or cancel calls."""
        for said in self._lines.feed(data):
            number = said[0]
            if number is None:
                self._schema = said[1]
            elif len(said) > 1:
                self._calls[number] = asyncio.create_task(self._answer(number, read_question(said, self._schema)))
            elif (call := self._calls.pop(number, None)) is not None:
                call.cancel()

    def connection_lost(self, _: Exception | None) -> None:
        """The parent has closed its end or is no more: nobody waits for the calls under way."""
        os._exit(0)

    async def _answer(self, number: int, prompt: Prompt) -> None:
        self._outbox.put(outcome(number, await self._outcome(prompt)))
        self._calls.pop(number, None)

    async def _outcome(self, prompt: Prompt) -> Completion | GenerationError:
        try:
            return await self._complete(prompt)
        except GenerationError as error:
            return error
        except Exception as error:  # noqa: BLE001  the parent has to be told whatever it is
            return Fatal(f"a worker process failed: {plain(f'{type(error).__name__}: {error}')}")


if __name__ == "__main__":
    main()
