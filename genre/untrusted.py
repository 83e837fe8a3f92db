"""Text that others wrote (models, servers, data), for a terminal or a page that must not obey it."""

import unicodedata


def harmless(text: str) -> str:
    """The text on one line, with everything escaped that a terminal would obey or that would reorder what is shown."""
    return "".join(
        char if char.isprintable() or unicodedata.category(char) == "Zs" else char.encode("unicode_escape").decode()
        for char in text
    )
