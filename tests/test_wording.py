"""Words around what is counted or listed."""

import pytest

from genre.wording import counted, listed


@pytest.mark.parametrize(("count", "said"), [(0, "0 clicks"), (1, "1 click"), (2, "2 clicks"), (1_200, "1,200 clicks")])
def test_a_noun_has_the_number_of_its_count(count: int, said: str) -> None:
    assert counted(count, "click") == said


@pytest.mark.parametrize(
    ("names", "said"),
    [
        ([], ""),
        (["a"], "a"),
        (["a", "b"], "a and b"),
        (["a", "b", "c"], "a, b and c"),
        (list("abcd"), "a, b and 2 more"),
    ],
)
def test_names_are_listed_up_to_a_few(names: list[str], said: str) -> None:
    assert listed(names, 2 if len(names) > 3 else 5) == said
