"""What options classes say of themselves: for pages and for `genre plugins show`."""

from collections.abc import Mapping
from pathlib import Path
from typing import Literal

import attrs
import pytest

from genre.option_docs import DescribedOption, attributes_section, described_options, toml_value, type_in_words
from genre.options import Secret
from genre.parts import Price


@attrs.frozen
class Common:
    """What two classes share.

    Attributes:
        model: the model's name,
            on two lines.
        low, high: bounds.

    Raises:
        nothing: at all.
    """

    model: str
    low: int = 0
    high: int | None = None


@attrs.frozen
class Own(Common):
    """
    Attributes:
        high: another bound.
        price: what it costs.
    """

    high: int | None = 9
    price: Price | None = None
    silent: bool = False


def test_an_option_says_what_it_takes_its_default_and_its_meaning() -> None:
    assert described_options(Own) == (
        DescribedOption("model", "text", None, "the model's name, on two lines."),
        DescribedOption("low", "integer", "0", "bounds."),
        DescribedOption("high", "integer", "9", "another bound."),
        DescribedOption("price", "table", "none", "what it costs.", (Price,)),
        DescribedOption("silent", "true or false", "false", ""),
    )


def test_other_sections_of_a_docstring_describe_no_option() -> None:
    assert set(attributes_section(Common)) == {"model", "low", "high"}


@pytest.mark.parametrize(
    ("hint", "words"),
    [
        (Secret, '{ env = "VARIABLE" }'),
        (Literal["a", "b"], '"a" or "b"'),
        (tuple[Path, ...], "list of paths"),
        (tuple[str, int], "list of 2: text, integer"),
        (Mapping[str, tuple[float, ...]], "table of lists of numbers"),
        (dict[str, object], "table of any value"),
        (str | int | None, "text or integer"),
    ],
)
def test_types_are_told_in_the_words_of_toml(hint: object, words: str) -> None:
    assert type_in_words(hint) == words


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "none"),
        ((1, 2.5), "[1, 2.5]"),
        ({"a": True, "b c": "x"}, '{ a = true, "b c" = "x" }'),
        (Path("a") / "b", '"a/b"'),
        (Path("/somewhere/words.jinja"), "genre's own words.jinja"),
        (Price(1.0, 2.0), "{ prompt = 1.0, completion = 2.0 }"),
    ],
)
def test_values_are_told_as_toml_writes_them(value: object, text: str) -> None:
    assert toml_value(value) == text
