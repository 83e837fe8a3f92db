"""The data browser's server, asked over a socket: pages, what it refuses, and hostile texts."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from html.parser import HTMLParser
from typing import TypeVar

import aiohttp
import pytest
from aiohttp import web
from shown_data import LINK, SCRIPT, shown_dataset

from genre.browser.server import HOST, application, serve
from genre.errors import UsageError

T = TypeVar("T")
APP_DATA = shown_dataset()


def asked(ask: Callable[[aiohttp.ClientSession, str], Awaitable[T]]) -> T:
    """What comes of asking a server that runs on a free port of this machine."""

    async def run() -> T:
        runner = web.AppRunner(application(APP_DATA, "shown <set>"), access_log=None)
        await runner.setup()
        try:
            await web.TCPSite(runner, HOST, 0).start()
            async with aiohttp.ClientSession() as session:
                return await ask(session, f"http://{HOST}:{runner.addresses[0][1]}")
        finally:
            await runner.cleanup()

    return asyncio.run(run())


def answer(
    path: str, *, method: str = "GET", parameters: Mapping[str, str] | None = None, host: str | None = None
) -> tuple[int, str, Mapping[str, str]]:
    """Status, text and headers."""

    async def ask(session: aiohttp.ClientSession, base: str) -> tuple[int, str, Mapping[str, str]]:
        port = base.rpartition(":")[2]
        headers = {} if host is None else {"Host": host.replace("PORT", port)}
        async with session.request(method, base + path, params=parameters, headers=headers) as response:
            return response.status, await response.text(), dict(response.headers)

    return asked(ask)


class Elements(HTMLParser):
    """The tags of a page with their attributes, and its text."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text += data


def reader_id(user: str) -> str:
    return dict(APP_DATA.readers.select("user", "id").iter_rows())[user]


PAGES: Mapping[str, tuple[str, Mapping[str, str], str]] = {
    "the start": ("/", {}, "rewritten texts"),
    "a list of news": ("/news", {"q": "goal"}, "A winner, at the last"),
    "generated news": ("/news", {"kind": "generated"}, "Written for one reader"),
    "nothing found": ("/news", {"q": "nosuchword"}, "No news has all of this"),
    "a rewritten news": ("/news/one", {"id": "N1"}, "gpt <b>x</b>"),
    "a hostile news": ("/news/one", {"id": "N2"}, SCRIPT),
    "a hostile generated news": ("/news/one", {"id": 'G"&<2>'}, LINK),
    "a list of readers": ("/readers", {"kind": "synthetic"}, "2 synthetic news"),
    "a reader": ("/readers/one", {"id": reader_id("warm")}, SCRIPT),
    "a new reader": ("/readers/one", {"id": reader_id("nobody")}, "Nothing was clicked yet"),
}


@pytest.mark.parametrize("page", PAGES)
def test_a_page_shows_its_texts_and_nothing_that_would_run(page: str) -> None:
    path, parameters, expected = PAGES[page]
    status, text, headers = answer(path, parameters=parameters)
    found = Elements(text)
    assert status == 200
    assert expected in found.text
    assert headers["Content-Type"] == "text/html; charset=utf-8"
    assert not {"script", "iframe", "object", "style", "base"} & {tag for tag, _ in found.tags}
    for tag, attributes in found.tags:
        assert not any(name.startswith("on") or name == "style" for name in attributes)
        for name in ("href", "src", "action"):
            value = attributes.get(name)
            assert value is None or (value.startswith(("/", "#")) and not value.startswith("//")), (tag, value)


def test_hostile_ids_are_found_by_their_links() -> None:
    _, text, _ = answer("/news", parameters={"kind": "generated"})
    [link] = [at["href"] for tag, at in Elements(text).tags if tag == "a" and "G%22" in str(at.get("href"))]
    assert link == "/news/one?id=G%22%26%3C2%3E"
    assert answer(link)[0] == 200


def test_a_hostile_query_comes_back_as_text() -> None:
    query = '"><script>alert(1)</script>'
    status, text, _ = answer("/news", parameters={"q": query})
    assert status == 200
    [box] = [at for tag, at in Elements(text).tags if tag == "input"]
    assert box["value"] == query
    assert "<script>" not in text


def test_every_answer_forbids_scripts_frames_and_caches() -> None:
    for path in ("/", "/style.css", "/icon.svg", "/nowhere", "/news?page=x"):
        _, _, headers = answer(path)
        assert headers["Content-Security-Policy"].startswith("default-src 'none'; style-src 'self'; ")
        assert "frame-ancestors 'none'" in headers["Content-Security-Policy"]
        assert "script-src" not in headers["Content-Security-Policy"]
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["Cross-Origin-Resource-Policy"] == "same-origin"
        assert headers["Cache-Control"] == "no-store"
        assert "Set-Cookie" not in headers
        assert "Access-Control-Allow-Origin" not in headers


@pytest.mark.parametrize(
    "host", ["evil.example", "evil.example:PORT", "127.0.0.1", "127.0.0.1:1", "127.0.0.1.evil:PORT"]
)
def test_another_host_is_refused(host: str) -> None:
    status, text, _ = answer("/", host=host)
    assert status == 421
    assert "shown" not in text


@pytest.mark.parametrize("host", ["127.0.0.1:PORT", "localhost:PORT"])
def test_its_own_names_are_answered(host: str) -> None:
    assert answer("/", host=host)[0] == 200


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "HEAD", "OPTIONS", "PATCH"])
def test_nothing_but_reading_is_allowed(method: str) -> None:
    status, _, headers = answer("/", method=method)
    assert (status, headers["Allow"]) == (405, "GET")


MISTAKES: Mapping[str, tuple[str, Mapping[str, str], int, str]] = {
    "an unknown page": ("/nowhere", {}, 404, "There is no such page"),
    "a path to a file": ("/../../etc/passwd", {}, 404, "There is no such page"),
    "an unknown news": ("/news/one", {"id": "N11"}, 404, "did you mean"),
    "no news": ("/news/one", {}, 404, "there is no news ''"),
    "an unknown reader": ("/readers/one", {"id": "<b>"}, 404, "there is no reader '<b>'"),
    "a page that is no number": ("/news", {"page": "-1"}, 400, "page is '-1'"),
    "an unknown kind": ("/news", {"kind": "generatd"}, 400, "did you mean 'generated'?"),
    "an unknown kind of readers": ("/readers", {"kind": "x"}, 400, "kind is 'x'"),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_is_answered_with_a_page(mistake: str) -> None:
    path, parameters, expected, message = MISTAKES[mistake]
    status, text, _ = answer(path, parameters=parameters)
    assert status == expected
    assert message in Elements(text).text


def test_pages_lead_on() -> None:
    _, text, _ = answer("/news", parameters={"q": "more", "page": "2"})
    links = {at["rel"]: at["href"] for tag, at in Elements(text).tags if tag == "a" and "rel" in at}
    assert links == {"prev": "/news?page=1&q=more&kind=all", "next": "/news?page=3&q=more&kind=all"}


def test_a_port_that_is_taken_is_told() -> None:
    async def ask(_session: aiohttp.ClientSession, base: str) -> None:
        port = int(base.rpartition(":")[2])
        await asyncio.to_thread(serve, APP_DATA, "shown", port=port, on_ready=lambda _: None)

    with pytest.raises(UsageError, match="cannot be used"):
        asked(ask)
