"""The server of the pages: on the loopback address, for the browser of this machine, and nothing but reading."""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from typing import Final

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

from genre.browser.pages import ICON, STYLE, NotFoundError, Pages, Query
from genre.dataset import Dataset
from genre.errors import GenreError, UsageError

HOST: Final = "127.0.0.1"
_HEADERS: Final = {
    # No script, no frame, nothing from elsewhere: what hostile data could ask for is not there.
    "Content-Security-Policy": "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; "
    "base-uri 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
    "Server": "genre",
}


def serve(dataset: Dataset, name: str, *, port: int, on_ready: Callable[[str], None]) -> None:
    """Serve a data set's pages until Ctrl-C.

    Args:
        name: of the data set, for titles.
        port: 0 for any that is free.
        on_ready: told of the address, once it answers.

    Raises:
        UsageError: the port is taken or not allowed.
    """
    # asyncio cancels what runs at Ctrl-C, which is how this ends: not an error.
    with suppress(KeyboardInterrupt):
        asyncio.run(_serve(application(dataset, name), port, on_ready))


def application(dataset: Dataset, name: str) -> web.Application:
    """The pages as an aiohttp application.

    Args:
        name: of the data set, for titles.
    """
    pages = Pages(dataset, name)
    app = web.Application(middlewares=[_guard(pages)])
    app.on_response_prepare.append(_secure)
    for path, page in (
        ("/", pages.home),
        ("/news", pages.news_list),
        ("/news/one", pages.news),
        ("/readers", pages.reader_list),
        ("/readers/one", pages.reader),
    ):
        app.router.add_get(path, _page(page), allow_head=False)
    app.router.add_get("/style.css", _file(STYLE, "text/css"), allow_head=False)
    app.router.add_get("/icon.svg", _file(ICON, "image/svg+xml"), allow_head=False)
    return app


async def _serve(app: web.Application, port: int, on_ready: Callable[[str], None]) -> None:
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=1.0)
    await runner.setup()
    try:
        try:
            await web.TCPSite(runner, HOST, port).start()
        except (OSError, OverflowError) as error:
            raise UsageError(
                f"the port {port} cannot be used: {error}", remedy="leave --port out for a free one"
            ) from error
        on_ready(f"http://{HOST}:{runner.addresses[0][1]}/")
        await asyncio.Event().wait()
    finally:
        await runner.cleanup()


def _page(make: Callable[[Query], str]) -> Handler:
    async def handle(request: web.Request) -> web.Response:
        # In a thread: a search over many news must not keep the server from its other pages, or from Ctrl-C.
        return _html(await asyncio.to_thread(make, request.query))

    return handle


def _file(text: str, content_type: str) -> Handler:
    async def handle(_request: web.Request) -> web.Response:
        return web.Response(text=text, content_type=content_type)

    return handle


def _html(text: str, status: int = 200) -> web.Response:
    return web.Response(text=text, status=status, content_type="text/html")


def _guard(pages: Pages) -> Middleware:
    """Refuses what no browser of this machine asks for, and answers mistakes with a page."""

    @web.middleware
    async def guard(request: web.Request, handler: Handler) -> web.StreamResponse:
        if not _is_ours(request):
            # A page elsewhere whose name resolves to this machine (DNS rebinding) would read along otherwise.
            return web.Response(status=421, text="this server answers to its own address only\n")
        if request.method != "GET":
            return web.Response(status=405, text="pages can be read only\n", headers={"Allow": "GET"})
        try:
            return await handler(request)
        except NotFoundError as error:
            return _html(pages.problem(error.message, error.remedy), 404)
        except GenreError as error:
            return _html(pages.problem(error.message, error.remedy), 400)
        except web.HTTPNotFound:
            return _html(pages.problem("There is no such page."), 404)

    return guard


def _is_ours(request: web.Request) -> bool:
    if request.transport is None:  # whoever asked is gone
        return False
    _, port = request.transport.get_extra_info("sockname")
    return request.host in {f"{HOST}:{port}", f"localhost:{port}"}


async def _secure(_request: web.Request, response: web.StreamResponse) -> None:
    response.headers.update(_HEADERS)
