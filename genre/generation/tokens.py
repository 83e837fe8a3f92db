"""How many tokens a prompt may have, where nobody counts them."""

from typing import Final

from genre.parts import Prompt

BYTES_A_TOKEN: Final = 4
"""A rule of thumb for English; tokenizers differ."""


def message_bytes(prompt: Prompt) -> int:
    """UTF-8 bytes of a prompt's messages."""
    return sum(len(message.content.encode("utf-8", "backslashreplace")) for message in prompt.messages)


def estimated_tokens(prompt: Prompt) -> int:
    """An estimate of a prompt's tokens: the UTF-8 bytes of its messages / 4, rounded up."""
    return -(-message_bytes(prompt) // BYTES_A_TOKEN)
