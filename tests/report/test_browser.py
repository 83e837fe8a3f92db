"""The report in a browser, wide and narrow, light and dark: nothing is loaded, complains or sticks out."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from chromium import chromium, sized
from selenium.webdriver import Chrome
from small_run import Words, write_small_run

import genre

WIDTHS = (1280, 390)
SCHEMES = ("light", "dark")
GROUND = {"light": "rgb(253, 252, 250)", "dark": "rgb(22, 22, 24)"}


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return genre.write_report(write_small_run(tmp_path_factory.mktemp("browser") / "run", leaked=True))


@pytest.fixture(scope="module")
def browser() -> Iterator[Chrome]:
    with chromium() as started:
        yield started


def show(browser: Chrome, report: Path, width: int, scheme: str, media: str = "") -> None:
    features = [{"name": "prefers-color-scheme", "value": scheme}]
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": media, "features": features})
    sized(browser, width)
    browser.get_log("performance")  # what was before
    browser.get(report.as_uri())


def requested(browser: Chrome) -> set[str]:
    messages = [json.loads(entry["message"])["message"] for entry in browser.get_log("performance")]
    sent = [each["params"] for each in messages if each["method"] == "Network.requestWillBeSent"]
    return {each["request"]["url"] for each in sent}


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize("width", WIDTHS)
def test_the_report_fits_complains_of_nothing_and_loads_nothing(
    browser: Chrome, report: Path, width: int, scheme: str
) -> None:
    show(browser, report, width, scheme)
    assert browser.get_log("browser") == []
    assert requested(browser) == {report.as_uri()}
    page = "document.documentElement"
    assert browser.execute_script(f"return {page}.scrollWidth <= {page}.clientWidth")
    assert browser.execute_script("return getComputedStyle(document.body).backgroundColor") == GROUND[scheme]


def test_what_models_say_is_text_in_a_browser(browser: Chrome, tmp_path: Path) -> None:
    script = "<script>document.title = 'owned'</script><img src=x onerror=\"document.title = 'owned'\">"
    link = "javascript:document.title='owned'"
    words = Words(title=script, made=f'<a href="{link}">{link}</a>', topic=script, model=script, reason=script)
    report = genre.write_report(write_small_run(tmp_path / "run", words))
    show(browser, report, 1280, "light")
    assert browser.get_log("browser") == []
    assert requested(browser) == {report.as_uri()}
    assert browser.title.startswith("small ")
    assert browser.execute_script("return document.scripts.length + document.images.length") == 0
    assert browser.execute_script("return [...document.links].every(each => each.href.startsWith(location.href + '#'))")
    text = browser.execute_script("return document.body.textContent")
    assert script in text
    assert words.made in text


@pytest.mark.parametrize("width", WIDTHS)
def test_everything_fits_with_all_details_open(browser: Chrome, report: Path, width: int) -> None:
    show(browser, report, width, "light")
    browser.execute_script("document.querySelectorAll('details').forEach(each => each.open = true)")
    page = "document.documentElement"
    assert browser.execute_script(f"return {page}.scrollWidth <= {page}.clientWidth")


def test_the_metric_is_switched_without_a_script(browser: Chrome, report: Path) -> None:
    show(browser, report, 1280, "light")
    visible = "return [...document.querySelectorAll('#results .panels > div')].map(each => each.offsetHeight > 0)"
    assert browser.execute_script(visible) == [True, False, False, False]
    browser.find_element("css selector", "#results label:nth-of-type(3)").click()
    assert browser.execute_script(visible) == [False, False, True, False]


@pytest.mark.parametrize(("width", "shown"), [(1280, "wide"), (390, "narrow")])
def test_a_phone_gets_a_picture_of_its_own(browser: Chrome, report: Path, width: int, shown: str) -> None:
    show(browser, report, width, "light")
    script = "return ['wide', 'narrow'].filter(name => document.querySelector('#gains .' + name).offsetHeight > 0)"
    assert browser.execute_script(script) == [shown]


def test_paper_is_light_and_tells_what_is_folded(browser: Chrome, report: Path) -> None:
    show(browser, report, 800, "dark", media="print")
    assert browser.execute_script("return getComputedStyle(document.body).backgroundColor") == GROUND["light"]
    note = "return getComputedStyle(document.querySelector('#settings summary'), '::after').content"
    assert "folded" in browser.execute_script(note)
    assert browser.execute_script("return document.querySelector('nav').offsetHeight") == 0
