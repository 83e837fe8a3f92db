"""A server on loopback that answers every chat after a fixed time: `python -m benchmarks.chat_server`.

It prints its port. `POST /reset` sets the counters back; `GET /counts` tells them.
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

import click
from aiohttp import web

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
        self.body = json.dumps(ANSWER).encode()

    async def chat(self, request: web.Request) -> web.Response:
        """One completion."""
        await request.read()
        self.counts["requests"] += 1
        if self.rate and not self._admit():
            self.counts["limited"] += 1
            wait = math.ceil((1 - self.level) / self.rate)
            error = {"error": {"message": "rate limit", "type": "requests", "code": "rate_limit_exceeded"}}
            return web.json_response(error, status=429, headers={"Retry-After": str(wait)})
        await asyncio.sleep(self.latency)
        return web.Response(body=self.body, content_type="application/json")

    async def reset(self, _: web.Request) -> web.Response:
        """Start counting again, with a full bucket."""
        self.counts = {"requests": 0, "limited": 0}
        self.level = max(self.rate, 1.0)
        return web.json_response({})

    async def tell(self, _: web.Request) -> web.Response:
        """The counters."""
        return web.json_response(self.counts)

    def _admit(self) -> bool:
        """A token bucket with one second's worth."""
        now = time.monotonic()
        self.level = min(max(self.rate, 1.0), self.level + (now - self.at) * self.rate)
        self.at = now
        if self.level < 1.0:
            return False
        self.level -= 1.0
        return True


@click.command()
@click.option("--latency", type=float, default=0.05)
@click.option("--per-minute", type=float, default=0.0, help="0 for no limit.")
def main(latency: float, per_minute: float) -> None:
    """Serve until killed."""
    asyncio.run(_serve(ChatServer(latency, per_minute)))


async def _serve(server: ChatServer) -> None:
    app = web.Application()
    app.router.add_post("/v1/chat/completions", server.chat)
    app.router.add_post("/reset", server.reset)
    app.router.add_get("/counts", server.tell)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0, backlog=1024).start()
    print(runner.addresses[0][1], flush=True)
    await asyncio.Event().wait()


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
