"""A worker process of the generator `litellm`: prompts come on its standard input, outcomes go to its standard output.

It ends when its standard input does, so none outlives its parent, however that ends. An interrupt from the terminal is
the parent's to handle: answers under way have to come through until the parent has stored them.
"""

import asyncio
import functools
import gc
import json
import os
import signal
from typing import BinaryIO

from genre.errors import UsageError
from genre.parts import Completion, Fatal, GenerationError
from genre_generators.chat_errors import plain
from genre_generators.litellm_caller import LiteLLMCaller
from genre_generators.litellm_messages import (
    Line,
    Lines,
    Outbox,
    encoded,
    outcome_line,
    read_configuration,
    read_prompt,
)


def main() -> None:
    """Serve the parent until it closes its end."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    # What litellm prints goes to the standard error; only outcomes go to the parent.
    answers = os.fdopen(os.dup(1), "wb", buffering=0)
    os.dup2(2, 1)
    questions = os.fdopen(0, "rb", buffering=0)  # unbuffered: it must not read ahead
    options, key = read_configuration(json.loads(questions.readline()))
    caller = LiteLLMCaller(options, key)
    try:
        caller.start()
    except UsageError as error:
        answers.write(encoded(outcome_line(error)))
        return
    # litellm's half a million objects stay as long as the process; no collection has to look at them again.
    gc.freeze()
    answers.write(encoded({"ready": os.getpid()}))
    asyncio.run(_serve(caller, questions, answers))


async def _serve(caller: LiteLLMCaller, questions: BinaryIO, answers: BinaryIO) -> None:
    loop = asyncio.get_running_loop()
    transport, _ = await loop.connect_write_pipe(asyncio.BaseProtocol, answers)
    await loop.connect_read_pipe(lambda: _Worker(caller, Outbox(loop.call_soon, transport.write)), questions)
    await asyncio.Event().wait()


class _Worker(asyncio.Protocol):
    """Makes a call of each prompt, and one outcome of each call."""

    def __init__(self, caller: LiteLLMCaller, outbox: Outbox) -> None:
        self._caller = caller
        self._outbox = outbox
        self._lines = Lines()
        self._calls: dict[int, asyncio.Task[None]] = {}

    def data_received(self, data: bytes) -> None:
        """Begin or cancel calls."""
        for line in self._lines.feed(data):
            number = line["id"]
            if "prompt" in line:
                call = self._calls[number] = asyncio.create_task(self._answer(number, line["prompt"]))
                call.add_done_callback(functools.partial(self._forget, number))
            elif number in self._calls:
                self._calls[number].cancel()

    def connection_lost(self, _: Exception | None) -> None:
        """The parent has closed its end or is no more: nobody waits for the calls under way."""
        os._exit(0)

    def _forget(self, number: int, _: "asyncio.Task[None]") -> None:
        del self._calls[number]

    async def _answer(self, number: int, prompt: Line) -> None:
        self._outbox.put({"id": number, **outcome_line(await self._outcome(prompt))})

    async def _outcome(self, prompt: Line) -> Completion | GenerationError:
        try:
            return await self._caller.complete(read_prompt(prompt))
        except GenerationError as error:
            return error
        except Exception as error:  # noqa: BLE001  the parent has to be told whatever it is
            return Fatal(f"a worker process failed: {plain(f'{type(error).__name__}: {error}')}")


if __name__ == "__main__":
    main()
