"""The one rule for names of parts, rounds, variants and runs; many of them name folders too."""

import re
from typing import Final

NAME_RULE: Final = "lower-case words joined by hyphens, such as 'news-summarizer'"
_NAME: Final = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")


def is_name(text: str) -> bool:
    """Whether `text` is lower-case letters and digits in words joined by single hyphens."""
    return _NAME.fullmatch(text) is not None
