"""What `genre data check` finds, one kind at a time, with its place."""

from collections import defaultdict
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

import attrs
import polars as pl
import pytest
from dataset.mind_files import NEWS, behavior, write_split
from hypothesis import given
from hypothesis import strategies as st
from small_data import small_dataset

from genre.dataset import Dangling, Finding, Rows, check_dataset, check_rows
from genre.dataset.checks import checking
from genre_datasets.mind import MindOptions, mind_rows

CLEAN = [behavior("N1-1 N2-0", number="1"), behavior("N2-1 N1-0", number="2", user="U2")]


def check(folder: Path, dangling: Dangling = "error") -> dict[tuple[str, str], Finding]:
    found = check_rows(mind_rows(MindOptions(folder, {}, dangling)))
    return {(each.kind.name, each.split): each for each in found}


def test_a_clean_set_has_notes_only(tmp_path: Path) -> None:
    write_split(tmp_path / "train", CLEAN)
    assert {each.kind.level for each in check(tmp_path).values()} <= {"note"}


ROWS: dict[str, tuple[str, str, int, str]] = {
    "an id in a history that names no news": (
        behavior(number="3", history="N3 N9 N8"),
        "dangling-history",
        2,
        "'N9'",
    ),
    "a candidate that names no news": (behavior("N1-1 N9-0 N2-0", number="3"), "dangling-candidates", 1, "'N9'"),
    "an impression without any news": (behavior("N9-1 N8-0", number="3"), "no-candidates", 1, "'3'"),
    "an impression without a click": (behavior("N1-0 N2-0", number="3"), "no-click", 1, "'3'"),
    "an impression of clicks only": (behavior("N1-1 N2-1", number="3"), "only-clicks", 1, "'3'"),
    "a repeated candidate": (behavior("N1-1 N2-0 N2-0", number="3"), "repeated-candidates", 1, "'3'"),
    "a candidate with two labels": (behavior("N1-1 N1-0 N2-0", number="3"), "two-labels", 1, "'3'"),
    "a candidate of the own history": (behavior("N1-1 N3-0", number="3"), "candidates-read-before", 1, "'3'"),
    "an empty history": (behavior(number="3", history=""), "empty-history", 1, "'3'"),
    "an impression without labels": (behavior("N1 N2", number="3"), "unlabelled", 1, "'3'"),
    "some impressions without labels": (behavior("N1 N2", number="3"), "partly-labelled", 1, "'3'"),
    "a repeated impression id": (behavior(number="1", user="U3"), "repeated-impressions", 1, "'1'"),
}


@pytest.mark.parametrize(("row", "kind", "count", "example"), ROWS.values(), ids=ROWS)
def test_an_odd_impression_is_counted_with_its_line(
    tmp_path: Path, row: str, kind: str, count: int, example: str
) -> None:
    write_split(tmp_path / "train", [*CLEAN, row])
    found = check(tmp_path)[kind, "train"]
    assert (found.count, found.where, found.example) == (count, f"{tmp_path}/train/behaviors.tsv:3", example)


@pytest.mark.parametrize(("dangling", "level"), [("error", "error"), ("drop", "warning")])
def test_dangling_ids_are_an_error_unless_they_are_dropped(tmp_path: Path, dangling: Dangling, level: str) -> None:
    write_split(tmp_path / "train", [*CLEAN, behavior(number="3", history="N9")])
    assert check(tmp_path, dangling)["dangling-history", "train"].kind.level == level


def test_an_id_with_two_texts_is_an_error_with_the_second_one_s_line(tmp_path: Path) -> None:
    write_split(tmp_path / "train", CLEAN)
    write_split(tmp_path / "dev", CLEAN, [NEWS[0], NEWS[1].replace("Another", "Quite another")])
    found = check(tmp_path)["two-news-under-one-id", ""]
    assert (found.kind.level, found.count, found.example) == ("error", 1, "'N2'")
    assert found.where == f"{tmp_path}/dev/news.tsv:2"


def test_an_id_with_two_categories_is_a_warning(tmp_path: Path) -> None:
    write_split(tmp_path / "train", CLEAN, [*NEWS, NEWS[0].replace("sports", "sport")])
    found = check(tmp_path)["two-descriptions-of-a-news", ""]
    assert (found.kind.level, found.count, found.where) == ("warning", 1, f"{tmp_path}/train/news.tsv:4")


@pytest.mark.parametrize(("field", "text", "level"), [("title", "A title", "warning"), ("abstract", "More", "note")])
def test_news_without_a_text_are_counted(tmp_path: Path, field: str, text: str, level: str) -> None:
    write_split(tmp_path / "train", CLEAN, [row.replace(text, " ") for row in NEWS])
    found = check(tmp_path)[f"no-{field}", ""]
    assert found.kind.level == level
    assert found.count == (1 if field == "title" else 2)


def test_a_train_split_that_teaches_nothing_is_an_error(tmp_path: Path) -> None:
    write_split(tmp_path / "train", [behavior("N1 N2"), behavior("N1-0 N2-0", number="2")])
    assert check(tmp_path)["nothing-to-train-on", "train"].kind.level == "error"


def test_a_set_without_train_split_is_a_warning(tmp_path: Path) -> None:
    write_split(tmp_path / "dev", CLEAN)
    assert check(tmp_path)["no-train", ""].kind.level == "warning"


def test_a_set_without_impressions_is_an_error(tmp_path: Path) -> None:
    write_split(tmp_path / "train", [])
    assert check(tmp_path)["no-impressions", ""].kind.level == "error"


def test_train_impressions_after_the_first_of_dev_are_counted(tmp_path: Path) -> None:
    write_split(tmp_path / "train", [*CLEAN, behavior(number="3", time="11/12/2019 9:00:00 AM")])
    write_split(tmp_path / "dev", [behavior(time="11/12/2019 8:59:59 AM")])
    found = check(tmp_path)["train-after", "dev"]
    assert (found.count, found.where) == (1, f"{tmp_path}/train/behaviors.tsv:3")


def test_a_train_impression_that_dev_repeats_is_counted(tmp_path: Path) -> None:
    write_split(tmp_path / "train", CLEAN)
    write_split(tmp_path / "dev", [behavior("N3-1 N1-0", number="7"), CLEAN[1]])
    found = check(tmp_path)["train-rows-again", "dev"]
    assert (found.count, found.where) == (1, f"{tmp_path}/dev/behaviors.tsv:2")


def test_findings_come_worst_first(tmp_path: Path) -> None:
    write_split(tmp_path / "train", [behavior(history="N9"), behavior("N1-0", history="")])
    levels = [each.kind.level for each in check_rows(mind_rows(MindOptions(tmp_path)))]
    assert levels == sorted(levels, key=["error", "warning", "note"].index)


def test_a_saved_set_is_checked_with_the_rows_of_its_tables() -> None:
    dataset = small_dataset()
    labels = [[0, 1], [1, 0], [1, 0], [0, 0]]
    odd = attrs.evolve(
        dataset, impressions=dataset.impressions.with_columns(labels=pl.Series(labels, dtype=pl.List(pl.UInt8)))
    )
    found = {each.kind.name: each for each in check_dataset(odd, "mine")}
    assert (found["no-click"].split, found["no-click"].where) == ("dev", "mine/impressions:4")
    assert found["no-abstract"].where == "mine/news:3"
    assert found["candidates-read-before"].count == 2


def test_labels_that_fit_no_candidates_are_an_error() -> None:
    dataset = small_dataset()
    labels = [[0, 1], [1], [1, 2], [1, 0]]
    odd = attrs.evolve(
        dataset, impressions=dataset.impressions.with_columns(labels=pl.Series(labels, dtype=pl.List(pl.UInt8)))
    )
    found = {(each.kind.name, each.split): each for each in check_dataset(odd)}
    assert found["labels-that-do-not-fit", "train"].count == 1
    assert found["labels-that-do-not-fit", "dev"].count == 1


def test_positions_that_name_no_news_are_dangling() -> None:
    dataset = small_dataset()
    odd = attrs.evolve(
        dataset,
        impressions=dataset.impressions.with_columns(candidates=pl.Series([[99, 0]] * 4, dtype=pl.List(pl.UInt32))),
    )
    assert {each.kind.name for each in check_dataset(odd)} >= {"dangling-candidates"}


def test_a_set_of_no_texts_and_no_rows_has_no_impressions() -> None:
    dataset = small_dataset()
    bare = attrs.evolve(
        dataset, **{name: getattr(dataset, name).clear() for name in ("news", "texts", "readers", "impressions")}
    )
    assert [each.kind.name for each in check_dataset(bare)] == ["no-impressions"]


def test_impressions_of_no_reader_are_an_error() -> None:
    dataset = small_dataset()
    readers = pl.Series([0, 99, 0, None], dtype=pl.UInt32)
    odd = attrs.evolve(dataset, impressions=dataset.impressions.with_columns(reader=readers))
    found = {(each.kind.name, each.split): each for each in check_dataset(odd, "mine")}
    assert found["no-reader", dataset.impressions["split"][1]].where == "mine/impressions:2"
    assert sum(each.count for (name, _), each in found.items() if name == "no-reader") == 2


def test_missing_candidates_and_histories_are_none_at_all() -> None:
    dataset = small_dataset()
    nothing = pl.lit(None, dtype=pl.List(pl.UInt32))
    odd = attrs.evolve(
        dataset,
        impressions=dataset.impressions.with_columns(candidates=nothing),
        readers=dataset.readers.with_columns(history=nothing),
    )
    found = [each for each in check_dataset(odd) if each.kind.name in ("no-candidates", "empty-history")]
    assert sum(each.count for each in found) == 8


def test_news_without_an_id_are_an_error() -> None:
    dataset = small_dataset()
    names = [None, *dataset.news["id"][1:]]
    found = check_dataset(attrs.evolve(dataset, news=dataset.news.with_columns(id=pl.Series(names))), "mine")
    [nameless] = [each for each in found if each.kind.name == "no-id"]
    assert (nameless.count, nameless.where) == (1, "mine/news:1")


def test_a_leak_in_the_lineage_is_a_warning() -> None:
    leaked = small_dataset().with_lineage("round", leaked=True)
    assert "leaked" in {each.kind.name for each in check_dataset(leaked)}


IDS = st.sampled_from(["N1", "N2", "N3", "N8", "N9"])
ROW = st.tuples(
    st.sampled_from(["train", "dev", "test"]),
    st.sampled_from(["1", "2", "3"]),
    st.sampled_from(["U1", "U2"]),
    st.integers(0, 3),
    st.lists(IDS, max_size=4),
    st.lists(st.tuples(IDS, st.integers(0, 1)), min_size=1, max_size=5),
    st.booleans(),
)


def rows_of(drawn: list[tuple[str, str, str, int, list[str], list[tuple[str, int]], bool]]) -> Rows:
    behaviors = pl.DataFrame(
        [
            {
                "impression": impression,
                "split": split,
                "user": user,
                "time": datetime(2019, 11, 11) + timedelta(days=day),
                "history": history,
                "candidates": [name for name, _ in shown],
                "labels": [label for _, label in shown] if labelled else None,
                "file": "behaviors.tsv",
                "line": line,
            }
            for line, (split, impression, user, day, history, shown, labelled) in enumerate(drawn, start=1)
        ],
        schema_overrides={"history": pl.List(pl.String), "labels": pl.List(pl.UInt8), "line": pl.UInt32},
    )
    news = pl.DataFrame({"id": ["N1", "N2", "N3"], "title": ["a", "b", "c"]}).with_columns(
        abstract=pl.lit("x"), file=pl.lit("news.tsv"), line=pl.int_range(1, 4, dtype=pl.UInt32)
    )

    def blocks(_: object) -> Iterator[pl.DataFrame]:
        yield from behaviors.iter_slices(3)

    return Rows([news], blocks, {"reader": "drawn"}, dangling="drop")


@given(st.lists(ROW, min_size=1, max_size=12))
def test_counts_are_those_of_a_plain_loop(drawn: list) -> None:  # type: ignore[type-arg]
    found: dict[str, int] = {}
    for each in check_rows(rows_of(drawn)):
        found[each.kind.name] = found.get(each.kind.name, 0) + each.count
    known = {"N1", "N2", "N3"}
    expected: dict[str, int] = defaultdict(int)
    for _, _, _, _, history, shown, labelled in drawn:
        kept = [(name, label) for name, label in shown if name in known]
        names = [name for name, _ in kept]
        clicks = sum(label for _, label in kept)
        expected["dangling-history"] += sum(name not in known for name in history)
        expected["dangling-candidates"] += len(shown) - len(kept)
        expected["no-candidates"] += not kept
        expected["no-click"] += bool(kept and labelled and not clicks)
        expected["only-clicks"] += bool(kept and labelled and clicks == len(kept))
        expected["repeated-candidates"] += len(names) - len(set(names))
        expected["candidates-read-before"] += len(set(names) & set(history))
        expected["empty-history"] += not (set(history) & known)
        expected["unlabelled"] += not labelled
        expected["two-labels"] += labelled * (len(set(kept)) - len(set(names)))
    assert {name: found.get(name, 0) for name in expected} == dict(expected)


def test_blocks_do_not_matter(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_split(tmp_path / "train", [*CLEAN, *(row for row, *_ in ROWS.values())])
    whole = check_rows(mind_rows(MindOptions(tmp_path)))
    monkeypatch.setattr(checking, "_ROWS_AT_A_TIME", 2)
    assert check_rows(mind_rows(MindOptions(tmp_path))) == whole


def test_real_rows_whose_ids_do_not_match_are_survived(shared_data: Path, tmp_path: Path) -> None:
    raw = shared_data / "mind_mini" / "robustness"
    (tmp_path / "train").mkdir()
    for name in ("news", "behaviors"):
        (tmp_path / "train" / f"{name}.tsv.gz").symlink_to(raw / f"{name}_raw.tsv.gz")
    found = check(tmp_path, "drop")
    dataset = mind_rows(MindOptions(tmp_path, {}, "drop")).assembled()
    counted = dataset.lineage[0].details
    assert found["dangling-history", "train"].count == counted["dangling_history_ids"]
    assert found["dangling-candidates", "train"].count == counted["dangling_candidate_ids"]
    assert found["no-candidates", "train"].count == counted["impressions_without_candidates"]
    assert {each.kind.level for each in found.values()} == {"warning", "note"}
    assert {each.kind.level for each in check(tmp_path).values()} >= {"error"}
