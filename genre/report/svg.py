"""matplotlib's pictures as parts of a page: colours that the page's style decides, ids of their own, text as text."""

import io
import re
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final
from xml.etree import ElementTree as ET

from markupsafe import Markup

from genre.errors import UsageError

if TYPE_CHECKING:
    from matplotlib.figure import Figure

VARIANT_COLORS: Final = 8
"""The page's style has so many colours for variants; the ninth has the first one's, with another dash."""

# Colours that nothing else has: the page's style says what they are, in light and in dark.
COLORS: Final[Mapping[str, str]] = {
    "ink": "#fe0001",
    "muted": "#fe0002",
    "rule": "#fe0003",
    "paper": "#fe0004",
    "gain": "#fe0005",
    "loss": "#fe0006",
    "band": "#fe0007",
    "alarm": "#fe0008",
    **{f"v{number}": f"#fe00{16 + number:02x}" for number in range(VARIANT_COLORS)},
}
_NAMES: Final = {color: name for name, color in COLORS.items()}
_COLOR: Final = re.compile("|".join(_NAMES))
_FONT: Final = re.compile(r"font(-family)?:\s*[^;]*;?\s*")
_SIZE: Final = re.compile(r"(\d+(?:\.\d+)?)px")
_REFERENCE: Final = re.compile(r"url\(#([^)]+)\)")
_FINE: Final = re.compile(r"(\.\d\d)\d+")
"""Digits of a coordinate that nobody sees."""
_SVG: Final = "{http://www.w3.org/2000/svg}"
_XLINK: Final = "{http://www.w3.org/1999/xlink}href"


@contextmanager
def drawing() -> Iterator[None]:
    """Whatever is drawn inside looks the same, whatever the user's own settings of matplotlib are.

    Raises:
        UsageError: matplotlib is not installed.
    """
    try:
        import matplotlib as mpl
    except ImportError as error:
        raise UsageError(
            "the report's pictures need matplotlib, which is not installed", remedy="pip install 'genre-rec[report]'"
        ) from error
    with mpl.rc_context(), warnings.catch_warnings():
        # A page is shown with the reader's fonts: what matplotlib's own lack does not matter.
        warnings.filterwarnings("ignore", message="Glyph .* missing from font")
        mpl.rcdefaults()
        mpl.rc("svg", fonttype="none", hashsalt="genre")  # text stays text, and equal pictures have equal bytes
        mpl.rc("text", usetex=False, parse_math=False)  # a dollar in a name is a dollar
        mpl.rc("path", simplify=False)
        mpl.rc("font", size=12)
        yield


def inline(figure: "Figure", *, key: str, title: str, description: str) -> Markup:
    """A figure as an `<svg>` element for an HTML page; to be called inside `drawing`.

    Args:
        figure: its colours are of `COLORS`.
        key: letters, digits and hyphens, and no other picture's of the page: its ids begin with it.
        title, description: what it shows, for those who do not see it.
    """
    file = io.BytesIO()
    figure.savefig(file, format="svg", metadata={"Date": None}, transparent=True)
    root = ET.fromstring(file.getvalue())  # noqa: S314  matplotlib's own
    for parent in list(root.iter()):
        for child in list(parent):
            if child.tag in (f"{_SVG}metadata", f"{_SVG}style"):
                parent.remove(child)
    _rename(root, key)
    for element in root.iter():
        _restyle(element)
    width, height = root.attrib["viewBox"].split()[2:]
    root.attrib.pop("version", None)
    root.attrib.update({"width": width, "height": height, "role": "img", "class": "plot"})
    root.attrib["aria-labelledby"] = f"{key}-title {key}-desc"
    for place, (tag, text) in enumerate((("title", title), ("desc", description))):
        element = ET.Element(f"{_SVG}{tag}", {"id": f"{key}-{tag}"})
        element.text = text
        root.insert(place, element)
    for element in root.iter():
        element.tag = element.tag.removeprefix(_SVG)
        if element.attrib.get("transform", "").startswith("rotate(-0 "):
            del element.attrib["transform"]  # of every upright text; it turns nothing
        for attribute in ("d", "x", "y"):
            if (value := element.attrib.get(attribute)) is not None:
                element.attrib[attribute] = " ".join(_FINE.sub(r"\1", value).split())
        if not len(element) and element.tag not in ("text", "tspan", "title", "desc"):
            element.text = None
        element.tail = "\n"
    return Markup(ET.tostring(root, encoding="unicode", short_empty_elements=True))  # noqa: S704  escaped by ElementTree


def _rename(root: ET.Element, key: str) -> None:
    """Ids that something refers to begin with `key`; all others go."""
    used = {
        name
        for element in root.iter()
        for attribute, value in element.attrib.items()
        for name in (_REFERENCE.findall(value) if attribute != _XLINK else [value.removeprefix("#")])
    }
    for element in root.iter():
        identity = element.attrib.pop("id", None)
        if identity in used:
            element.attrib["id"] = f"{key}-{identity}"
        if (target := element.attrib.pop(_XLINK, None)) is not None:
            element.attrib["href"] = f"#{key}-{target.removeprefix('#')}"
        for attribute, value in element.attrib.items():
            element.attrib[attribute] = _REFERENCE.sub(lambda found: f"url(#{key}-{found[1]})", value)


def _restyle(element: ET.Element) -> None:
    """Colours by name, and the page's own font."""
    for attribute in ("style", "fill", "stroke"):
        if (value := element.attrib.get(attribute)) is None:
            continue
        if attribute == "style" and element.tag in (f"{_SVG}text", f"{_SVG}tspan"):
            size = _SIZE.search(value)
            value = _FONT.sub("", value)
            if size and "font-size" not in value:
                value += f"; font-size: {size[1]}px"
        element.attrib[attribute] = _COLOR.sub(lambda found: f"var(--{_NAMES[found[0]]})", value).strip("; ")
