"""A loopback server that speaks the chat protocols of OpenAI and of Anthropic by a script: tests meet real HTTP.

    with ChatServer(lambda request: Reply.answer("hello")) as server:
        ...  # server.base_url is "http://127.0.0.1:PORT/v1"
    assert len(server.requests) == 1

The script is called once for each request, in the server's own thread, with the request's JSON and its number from 0;
what it returns is what the client sees. It may look at `server.requests` to count.
"""

import asyncio
import json
import threading
from collections.abc import Callable, Mapping
from types import TracebackType
from typing import Any, Literal, Self

import attrs
from aiohttp import web


@attrs.frozen
class Request:
    """What a client asked: number from 0, body, headers (names in lower case), and path."""

    number: int
    body: Mapping[str, Any]
    headers: Mapping[str, str]
    path: str = "/v1/chat/completions"

    @property
    def user_text(self) -> str:
        """The last message."""
        return str(self.body["messages"][-1]["content"])


@attrs.frozen
class Reply:
    """What a client gets.

    Attributes:
        status, body, headers: the reply.
        manner: `"whole"`; `"drop"` closes the connection without a reply; `"truncate"` promises a longer body than it
            sends; `"hang"` answers nothing, and `"stall"` sends the body as the first part of an endless reply, until
            the client gives up or the server stops.
    """

    status: int = 200
    body: bytes = b""
    headers: Mapping[str, str] = attrs.field(factory=dict)
    manner: Literal["whole", "drop", "truncate", "hang", "stall"] = "whole"

    @classmethod
    def answer(
        cls,
        text: str | None,
        *,
        finish: str | None = "stop",
        model: str = "scripted-1",
        tokens: tuple[int, int] = (7, 3),
        **message: Any,
    ) -> "Reply":
        """A chat completion with this text, of so many tokens in and out; `message` adds fields to its message."""
        return cls.of(
            {
                "id": "chatcmpl-1",
                "object": "chat.completion",
                "created": 0,
                "model": model,
                "choices": [
                    {
                        "index": 0,
                        "finish_reason": finish,
                        "message": {"role": "assistant", "content": text, **message},
                    }
                ],
                "usage": {
                    "prompt_tokens": tokens[0],
                    "completion_tokens": tokens[1],
                    "total_tokens": sum(tokens),
                },
            }
        )

    @classmethod
    def anthropic(cls, text: str, *, model: str = "scripted-2") -> "Reply":
        """A message of Anthropic's protocol with this text."""
        return cls.of(
            {
                "id": "msg_1",
                "type": "message",
                "role": "assistant",
                "model": model,
                "content": [{"type": "text", "text": text}],
                "stop_reason": "end_turn",
                "stop_sequence": None,
                "usage": {"input_tokens": 7, "output_tokens": 3},
            }
        )

    @classmethod
    def error(cls, status: int, message: str = "scripted error", **headers: str) -> "Reply":
        """An error in OpenAI's form. Headers are written with underscores: `Retry_After="2"`."""
        body = {"error": {"message": message, "type": "scripted", "param": None, "code": None}}
        return cls.of(body, status, {name.replace("_", "-"): value for name, value in headers.items()})

    @classmethod
    def of(cls, value: object, status: int = 200, headers: Mapping[str, str] | None = None) -> "Reply":
        """Any JSON value."""
        return cls(status, json.dumps(value).encode(), {"Content-Type": "application/json", **(headers or {})})


Script = Callable[[Request], Reply]


class ChatServer:
    """Serves `POST /v1/chat/completions` and `/v1/messages` on 127.0.0.1 and a free port while the `with` block runs.

    Args:
        script: what each request gets; default: the answer "hello".
        latency: seconds that each takes, without which few calls would be under way at once.

    Attributes:
        requests: what was asked so far, in the order of arrival.
        most_in_flight: the largest number of requests that were open at once.
    """

    def __init__(self, script: Script | None = None, *, latency: float = 0.0) -> None:
        self._latency = latency
        self.script: Script = script or (lambda _: Reply.answer("hello"))
        self.requests: list[Request] = []
        self.most_in_flight = 0
        self._in_flight = 0
        self._port = 0
        self._loop = asyncio.new_event_loop()
        self._stop = asyncio.Event()
        self._gone = asyncio.Event()
        self._ready = threading.Event()
        self._thread = threading.Thread(target=self._run, name="chat-server", daemon=True)

    @property
    def base_url(self) -> str:
        """Address up to and including `/v1`."""
        return f"http://127.0.0.1:{self._port}/v1"

    @property
    def address(self) -> str:
        """Address without `/v1`."""
        return f"http://127.0.0.1:{self._port}"

    def die(self) -> None:
        """Stop listening, and cut off whoever is connected. May be called from the script."""
        self._loop.call_soon_threadsafe(self._gone.set)

    def __enter__(self) -> Self:
        self._thread.start()
        assert self._ready.wait(30), "the server did not start"
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.die()
        self._loop.call_soon_threadsafe(self._stop.set)  # the last: its thread closes the loop
        self._thread.join(30)
        assert not self._thread.is_alive(), "the server did not stop"

    def _run(self) -> None:
        try:
            self._loop.run_until_complete(self._serve())
        finally:
            self._loop.close()

    async def _serve(self) -> None:
        app = web.Application(client_max_size=256 << 20)
        self.add_routes(app)
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1, handler_cancellation=True)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        self._port = runner.addresses[0][1]
        self._ready.set()
        await self._gone.wait()
        await runner.cleanup()
        await self._stop.wait()

    def add_routes(self, app: web.Application) -> None:
        """What is served."""
        app.router.add_post("/v1/chat/completions", self._handle)
        app.router.add_post("/v1/messages", self._handle)

    async def _handle(self, http: web.Request) -> web.StreamResponse:
        headers = {name.lower(): value for name, value in http.headers.items()}
        request = Request(len(self.requests), await http.json(), headers, http.path)
        self.requests.append(request)
        self._in_flight += 1
        self.most_in_flight = max(self.most_in_flight, self._in_flight)
        try:
            reply = self.script(request)
            if self._latency:
                await asyncio.sleep(self._latency)
            return await self._reply(http, reply)
        finally:
            self._in_flight -= 1

    async def _reply(self, http: web.Request, reply: Reply) -> web.StreamResponse:
        assert http.transport is not None
        if reply.manner == "hang":
            await self._gone.wait()
        if reply.manner in ("hang", "drop"):
            http.transport.abort()
            return web.Response()
        if reply.manner == "truncate":
            response = web.StreamResponse(status=reply.status, headers=reply.headers)
            response.content_length = len(reply.body) + 100
            await response.prepare(http)
            await response.write(reply.body)
            http.transport.close()
            return response
        if reply.manner == "stall":
            response = web.StreamResponse(status=reply.status, headers=reply.headers)
            await response.prepare(http)
            await response.write(reply.body)
            await self._gone.wait()
            http.transport.abort()
            return response
        return web.Response(status=reply.status, body=reply.body, headers=reply.headers)
