"""A server on loopback that answers every chat after a fixed time: `python -m benchmarks.chat_server`.

It prints its port, a free one unless `--port` names it. `POST /reset` sets the counters back; `GET /counts` tells
them.
"""

import asyncio
import json
import math
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import cast

import click
import httptools
import uvloop

ANSWER = {
    "id": "chatcmpl-1",
    "object": "chat.completion",
    "created": 0,
    "model": "fixed",
    "choices": [
        {
            "index": 0,
            "finish_reason": "stop",
            "message": {"role": "assistant", "content": '{"title": "A better title"}'},
        }
    ],
    "usage": {"prompt_tokens": 100, "completion_tokens": 8, "total_tokens": 108},
}


class ChatServer:
    """Answers after `latency` seconds; refuses what is beyond `per_minute` with 429."""

    def __init__(self, latency: float, per_minute: float) -> None:
        self.latency = latency
        self.rate = per_minute / 60
        self.level = max(self.rate, 1.0)
        self.at = time.monotonic()
        self.counts = {"requests": 0, "limited": 0}
        self.completion = _reply("200 OK", ANSWER)

    def reply(self, path: bytes) -> tuple[bytes, float]:
        """What a request to `path` gets, and after how many seconds."""
        if path.endswith(b"/counts"):
            return _reply("200 OK", self.counts), 0.0
        if path.endswith(b"/reset"):
            self.counts = {"requests": 0, "limited": 0}
            self.level = max(self.rate, 1.0)
            return _reply("200 OK", {}), 0.0
        self.counts["requests"] += 1
        if self.rate and not self._admit():
            self.counts["limited"] += 1
            wait = math.ceil((1 - self.level) / self.rate)
            error = {"error": {"message": "rate limit", "type": "requests", "code": "rate_limit_exceeded"}}
            return _reply("429 Too Many Requests", error, f"Retry-After: {wait}\r\n"), 0.0
        return self.completion, self.latency

    def _admit(self) -> bool:
        """A token bucket with one second's worth."""
        now = time.monotonic()
        self.level = min(max(self.rate, 1.0), self.level + (now - self.at) * self.rate)
        self.at = now
        if self.level < 1.0:
            return False
        self.level -= 1.0
        return True


class Connection(asyncio.Protocol):
    """One client's connection: requests are read by httptools and answered later, so that the server costs little."""

    def __init__(self, server: ChatServer) -> None:
        self._server = server
        self._parser = httptools.HttpRequestParser(self)
        self._path = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep where to write."""
        self._transport = cast(asyncio.Transport, transport)  # uvloop's own class, which derives from neither

    def data_received(self, data: bytes) -> None:
        """Read on; the parser calls the two methods below."""
        self._parser.feed_data(data)

    def on_url(self, path: bytes) -> None:
        """The request's line has been read."""
        self._path = path

    def on_message_complete(self) -> None:
        """The request has been read."""
        reply, seconds = self._server.reply(self._path)
        asyncio.get_running_loop().call_later(seconds, self._write, reply)

    def _write(self, reply: bytes) -> None:
        if not self._transport.is_closing():
            self._transport.write(reply)


def _reply(status: str, value: object, header: str = "") -> bytes:
    body = json.dumps(value).encode()
    head = f"HTTP/1.1 {status}\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n{header}\r\n"
    return head.encode() + body


@click.command()
@click.option("--latency", type=float, default=0.05)
@click.option("--per-minute", type=float, default=0.0, help="0 for no limit.")
@click.option("--port", type=int, default=0, help="0 for a free one.")
def main(latency: float, per_minute: float, port: int) -> None:
    """Serve until killed."""
    uvloop.run(_serve(ChatServer(latency, per_minute), port))


async def _serve(server: ChatServer, port: int) -> None:
    loop = asyncio.get_running_loop()
    serving = await loop.create_server(lambda: Connection(server), "127.0.0.1", port, backlog=1024)
    print(serving.sockets[0].getsockname()[1], flush=True)
    await serving.serve_forever()


@contextmanager
def serving(*, latency: float = 0.05, per_minute: float = 0.0, core: int | None = None) -> Iterator[str]:
    """The address of a server in a process of its own, on a CPU of its own if one is named."""
    command = [
        sys.executable,
        "-m",
        "benchmarks.chat_server",
        "--latency",
        str(latency),
        "--per-minute",
        str(per_minute),
    ]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            if core is not None:
                os.sched_setaffinity(process.pid, {core})
            assert process.stdout is not None
            yield f"http://127.0.0.1:{int(process.stdout.readline())}"
        finally:
            process.kill()


if __name__ == "__main__":
    main()
