"""A worker process: questions come on its standard input, outcomes go to its standard output.

It ends when its standard input does, so none outlives its parent, however that ends. An interrupt from the terminal is
the parent's to handle: answers under way have to come through until the parent has stored them.
"""

import asyncio
import gc
import os
import signal
import sys
from collections.abc import Callable, Coroutine, Mapping
from typing import Any, BinaryIO, Final

from genre.errors import UsageError
from genre.options import structure
from genre.parts import Fatal, GenerationError, Json, Transient
from genre_generators.chat_errors import plain, without_keys
from genre_generators.worker_lines import Lines, Outbox, Said, encoded
from genre_generators.worker_messages import BEGIN_NO_MORE, Answer, Configuration, beginning, failure


def _litellm(told: Configuration) -> Answer:
    from genre_generators.litellm_options import LiteLLMOptions
    from genre_generators.litellm_workers import answering

    return answering(structure(told.options, LiteLLMOptions, "worker"), told.key)


def _chat(told: Configuration) -> Answer:
    from genre_generators.chat_http_workers import posting
    from genre_generators.openai_compatible_options import OpenAICompatibleOptions

    return posting(structure(told.options, OpenAICompatibleOptions, "worker"), told.key)


_CALLERS: Final[Mapping[str, Callable[[Configuration], Answer]]] = {"litellm": _litellm, "chat": _chat}


def caller(told: Configuration) -> Answer:
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
        answer = caller(told)
    except UsageError as error:
        answers.write(encoded([beginning(error)]))
        return
    run = _runner()
    # What libraries made, litellm half a million objects, stays: no collection has to look at it again.
    gc.freeze()
    answers.write(encoded([beginning(None)]))
    run(_serve(told, answer, questions, answers))


def _runner() -> Callable[[Coroutine[Any, Any, None]], None]:
    """What runs the quicker event loop where there is one: a tenth more calls a second."""
    try:
        import uvloop
    except ImportError:  # there is none for Windows
        return asyncio.run
    return uvloop.run


async def _serve(told: Configuration, answer: Answer, questions: BinaryIO, answers: BinaryIO) -> None:
    loop = asyncio.get_running_loop()
    transport, _ = await loop.connect_write_pipe(asyncio.BaseProtocol, answers)
    await loop.connect_read_pipe(lambda: _Worker(told, answer, Outbox(loop.call_soon, transport.write)), questions)
    await asyncio.Event().wait()


class _Worker(asyncio.Protocol):
    """Makes a call of each question, and one outcome of each call."""

    def __init__(self, told: Configuration, answer: Answer, outbox: Outbox) -> None:
        self._key = told.key
        self._places = asyncio.Semaphore(told.most_in_flight or sys.maxsize)
        self._answer = answer
        self._outbox = outbox
        self._lines = Lines()
        self._shared: Json = None
        self._calls: dict[int, asyncio.Task[None]] = {}
        self._latest = self._taken_back = -1  # numbers of questions, which only grow

    def data_received(self, data: bytes) -> None:
        """Begin or cancel calls."""
        messages: list[list[Any]] = self._lines.feed(data)
        for said in messages:
            number = said[0]
            if said == BEGIN_NO_MORE:
                self._taken_back = self._latest
            elif number is None:
                self._shared = said[1]
            elif len(said) > 1:
                self._latest = number
                self._calls[number] = asyncio.create_task(self._call(number, said[1], self._shared))
            elif (call := self._calls.pop(number, None)) is not None:
                call.cancel()

    def connection_lost(self, _: Exception | None) -> None:
        """The parent has closed its end or is no more: nobody waits for the calls under way."""
        os._exit(0)

    def _begun(self, number: int) -> Answer:
        """What answers a question whose turn has come.

        Raises:
            Transient: it was taken back meanwhile.
        """
        if number <= self._taken_back:
            raise Transient("the question was taken back before it was sent")
        return self._answer

    async def _call(self, number: int, question: Said, shared: Json) -> None:
        said: Said
        try:
            async with self._places:
                said = [number, await self._begun(number)(question, shared)]
        except GenerationError as error:
            said = [number, None, failure(error)]
        except Exception as error:  # noqa: BLE001  the parent has to be told whatever it is
            words = plain(without_keys(f"{type(error).__name__}: {error}", self._key))
            said = [number, None, failure(Fatal(f"a worker process failed: {words}", may_be_billed=True))]
        self._outbox.put(said)
        self._calls.pop(number, None)


if __name__ == "__main__":
    main()
