"""How much the texts of a round repeat each other, against a plain computation."""

import re
from collections import Counter
from itertools import combinations

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from genre.generation import diversity as module
from genre.generation.diversity import Diversity, diversity
from genre.parts import Json

SCHEMA: dict[str, Json] = {
    "properties": {"title": {"type": "string"}, "tags": {"type": "array", "items": {"type": "string"}}}
}


def figures(titles: list[str | None]) -> Diversity:
    records = pl.DataFrame({"title": titles, "tags": [["a"]] * len(titles)}, schema_overrides={"title": pl.String})
    return diversity(records.lazy(), SCHEMA)


def jaccard(one: str, other: str) -> float:
    left, right = (set(re.findall(r"\w+", text)) for text in (one, other))
    return len(left & right) / len(left | right) if left | right else 1.0


@given(st.lists(st.none() | st.text("aB c.", max_size=6), min_size=2, max_size=9))
def test_the_figures_are_those_of_a_plain_computation_over_all_pairs(titles: list[str | None]) -> None:
    texts = [title.lower() for title in titles if title is not None]
    found = figures(titles)
    if not texts:
        assert found == Diversity()
        return
    counts = Counter(texts)
    assert found.distinct == {"title": len(counts)}
    assert found.most_repeated["title"] == pytest.approx(max(counts.values()) / len(texts), abs=1e-6)
    pairs = [jaccard(*pair) for pair in combinations(texts, 2)]
    assert ("title" in found.self_similarity) == bool(pairs)
    if pairs:
        assert found.self_similarity["title"] == pytest.approx(sum(pairs) / len(pairs), abs=1e-6)


def test_many_pairs_are_drawn_in_the_same_way_each_time() -> None:
    titles: list[str | None] = [f"word{number % 7} again" for number in range(2_000)]
    found = figures(titles)
    # Of two titles one in seven pairs is equal; the others share one word of three.
    assert found.self_similarity["title"] == pytest.approx(1 / 7 + 6 / 7 / 3, abs=0.02)
    assert figures(titles) == found


def test_no_text_is_paired_with_itself() -> None:
    left, right = module._pairs(1_000)
    assert len(left) == module.MOST_PAIRS
    assert not (left == right).any()
    assert right.max() == 999


def test_one_text_has_no_pair() -> None:
    assert figures(["Fog"]).self_similarity == {}


def test_a_round_without_records_has_no_figures() -> None:
    assert figures([]) == Diversity()


def test_properties_without_any_text_hide_none_that_follow() -> None:
    text: Json = {"type": "string"}
    tags: Json = {"type": "array", "items": text}
    schema: dict[str, Json] = {"properties": {"tags": tags, "empty": text, "title": text}}
    rows = {"tags": [["a"]] * 3, "empty": [None] * 3, "title": ["Fog", "fog", "Rain"]}
    records = pl.DataFrame(rows, schema_overrides={"empty": pl.String})
    assert diversity(records.lazy(), schema) == Diversity({"title": 2}, {"title": 0.666667}, {"title": 0.333333})


def test_two_texts_without_words_are_equal() -> None:
    assert figures(["...", "!"]).self_similarity == {"title": 1.0}


def test_all_pairs_are_compared_while_they_are_no_more_than_ten_thousand() -> None:
    left, right = module._pairs(141)
    assert list(zip(left.tolist(), right.tolist(), strict=True)) == list(combinations(range(141), 2))
    assert len(module._pairs(142)[0]) == module.MOST_PAIRS < 142 * 141 // 2
