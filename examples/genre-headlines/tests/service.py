"""A small service on this machine, which does what the generator expects, or what a test tells it to."""

import json
import threading
from collections import deque
from collections.abc import Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

KEY = "a-key"
Reply = tuple[int, Mapping[str, str], bytes]


class Service(ThreadingHTTPServer):
    """Runs until the process ends.

    Attributes:
        scripted: what the next calls get, in place of a headline.
    """

    request_queue_size = 64
    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.scripted: deque[Reply] = deque()
        threading.Thread(target=self.serve_forever, daemon=True).start()

    @property
    def address(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self.server_port}"


class _Handler(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        assert isinstance(self.server, Service)
        status, headers, body = self.server.scripted.popleft() if self.server.scripted else self._answer(asked)
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def _answer(self, asked: Mapping[str, str | int]) -> Reply:
        if self.path != "/headline" or self.headers["X-Key"] != KEY:
            return (401, {}, b"")
        headline = " ".join(str(asked["text"]).split())[: int(asked["longest"])]
        if not headline:
            return (422, {}, b"")
        return (200, {}, json.dumps({"headline": headline, "engine": "headlines-2"}).encode())

    def log_message(self, format: str, *args: object) -> None:
        """Says nothing."""


SERVICE = Service()
