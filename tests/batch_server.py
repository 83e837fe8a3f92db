"""A loopback server that speaks the batch APIs of OpenAI and of Anthropic, files included.

    with BatchServer() as server:
        ...  # server.base_url is "http://127.0.0.1:PORT/v1"
    assert [len(batch.requests) for batch in server.batches] == [3]

Answers stand in the results in the reverse order of the requests. `outcome` says what becomes of a request, `results`
replaces whole results, `intercept` any reply.
"""

import json
import threading
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any, Final, Literal

import attrs
from aiohttp import web
from servers import ChatServer, Reply

Protocol = Literal["openai", "anthropic"]
TITLE: Final = '{"title": "Rain over Paris"}'


@attrs.define(eq=False)
class Submitted:
    """A batch that a client made.

    Attributes:
        requests: bodies by custom id.
        taken: whether the queue had room for it.
        looks: how often its state was asked for.
    """

    id: str
    protocol: Protocol
    requests: dict[str, Mapping[str, Any]]
    file: str = ""
    metadata: Mapping[str, str] = attrs.field(factory=dict)
    looks: int = 0
    taken: bool = True
    cancelled: bool = False


@attrs.frozen
class Outcome:
    """What becomes of one request.

    Attributes:
        text: the answer.
        status, error: of a request that failed; 0 for one that was never begun.
        stop: why the model stopped, in the protocol's word; default: it was done.
    """

    text: str = TITLE
    status: int = 200
    error: str = ""
    stop: str = ""


class BatchServer(ChatServer):
    """Serves both protocols.

    Attributes:
        batches: what was made, in order.
        calls: method and path of every call.
        headers: of the latest call.
        states: what a batch is, look after look; the last one stays. In Anthropic's words where they are asked for.
        held: while it is set, no batch gets further than the state before the last.
        outcome: from a custom id and the body of its request.
        results: from a batch to the bytes of its results, for results that make no sense.
        intercept: from method and path to a reply instead of the proper one, or None; nothing is done then.
        lose: whether the connection is cut off after all is done, from method and path.
        largest: requests in a batch that the queue has room for; larger ones fail when they are validated.
        failure: the `errors` of batches that end as `failed`.
    """

    def __init__(self) -> None:
        super().__init__()
        self.batches: list[Submitted] = []
        self.calls: list[tuple[str, str]] = []
        self.headers: Mapping[str, str] = {}
        self.states: list[str] = ["validating", "in_progress", "completed"]
        self.held = threading.Event()
        self.outcome: Callable[[str, Mapping[str, Any]], Outcome] = lambda *_: Outcome()
        self.results: Callable[[Submitted], bytes] | None = None
        self.intercept: Callable[[str, str], Reply | None] = lambda *_: None
        self.lose: Callable[[str, str], bool] = lambda *_: False
        self.failure: Mapping[str, Any] = {}
        self.largest = 1_000_000
        self.files: dict[str, bytes] = {}

    def asked(self) -> list[str]:
        """Custom ids of all batches."""
        return [key for batch in self.batches for key in batch.requests]

    def add_routes(self, app: web.Application) -> None:
        """Everything, through one door."""
        app.router.add_route("*", "/{path:.*}", self._any)

    async def _any(self, http: web.Request) -> web.StreamResponse:
        self.calls.append((http.method, http.path))
        self.headers = {name.lower(): value for name, value in http.headers.items()}
        reply = self.intercept(http.method, http.path)
        if reply is None:
            reply = await self._proper(http)
            reply = Reply(manner="drop") if self.lose(http.method, http.path) else reply
        return await self._reply(http, reply)

    async def _proper(self, http: web.Request) -> Reply:
        match http.method, http.path.removeprefix("/v1/").split("/"):
            case "POST", ["files"]:
                form = await http.post()
                file = form["file"]
                assert form["purpose"] == "batch"
                assert isinstance(file, web.FileField)
                name = f"file-{len(self.files)}"
                self.files[name] = file.file.read()
                return Reply.of({"id": name, "object": "file"})
            case "POST", ["batches"]:
                return self._make_openai(await http.json())
            case "POST", ["messages", "batches"]:
                asked = {each["custom_id"]: each["params"] for each in (await http.json())["requests"]}
                return self._make(Submitted(f"msgbatch_{len(self.batches)}", "anthropic", asked))
            case "GET", ["batches"] | ["messages", "batches"]:
                return self._list(http.query.get("after") or http.query.get("after_id"))
            case "GET", ["batches", name] | ["messages", "batches", name]:
                batch = self._batch(name)
                batch.looks += 1
                return Reply.of(self._shown(batch))
            case "POST", ["batches", name, "cancel"] | ["messages", "batches", name, "cancel"]:
                self._batch(name).cancelled = True
                return Reply.of(self._shown(self._batch(name)))
            case "GET", ["files", name] if name in self.files:
                return Reply.of({"id": name, "object": "file"})
            case "GET", ["files", name, "content"]:
                kind, _, of = name.partition("-of-")
                return Reply(200, self._lines(self._batch(of), failed=kind == "errors"))
            case "GET", ["messages", "batches", name, "results"]:
                batch = self._batch(name)
                return Reply(200, self._lines(batch, failed=False) + self._lines(batch, failed=True))
        return Reply.error(404, "there is no such thing")

    def _make_openai(self, body: Mapping[str, Any]) -> Reply:
        assert body["endpoint"] == "/v1/chat/completions"
        assert body["completion_window"] == "24h"
        lines = [json.loads(line) for line in self.files[body["input_file_id"]].splitlines()]
        assert {(line["method"], line["url"]) for line in lines} == {("POST", "/v1/chat/completions")}
        asked = {line["custom_id"]: line["body"] for line in lines}
        assert len(asked) == len(lines), "a custom id may occur once in a file"
        name = f"batch_{len(self.batches)}"
        return self._make(Submitted(name, "openai", asked, body["input_file_id"], body["metadata"]))

    def _make(self, batch: Submitted) -> Reply:
        batch.taken = len(batch.requests) <= self.largest
        self.batches.append(batch)
        return Reply.of(self._shown(batch))

    def _batch(self, name: str) -> Submitted:
        return next(batch for batch in self.batches if batch.id == name)

    def _list(self, after: str | None) -> Reply:
        """The newest first, one on each page."""
        newest_first = self.batches[::-1]
        names = [batch.id for batch in newest_first]
        start = names.index(after) + 1 if after else 0
        page = newest_first[start : start + 1]
        more = len(newest_first) > start + 1
        data = [self._shown(batch) for batch in page]
        return Reply.of({"data": data, "has_more": more, "last_id": page[0].id if page else None})

    def _shown(self, batch: Submitted) -> Mapping[str, Any]:
        furthest = len(self.states) - (2 if self.held.is_set() else 1)
        state = self.states[min(batch.looks, furthest)]
        over = state in ("completed", "expired", "cancelled") or (batch.cancelled and not self.held.is_set())
        size = len(batch.requests)
        if not batch.taken:
            full = {"data": [{"code": "token_limit_exceeded", "message": "Enqueued token limit reached"}]}
            return {"id": batch.id, "status": "failed", "input_file_id": batch.file, "errors": full}
        if batch.protocol == "openai":
            return {
                "id": batch.id,
                "status": "cancelled" if batch.cancelled and over else state,
                "input_file_id": batch.file,
                "output_file_id": f"answers-of-{batch.id}" if over else None,
                "error_file_id": f"errors-of-{batch.id}" if over else None,
                "errors": self.failure if state == "failed" else None,
                "request_counts": {"total": size, "completed": size if over else 0, "failed": 0},
                "metadata": batch.metadata,
            }
        return {
            "id": batch.id,
            "processing_status": "ended" if over else "in_progress",
            "request_counts": {"processing": 0 if over else size, "succeeded": size if over else 0},
            "cancel_initiated_at": "2026-01-01T00:00:00Z" if batch.cancelled or state == "cancelled" else None,
            "created_at": datetime.now(UTC).isoformat(),
            "results_url": "http://198.51.100.1/never-followed" if over else None,
        }

    def _lines(self, batch: Submitted, *, failed: bool) -> bytes:
        if self.results is not None:
            return b"" if failed else self.results(batch)
        outcomes = {key: self.outcome(key, body) for key, body in reversed(batch.requests.items())}
        line = openai_line if batch.protocol == "openai" else anthropic_line
        return b"".join(line(key, each) for key, each in outcomes.items() if (each.status != 200) == failed)


def openai_line(key: str, outcome: Outcome) -> bytes:
    """A line of OpenAI's output file or error file."""
    response: Mapping[str, Any] | None = {"status_code": outcome.status, "body": {"error": {"message": outcome.error}}}
    if outcome.status == 200:
        body = json.loads(Reply.answer(outcome.text, finish=outcome.stop or "stop").body)
        response = {"status_code": 200, "body": body}
    never = {"code": "batch_expired", "message": outcome.error} if outcome.status == 0 else None
    return json.dumps({"custom_id": key, "response": None if never else response, "error": never}).encode() + b"\n"


def anthropic_line(key: str, outcome: Outcome) -> bytes:
    """A line of Anthropic's results."""
    kinds = {400: "invalid_request_error", 404: "not_found_error", 429: "rate_limit_error", 529: "overloaded_error"}
    result: dict[str, Any] = {"type": "expired"}
    if outcome.status == 200:
        usage = {"input_tokens": 7, "output_tokens": 3}
        blocks = [{"type": "text", "text": outcome.text}]
        message = {"model": "scripted-1", "content": blocks, "stop_reason": outcome.stop or "end_turn", "usage": usage}
        result = {"type": "succeeded", "message": message}
    elif outcome.status:
        error = {"type": kinds.get(outcome.status, "api_error"), "message": outcome.error}
        result = {"type": "errored", "error": {"type": "error", "error": error}}
    return json.dumps({"custom_id": key, "result": result}).encode() + b"\n"
