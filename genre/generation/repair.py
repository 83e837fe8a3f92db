"""Repair of an answer's syntax, and of nothing else, where a provider could not be held to a schema.

Models put JSON between code fences, say a sentence before it, leave trailing commas, write single quotes or break lines
inside of strings. `json-repair` reads all of that, but it also completes what was cut off, drops what it cannot place
and merges several objects. So its result counts only when it says the same as the text: every character in its order,
except for quotes, commas, colons, blank space and backslashes. An answer of which more would have to be guessed is not
repaired; it can be asked for again.
"""

import json
import re
from collections.abc import Iterator
from typing import Final

from genre.generation.answers import MAX_ANSWER_CHARACTERS
from genre.parts import Json

LONGEST: Final = 8_192
DEEPEST: Final = 32
"""Bounds of what `json-repair` is given. It is plain Python and looks ahead from every quote and bracket: 16,384
characters took it up to 16 s, a row of 8,192 opening braces longer. Within these bounds the worst of 8,000 hostile
texts took 0.7 s, and an answer of 1,000 characters takes a millisecond."""

_QUOTES: Final = "\"'`\u201c\u201d\u2018\u2019"
_SYNTAX: Final = re.compile(rf"[\s,:\\{_QUOTES}]+")
_ESCAPE: Final = re.compile(r"\\(?:u([0-9a-fA-F]{4})|(.))", re.DOTALL)
_INSIDE: Final = ("[", ",", "{")
"""What stands before an object that is part of a list or of another object."""
_MEMBER: Final = re.compile(rf"[{_QUOTES}]\s*:")
"""A name and its colon: part of an object that has begun before."""
_GOES_ON: Final = re.compile(rf"\s*(?:[,:]|[{_QUOTES}][^{_QUOTES}]*[{_QUOTES}]\s*:)")
"""What stands behind an object that was closed too early."""
_TRAILING_COMMA: Final = re.compile(r'("(?:[^"\\]|\\.)*+(?:"|\Z))|,(?=\s*[}\]])', re.DOTALL)
"""A string, which stays, or a comma behind which a bracket is closed."""
_REASONING: Final = ("<think>", "</think>")
_DECODER: Final = json.JSONDecoder()


def repaired_json(text: str) -> str | None:
    """The JSON object that a text was meant to be, as strict JSON.

    Returns:
        None when the text is JSON already, holds no whole object or two different ones, or cannot be read without
        guessing more than its syntax.
    """
    if len(text) > MAX_ANSWER_CHARACTERS or _is_json(text):
        return None
    text = _without_reasoning(text)
    start, end = text.find("{"), text.rfind("}") + 1
    if start < 0 or end <= start:  # none, or one that was cut off
        return None
    before = text[:start]
    if before.rstrip().endswith(_INSIDE) or _MEMBER.search(before):
        return None
    try:
        value, stop = _decoded(text, start)
    except ValueError:
        return None if _GOES_ON.match(text, end) else _mended(text[start:end])
    return text[start:stop] if _only_repeats(text, stop, value) else None


def _is_json(text: str) -> bool:
    try:
        json.loads(text)
    except (ValueError, RecursionError):
        return False
    return True


def _without_reasoning(text: str) -> str:
    """What a model says after it has thought aloud: drafts are no answer."""
    begin, end = _REASONING
    if not text.lstrip().startswith(begin):
        return text
    return text.partition(end)[2]


def _decoded(text: str, start: int) -> tuple[Json, int]:
    """The strict JSON value that begins there, and where it ends."""
    try:
        value, stop = _DECODER.raw_decode(text, start)
    except RecursionError as error:
        raise ValueError from error
    return value, stop


def _only_repeats(text: str, start: int, value: Json) -> bool:
    """Whether what follows an object is no more of it and holds no other one; some models say it twice."""
    while not _GOES_ON.match(text, start):
        brace = text.find("{", start)
        if brace < 0:
            return True
        try:
            again, start = _decoded(text, brace)
        except ValueError:
            return False
        if again != value:
            return False
    return False


def _mended(text: str) -> str | None:
    """An object that is not strict JSON, compared with the text."""
    if len(text) > LONGEST or sum(map(text.count, "{[(")) > DEEPEST:
        return None
    value = _without_trailing_commas(text) or _guessed(text)
    if value is None:
        return None
    said = _SYNTAX.sub("", _ESCAPE.sub(_unescaped, text))
    if _comparable("".join(_content(value))) != _comparable(said):
        return None
    return json.dumps(value)  # in ASCII: so the two halves of a character beyond 16 bits are joined again


def _without_trailing_commas(text: str) -> dict[str, Json] | None:
    """The object, if trailing commas are all that is wrong: `json-repair` may guess where its strings end."""
    try:
        value = json.loads(_TRAILING_COMMA.sub(r"\1", text))
    except ValueError:
        return None
    return value if isinstance(value, dict) else None


def _guessed(text: str) -> dict[str, Json] | None:
    """The object as `json-repair` reads it."""
    import json_repair

    try:
        value = json_repair.loads(text, skip_json_loads=True, strict=True)
    except Exception:  # noqa: BLE001  its heuristics meet whatever a model says, and promise nothing
        return None
    if not isinstance(value, dict) or any(_is_torn(each) for each in _texts(value)):
        return None
    return value


def _texts(value: Json) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, list):
        for item in value:
            yield from _texts(item)
    elif isinstance(value, dict):
        for name, item in value.items():
            yield name
            yield from _texts(item)


def _is_torn(text: str) -> bool:
    """Whether it begins or ends with a quote that has no partner: then where the string ends was guessed."""
    edges = {text.strip()[:1], text.strip()[-1:]}
    return bool(edges & {"'", "`"}) or ('"' in edges and text.count('"') % 2 == 1)


def _content(value: Json) -> Iterator[str]:
    """All that a value says, without its syntax: names, texts and numbers, and the brackets around them."""
    if isinstance(value, dict):
        yield "{"
        for name, item in value.items():
            yield _SYNTAX.sub("", name)
            yield from _content(item)
        yield "}"
    elif isinstance(value, list):
        yield "["
        for item in value:
            yield from _content(item)
        yield "]"
    else:
        yield _SYNTAX.sub("", value if isinstance(value, str) else json.dumps(value))


def _comparable(text: str) -> str:
    """Without case, and with the two halves of a character beyond 16 bits joined."""
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "surrogatepass").casefold()


def _unescaped(escape: "re.Match[str]") -> str:
    """What an escape in a string stands for, as far as content is compared."""
    digits, char = escape.groups()
    if digits is not None:
        return chr(int(digits, 16))
    return " " if char in "bfnrt" else str(char)
