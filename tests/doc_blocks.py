"""The fenced blocks of pages, and a project folder in which a page's steps are followed."""

import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import attrs
from markdown_it import MarkdownIt

ROOT: Final = Path(__file__).parents[1]
PAGES: Final = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
SUFFIXES: Final = {"python": ".py", "toml": ".toml", "jinja": ".jinja"}
_FILE: Final = re.compile(r"`([\w./-]+\.\w+)`")


@attrs.frozen
class Block:
    """A fenced block.

    Attributes:
        language: what stands after the fence; empty if nothing does.
        text: what is in it.
        line: of its fence, from 1.
        name: the file that the paragraph above says that it is, such as "Save this as `plain.jinja`:".
    """

    language: str
    text: str
    line: int
    name: str | None = None


def blocks_of(page: Path) -> Iterator[Block]:
    """A page's fenced blocks, in its order."""
    above = ""
    for token in MarkdownIt().parse(page.read_text(encoding="utf-8")):
        if token.type == "inline":
            above = token.content
        elif token.type == "fence":
            assert token.map is not None
            language = token.info.split(" ")[0]
            named = [name for name in _FILE.findall(above) if name.endswith(SUFFIXES.get(language, "\0"))]
            is_file = bool(named) and above.rstrip().endswith(":")
            yield Block(language, token.content, token.map[0] + 1, named[0] if is_file else None)
            above = ""


def page_name(page: Path) -> str:
    """The page's path in the repository."""
    return page.relative_to(ROOT).as_posix()


def commands_of(block: Block) -> Iterator[list[str]]:
    """Words of each command of a block `sh`; a backslash at the end goes on with the next line."""
    for line in block.text.replace("\\\n", " ").splitlines():
        words = shlex.split(line, comments=True)
        if words:
            yield words
