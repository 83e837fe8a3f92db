"""The data browser's pages in a real browser, wide and narrow, light and dark."""

import asyncio
import threading
from collections.abc import Iterator

import pytest
from aiohttp import web
from chromium import chromium, sized
from selenium.webdriver import Chrome
from selenium.webdriver.common.by import By
from selenium.webdriver.support import expected_conditions
from selenium.webdriver.support.wait import WebDriverWait
from shown_data import LINK, SCRIPT, shown_dataset

from genre.browser.server import HOST, application


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    """The address of a server in a thread of its own."""
    loop = asyncio.new_event_loop()

    async def start() -> web.AppRunner:
        runner = web.AppRunner(application(shown_dataset(), "shown"), access_log=None)
        await runner.setup()
        await web.TCPSite(runner, HOST, 0).start()
        return runner

    runner = loop.run_until_complete(start())
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    try:
        yield f"http://{HOST}:{runner.addresses[0][1]}"
    finally:
        asyncio.run_coroutine_threadsafe(runner.cleanup(), loop).result()
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


@pytest.fixture(scope="module")
def browser() -> Iterator[Chrome]:
    with chromium() as started:
        yield started


PATHS = [
    "/", "/news", "/news?kind=rewritten", "/news/one?id=N1", "/news/one?id=N2", "/news/one?id=N3",
    "/readers", "/readers?kind=synthetic",
]  # fmt: skip


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 390])
def test_pages_fit_their_width_and_report_nothing(server: str, browser: Chrome, width: int, scheme: str) -> None:
    features = [{"name": "prefers-color-scheme", "value": scheme}]
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": features})
    sized(browser, width)
    browser.get(f"{server}/readers?kind=selected")
    browser.get(str(browser.find_element(By.CSS_SELECTOR, ".hits a").get_attribute("href")))
    reader = browser.current_url.removeprefix(server)
    for path in [*PATHS, reader]:
        browser.get(server + path)
        for closed in browser.find_elements(By.CSS_SELECTOR, "details:not([open]) summary"):
            closed.click()
        assert browser.execute_script("return document.documentElement.scrollWidth") <= width, path
        assert browser.execute_script("return innerWidth") == width
        assert browser.get_log("browser") == [], path
    background = browser.execute_script("return getComputedStyle(document.body).backgroundColor")
    channels = [int(each) for each in background.removeprefix("rgb(").removesuffix(")").split(",")]
    assert (sum(channels) < 3 * 128) == (scheme == "dark")


def test_a_search_leads_to_a_news_and_to_its_readers(server: str, browser: Chrome) -> None:
    sized(browser, 1280)
    browser.get(server)
    browser.find_element(By.ID, "news-query").send_keys("late goal\n")
    followed(browser, ".hits a", "Late goal wins it")
    assert [each.text for each in browser.find_elements(By.CSS_SELECTOR, ".versions h3")] == [
        "original", "summaries latest", "original",
    ]  # fmt: skip
    followed(browser, ".names a", "new")


def followed(browser: Chrome, link: str, heading: str) -> None:
    """Follow a link of a page that may still be on its way, to a page with this heading."""
    wait = WebDriverWait(browser, 30)
    wait.until(expected_conditions.element_to_be_clickable((By.CSS_SELECTOR, link))).click()
    wait.until(expected_conditions.text_to_be_present_in_element((By.TAG_NAME, "h1"), heading))


def test_hostile_texts_are_shown_and_do_nothing(server: str, browser: Chrome) -> None:
    browser.get(f"{server}/news/one?id=N2")
    assert SCRIPT in browser.find_element(By.TAG_NAME, "main").text
    assert browser.title == "Five sets, one winner · shown · GENRE"
    assert not browser.find_elements(By.CSS_SELECTOR, "main img, main script")
    browser.get(f"{server}/news?kind=generated")
    for link in browser.find_elements(By.CSS_SELECTOR, "main a"):
        assert str(link.get_attribute("href")).startswith(server)
    assert LINK in browser.find_element(By.TAG_NAME, "main").text
    assert browser.get_log("browser") == []
