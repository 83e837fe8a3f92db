"""Texts that no model should answer and some do: fixed ones, and seeded mutations of good answers."""

import json
import random
from collections.abc import Callable, Iterator
from typing import Final

from genre.parts import Json

_DEEP: Final = (100, 600, 5_000)
"""One that anything reads, one that a JSON parser reads and recursive Python code does not, and one too deep."""

HOSTILE_TEXTS: Final[tuple[str, ...]] = (
    "",
    " \n\t",
    "null",
    "true",
    "[]",
    "{}",
    "0",
    "1e999",
    "-" + "9" * 5_000,
    "NaN",
    "Infinity",
    "{",
    "}",
    '{"',
    '"a text"',
    "\ufeff{}",
    "\0",
    "\ud800",
    '"\\ud800"',
    "I cannot help with that.",
    "Sure! Here is the JSON:\n```json\n{}\n```",
    '{"a": 1, "a": 2}',
    '{"__class__": "os.system"}',
    "{{ 7 * 7 }}",
    "<script>alert(1)</script>",
    *("[" * depth + "]" * depth for depth in _DEEP),
    *('{"a":' * depth + "0" + "}" * depth for depth in _DEEP),
    "x" * ((1 << 20) + 1),
    json.dumps("x" * (1 << 20)),
)
"""What models say when things go wrong, and what somebody says who wants them to."""

_VALUES: Final[tuple[Json, ...]] = (
    None,
    True,
    0,
    -1,
    1.5,
    10**30,
    "",
    "   ",
    "\0",
    "\ud800",
    "x" * 10_000,
    "line\nline\u2028line",
    [],
    [None],
    [[]],
    ["a", "a"],
    {},
    {"a": {}},
)


def mutations(answer: str, seed: int, count: int) -> Iterator[str]:
    """`count` texts made from a good answer by small accidents; the same for the same seed."""
    rng = random.Random(seed)  # noqa: S311  repeatable, not secret
    for _ in range(count):
        yield rng.choice(_ACCIDENTS)(answer, rng)


def junk(seed: int, count: int) -> Iterator[str]:
    """`count` short texts of signs that mean something in JSON, and of any others; the same for the same seed."""
    rng = random.Random(seed)  # noqa: S311  repeatable, not secret
    signs = [
        *'{}[]":,\\ \n0123456789eE+-.',
        "true",
        "null",
        "\\u",
        *(chr(rng.randrange(0x20, 0xFFFF)) for _ in range(9)),
    ]
    for _ in range(count):
        yield "".join(rng.choices(signs, k=rng.randrange(1, 40)))


def _cut(answer: str, rng: random.Random) -> str:
    return answer[: rng.randrange(len(answer) + 1)]


def _disturb(answer: str, rng: random.Random) -> str:
    place = rng.randrange(len(answer) + 1)
    return answer[:place] + rng.choice('{}[]":,\\\0\ud800 x0') + answer[place + rng.randrange(2) :]


def _wrap(answer: str, rng: random.Random) -> str:
    return rng.choice(
        ("```json\n{}\n```", "Sure! {}", "[{}]", "{}{}", '{{"answer": {}}}', "\ufeff{}", "{} // done")
    ).format(answer, answer)


def _replace(answer: str, rng: random.Random) -> str:
    """Another value for a property, a property too many, or one too few; a text that is no object is disturbed."""
    try:
        value = json.loads(answer)
    except ValueError:
        return _disturb(answer, rng)
    if not isinstance(value, dict) or not value:
        return json.dumps(rng.choice(_VALUES))
    name = rng.choice(list(value))
    accident = rng.randrange(4)
    if accident == 0:
        del value[name]
    elif accident == 1:
        value[f"{name}_too"] = rng.choice(_VALUES)
    elif accident == 2 and isinstance(value[name], list):
        value[name] = [*value[name], rng.choice(_VALUES)]
    else:
        value[name] = rng.choice(_VALUES)
    return json.dumps(value)


_ACCIDENTS: Final[tuple[Callable[[str, random.Random], str], ...]] = (_cut, _disturb, _wrap, _replace, _replace)
