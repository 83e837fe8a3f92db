"""Chat-completions requests that worker processes post: texts go there and come back, and are made and read here."""

from typing import TYPE_CHECKING, Any, Final, cast

from genre_generators.chat_http import ChatHttp, Reply, failures_of
from genre_generators.worker_lines import Said
from genre_generators.worker_pool import WorkerPool

if TYPE_CHECKING:
    from genre.parts import Json
    from genre_generators.openai_compatible_options import OpenAICompatibleOptions
    from genre_generators.worker_messages import Answer

_BYTES: Final = ("utf-8", "surrogateescape")
"""How a body passes as text, whatever bytes it has."""


class ChatHttpWorkers:
    """Posts as `ChatHttp` does.

    Args:
        key: the value of the option `api_key`, None without it.
        most_in_flight: calls that all workers together may have under way; None for as many as they are asked.
    """

    def __init__(self, options: "OpenAICompatibleOptions", key: str | None, most_in_flight: int | None) -> None:
        self._pool = WorkerPool("chat", options, key, most_in_flight)

    async def post(self, request: bytes) -> Reply:
        """Post one request, a JSON object in UTF-8.

        Raises:
            GenerationError: there is no reply, or too long a one; `Transient` when the worker died.
            UsageError: before any call: a worker cannot begin.
        """
        parts: list[Any] = await self._pool.ask([request.decode()])
        status, retry_after, body = parts
        return Reply(status, retry_after, body.encode(*_BYTES))

    def send_no_more(self) -> None:
        """Send nothing of what waits in the workers: such posts raise `Transient`."""
        self._pool.send_no_more()

    async def aclose(self) -> None:
        """End the processes; a later call starts others."""
        await self._pool.aclose()


def posting(options: "OpenAICompatibleOptions", key: str | None) -> "Answer":
    """What a worker does."""
    http = ChatHttp(options.base_url, failures_of(options, key))

    async def post(said: Said, _: "Json") -> Said:
        reply = await http.post(cast(str, said[0]).encode())
        return [reply.status, reply.retry_after, reply.body.decode(*_BYTES)]

    return post
