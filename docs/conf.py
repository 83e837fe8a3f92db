"""The documentation site: `make docs` builds it, and every warning is an error."""

import logging
import sys
from pathlib import Path

from docutils.nodes import SkipNode, math, math_block
from docutils.utils.math import MathError
from docutils.utils.math.latex2mathml import tex2mathml
from sphinx.application import Sphinx
from sphinx.util.logging import getLogger
from sphinx.writers.html5 import HTML5Translator

sys.path.insert(0, str(Path(__file__).parent))  # from_code

import from_code
from genre import __version__

project = "GENRE"
author = "the authors of genre-rec"
release = version = __version__
html_title = f"GENRE {__version__}"

extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon"]
exclude_patterns = ["from_code"]

myst_enable_extensions = ["dollarmath"]
myst_heading_anchors = 3

default_role = "literal"  # docstrings write names between single back-ticks
smartquotes = False  # they make dashes of `--options`
autodoc_typehints_format = "short"
autodoc_preserve_defaults = True
napoleon_use_ivar = True
napoleon_use_rtype = False
nitpicky = True
nitpick_ignore_regex = [("py:.*", r"(?!genre\.).*")]  # types of other projects have their own sites

html_theme = "furo"
html_static_path = ["static"]
html_css_files = ["genre.css"]
html_show_sourcelink = False
html_copy_source = False
html_math_renderer = "mathml"


_LOG = getLogger(__name__)


def _formula(translator: HTML5Translator, node: math | math_block) -> None:
    try:
        drawn = tex2mathml(node.astext(), as_block=isinstance(node, math_block))
    except MathError as error:
        _LOG.warning("a formula cannot be drawn: %s", error, location=node)
    else:
        translator.body.append(drawn)
    raise SkipNode


def _fill(_app: Sphinx, _name: str, source: list[str]) -> None:
    source[0] = from_code.filled(source[0])


def setup(app: Sphinx) -> None:
    """Pieces that are made from the code, and formulas that no script has to draw."""
    app.connect("source-read", _fill)
    # All pages of a folder may be named in their order, and its glob finds none; `suppress_warnings` cannot say it.
    logging.getLogger("sphinx.sphinx.directives.other").addFilter(
        lambda record: getattr(record, "subtype", None) != "empty_glob"
    )
    app.add_html_math_renderer("mathml", inline_renderers=(_formula, None), block_renderers=(_formula, None))
