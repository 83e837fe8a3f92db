"""Control tokens in the texts of a prompt, which would end its messages and begin others.

llama.cpp's server makes one text of a chat and looks for the names of control tokens (`<|im_end|>`) in the whole of it,
in what strangers wrote as well. So their names are broken before: the model's own tokenizer says which they are.
"""

import asyncio
import json
from collections.abc import Mapping
from typing import Final

import attrs

from genre.parts import Json, Message, Prompt, Refused, Transient
from genre_generators.chat_http import Posts
from genre_generators.chat_replies import json_object
from genre_generators.http_failures import Failures

MOST_PASSES: Final = 4
"""A space in one name could complete another one; what holds names after so many passes is not sent."""


class ControlTokens:
    """Finds and breaks the names of a model's control tokens.

    Args:
        posts: to the server's `/tokenize`.
        failures: of this server.
    """

    def __init__(self, posts: Posts, failures: Failures) -> None:
        self._posts = posts
        self._failures = failures
        self._known: dict[str, bool] = {}

    async def broken(self, prompt: Prompt) -> Prompt:
        """The prompt, with a space inside the name of each control token. Without any it is the very same prompt.

        Raises:
            Refused: there is no way to say a text without control tokens.
            GenerationError: the server does not answer.
        """
        if not await self._names("\n".join(message.content for message in prompt.messages)):
            return prompt
        messages = [Message(message.role, await self._broken(message.content)) for message in prompt.messages]
        return attrs.evolve(prompt, messages=tuple(messages))

    async def aclose(self) -> None:
        """Close the connections."""
        await self._posts.aclose()

    async def _broken(self, text: str) -> str:
        for _ in range(MOST_PASSES):
            names = await self._names(text)
            if not names:
                return text
            for name in names:
                text = text.replace(name, f"{name[0]} {name[1:]}")
        raise _inseparable()

    async def _names(self, text: str) -> list[str]:
        """The control tokens of a text, the longest name first.

        Raises:
            Refused: there are some, and their names do not stand in the text.
        """
        special, plain = await asyncio.gather(self._tokens(text, special=True), self._tokens(text, special=False))
        if special == plain:
            return []
        usual = {number for number, _ in plain}
        strange = sorted({name for number, name in special if number not in usual and name in text})
        names = [name for name in strange if await self._is_control(name)]
        if not names:
            raise _inseparable()
        return sorted(names, key=len, reverse=True)

    async def _is_control(self, name: str) -> bool:
        """Whether it is a token unless it is only text; beside a control token other words are cut otherwise, too."""
        if name not in self._known:
            special, plain = await asyncio.gather(self._tokens(name, special=True), self._tokens(name, special=False))
            self._known[name] = len(name) > 1 and special != plain
        return self._known[name]

    async def _tokens(self, text: str, *, special: bool) -> list[tuple[int, str]]:
        """Number and name of each token; a piece of a character, which is no text, has the name ""."""
        asked = {"content": text, "add_special": False, "parse_special": special, "with_pieces": True}
        reply = await self._posts.post(json.dumps(asked).encode("ascii"))
        if reply.status != 200:
            raise self._failures.of_reply(reply.status, reply.body, reply.retry_after)
        found = (json_object(reply.body) or {}).get("tokens")
        if not isinstance(found, list):
            raise Transient("the server does not tell tokens")
        return [_token(each) for each in found]


def _token(said: Json) -> tuple[int, str]:
    number, piece = (said.get("id"), said.get("piece")) if isinstance(said, Mapping) else (None, None)
    if not isinstance(number, int):
        raise Transient("the server does not tell tokens")
    return number, piece if isinstance(piece, str) else ""


def _inseparable() -> Refused:
    return Refused("a text holds control tokens of the model that cannot be told from its own markup")
