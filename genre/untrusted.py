"""Text that others wrote (models, servers, data), for a terminal or a page that must not obey it."""

import re
import unicodedata
from typing import Final

UNSAFE: Final = re.compile(
    r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u00ad\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb"
    r"\ud800-\udfff\U000e0000-\U000e007f]"
)
"""Characters that steer a terminal, hide, or turn the direction of the text around."""


def harmless(text: str) -> str:
    """The text on one line, with everything escaped that a terminal would obey or that would reorder what is shown."""
    return "".join(
        char if char.isprintable() or unicodedata.category(char) == "Zs" else char.encode("unicode_escape").decode()
        for char in text
    )


def harmless_lines(text: str) -> str:
    """The text with its lines and tabs, in which what steers a terminal is spelt out, as in `\\x1b`."""
    return UNSAFE.sub(lambda found: found[0].encode("unicode_escape").decode(), text)
