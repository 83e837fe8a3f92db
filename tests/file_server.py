"""A loopback server of files by a script: what each GET gets, see `servers.Reply`."""

import io
import re
import zipfile
from collections.abc import Callable, Mapping

from aiohttp import web
from servers import ChatServer, Reply, Request

TAG = '"first"'


class FileServer(ChatServer):
    """Serves every path; `script` gets the request's number from 0, headers and path, and an empty body."""

    @property
    def mirror(self) -> str:
        """An address that has the files."""
        return f"{self.address}/files"

    def add_routes(self, app: web.Application) -> None:
        """Any GET."""
        app.router.add_get("/{path:.*}", self._handle_file)

    async def _handle_file(self, http: web.Request) -> web.StreamResponse:
        headers = {name.lower(): value for name, value in http.headers.items()}
        request = Request(len(self.requests), {}, headers, http.path)
        self.requests.append(request)
        return await self._reply(http, self.script(request))


def whole(content: bytes, tag: str = TAG) -> Reply:
    """All of a file."""
    return Reply(200, content, {"ETag": tag} if tag else {})


def ranged(content: bytes, request: Request, tag: str = TAG) -> Reply:
    """What a right server answers: the rest where it is asked for and the tag is still the same, else all."""
    span = re.fullmatch(r"bytes=(\d+)-", request.headers.get("range", ""))
    if span is None or request.headers.get("if-range") != tag:
        return whole(content, tag)
    start = int(span[1])
    if start >= len(content):
        return Reply(416, b"", {"Content-Range": f"bytes */{len(content)}"})
    said = f"bytes {start}-{len(content) - 1}/{len(content)}"
    return Reply(206, content[start:], {"ETag": tag, "Content-Range": said})


def cut(content: bytes, size: int, manner: str = "truncate") -> Reply:
    """The first bytes of a file, and then the connection ends or hangs."""
    return Reply(200, content[:size], {"ETag": TAG}, manner)  # type: ignore[arg-type]


def zipped(files: Mapping[str, bytes]) -> bytes:
    """An archive of these files."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(zipfile.ZipInfo(name), content, zipfile.ZIP_DEFLATED)
    return buffer.getvalue()


Script = Callable[[Request], Reply]
