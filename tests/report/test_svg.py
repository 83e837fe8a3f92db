"""matplotlib's pictures inside a page: text stays text, ids do not clash, colours are the page's."""

import re
import sys
from xml.etree import ElementTree as ET

import pytest

from genre.errors import UsageError
from genre.report.svg import COLORS, drawing, inline

HOSTILE = ["$x^2$", "$\\frac{", "<script>alert(1)</script>", "</svg><b>", "&amp;", "日本語"]


def picture(text: str, key: str = "p1") -> str:
    with drawing():
        from matplotlib.figure import Figure

        figure = Figure(figsize=(3, 2), dpi=72)
        axes = figure.add_axes((0.1, 0.1, 0.8, 0.8))
        axes.plot([0, 1], [0, 1], color=COLORS["v0"], marker="o")
        axes.text(0.5, 0.5, text, color=COLORS["ink"])
        return str(inline(figure, key=key, title=text, description=f"About {text}"))


@pytest.mark.parametrize("text", HOSTILE)
def test_text_is_shown_as_it_is(text: str) -> None:
    root = ET.fromstring(picture(text))
    assert text in [element.text for element in root.iter("text")]
    assert not [element for element in root.iter() if element.tag in ("script", "b", "a", "image", "style")]


def test_it_has_a_title_and_a_description_for_those_who_do_not_see_it() -> None:
    root = ET.fromstring(picture("AUC"))
    named = {element.attrib["id"]: element.text for element in root.iter() if element.tag in ("title", "desc")}
    assert named == {"p1-title": "AUC", "p1-desc": "About AUC"}
    assert root.attrib["aria-labelledby"].split() == list(named)
    assert root.attrib["role"] == "img"


def test_two_pictures_of_a_page_share_no_id() -> None:
    one, other = (set(re.findall(r'\bid="([^"]+)"', picture("AUC", key))) for key in ("p1", "p2"))
    assert len(one) > 2
    assert not one & other


def test_every_reference_has_its_target() -> None:
    text = picture("AUC")
    targets = {*re.findall(r'href="#([^"]+)"', text), *re.findall(r"url\(#([^)]+)\)", text)}
    assert targets
    assert targets <= set(re.findall(r'\bid="([^"]+)"', text))


def test_colours_are_left_to_the_page() -> None:
    text = picture("#fe0001")
    assert "var(--v0)" in text
    assert "var(--ink)" in text
    assert ">#fe0001<" in text  # text is never taken for a colour


def test_equal_pictures_have_equal_bytes() -> None:
    assert picture("AUC") == picture("AUC")


def test_the_user_s_own_settings_of_matplotlib_change_nothing() -> None:
    import matplotlib as mpl

    expected = picture("$AUC$")
    with mpl.rc_context({"svg.fonttype": "path", "text.parse_math": True, "lines.linewidth": 9}):
        assert picture("$AUC$") == expected


def test_without_matplotlib_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(UsageError, match="matplotlib") as error, drawing():
        pass
    assert error.value.remedy == "pip install 'genre-rec[report]'"
