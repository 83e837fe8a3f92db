"""Submissions: what is written passes the check, and what is broken is told with its line."""

import json
import zipfile
from collections.abc import Callable
from pathlib import Path

import attrs
import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import ndcg_score, roc_auc_score

from genre import check_submission, write_submission
from genre.dataset import Dataset
from genre.errors import UsageError
from genre.experiments import CellPlan
from genre.experiments.models import build_model
from genre.experiments.results import Cell
from genre.experiments.submission import ENTRY, ranks_of
from genre.modeling import FeatureSettings, TrainedModel, TrainingSettings, evaluate, prepare_features
from genre.registry import Registry
from genre.testing.planted import planted_dataset


@pytest.fixture(scope="module")
def dataset() -> Dataset:
    """The split `test` is `dev` without its labels."""
    planted = planted_dataset(users=12)
    dev = planted.impressions.filter(pl.col("split") == "dev")
    test = dev.with_columns(split=pl.lit("test"), labels=pl.lit(None, dtype=pl.List(pl.UInt8)))
    return attrs.evolve(planted, impressions=pl.concat([planted.impressions, test]))


@pytest.fixture(scope="module")
def model(dataset: Dataset) -> TrainedModel:
    plan = CellPlan(
        Cell("original", "nrms", 0), Registry.load().baseline("nrms"), FeatureSettings(), TrainingSettings()
    )
    untrained = build_model(Registry.load(), dataset, plan)
    return TrainedModel(untrained.recommender, untrained.features.vocabulary, untrained.features.settings, 0, False)


@pytest.fixture
def lines(dataset: Dataset, model: TrainedModel, tmp_path: Path) -> list[str]:
    """The lines of a right submission."""
    write_submission(model, dataset, "test", tmp_path / "right.zip")
    with zipfile.ZipFile(tmp_path / "right.zip") as archive:
        return archive.read(ENTRY).decode().splitlines()


@pytest.mark.parametrize("split", ["test", "dev"], ids=["unlabelled", "labelled"])
def test_what_is_written_passes_the_check(dataset: Dataset, model: TrainedModel, tmp_path: Path, split: str) -> None:
    count = write_submission(model, dataset, split, tmp_path / "new" / "prediction.zip")
    assert count == dataset.impressions.filter(pl.col("split") == split).height
    assert check_submission(tmp_path / "new" / "prediction.zip", dataset, split) == []
    assert [path.name for path in (tmp_path / "new").iterdir()] == ["prediction.zip"]


def test_the_best_candidate_has_rank_one(dataset: Dataset, model: TrainedModel, lines: list[str]) -> None:
    features = prepare_features(dataset, model.settings, vocabulary=model.vocabulary)
    scored = evaluate(model.recommender, features, "test").scored_impressions
    for line, name, scores in zip(lines, scored["impression"], scored["scores"], strict=True):
        said, ranks = line.split(" ")
        assert said == name
        assert np.argmax(scores.to_numpy()) == json.loads(ranks).index(1)


def test_what_mind_s_evaluation_reads_has_the_metrics_of_ours(
    dataset: Dataset, model: TrainedModel, tmp_path: Path
) -> None:
    write_submission(model, dataset, "dev", tmp_path / "prediction.zip")
    with zipfile.ZipFile(tmp_path / "prediction.zip") as archive:
        said = [line.split() for line in archive.read(ENTRY).decode().splitlines()]
    features = prepare_features(dataset, model.settings, vocabulary=model.vocabulary)
    ours = evaluate(model.recommender, features, "dev").impressions
    labels = dataset.impressions.filter(pl.col("split") == "dev")["labels"].to_list()
    for (name, ranks), row, truth in zip(said, ours.iter_rows(named=True), labels, strict=True):
        scores = [1 / rank for rank in json.loads(ranks)]
        assert name == row["impression"]
        if row["auc"] is not None:
            assert roc_auc_score(truth, scores) == pytest.approx(row["auc"])
            assert ndcg_score([truth], [scores], k=5) == pytest.approx(row["ndcg@5"])


def test_equal_predictions_make_equal_archives(dataset: Dataset, model: TrainedModel, tmp_path: Path) -> None:
    for name in ("once.zip", "again.zip"):
        write_submission(model, dataset, "test", tmp_path / name)
    assert (tmp_path / "once.zip").read_bytes() == (tmp_path / "again.zip").read_bytes()


def test_pieces_do_not_matter(
    dataset: Dataset, model: TrainedModel, lines: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("genre.experiments.submission._LINES_AT_A_TIME", 3)
    write_submission(model, dataset, "test", tmp_path / "cut.zip")
    with zipfile.ZipFile(tmp_path / "cut.zip") as archive:
        assert archive.read(ENTRY).decode().splitlines() == lines


def test_impressions_with_one_id_cannot_be_submitted(dataset: Dataset, model: TrainedModel, tmp_path: Path) -> None:
    twins = attrs.evolve(dataset, impressions=dataset.impressions.with_columns(id=pl.lit("7")))
    with pytest.raises(UsageError, match="'7' stands for several impressions"):
        write_submission(model, twins, "test", tmp_path / "prediction.zip")
    assert not list(tmp_path.iterdir())


def test_an_unknown_split_is_told(dataset: Dataset, model: TrainedModel, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no split 'tset'"):
        write_submission(model, dataset, "tset", tmp_path / "prediction.zip")


def test_a_place_that_cannot_be_written_is_told_before_the_ranking(
    dataset: Dataset, model: TrainedModel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("genre.experiments.submission.evaluate", None)
    (tmp_path / "file").write_text("")
    for out in (tmp_path, tmp_path / "file" / "prediction.zip"):
        with pytest.raises(UsageError, match="the archive cannot be written"):
            write_submission(model, dataset, "test", out)


SCORES = st.lists(st.lists(st.sampled_from([-1.0, 0.0, 0.5, 2.0, 1e30]), min_size=1, max_size=8), min_size=1)


@given(SCORES)
def test_ranks_follow_the_scores_and_then_the_candidates(
    scores: list[list[float]],
) -> None:
    offsets = np.cumsum([0, *map(len, scores)])
    flat = np.array([score for each in scores for score in each], dtype=np.float32)
    ranks = ranks_of(flat, offsets)
    for each, start in zip(scores, offsets, strict=False):
        order = sorted(range(len(each)), key=lambda place: (-each[place], place))
        assert [ranks[start + place] for place in order] == list(range(1, len(each) + 1))


Broken = Callable[[list[str]], list[str]]


def changed(number: int, change: Callable[[str], str]) -> Broken:
    return lambda lines: [change(line) if place == number - 1 else line for place, line in enumerate(lines)]


def ranks(change: Callable[[list[int]], list[object]]) -> Broken:
    def rewritten(line: str) -> str:
        name, said = line.split(" ")
        return f"{name} [{','.join(map(str, change(json.loads(said))))}]"

    return changed(3, rewritten)


BROKEN: dict[str, tuple[Broken, int, str]] = {
    "a missing impression": (lambda lines: [*lines[:2], *lines[3:]], 3, "is missing"),
    "an unknown impression": (changed(3, lambda line: f"x{line}"), 3, "there is no impression"),
    "one impression too many": (lambda lines: [*lines[:2], "no-such [1,2]", *lines[2:]], 3, "there is no impression"),
    "a repeated impression": (lambda lines: [*lines[:3], lines[0], *lines[3:]], 4, "stands in line 1 already"),
    "impressions in another order": (lambda lines: [lines[1], lines[0], *lines[2:]], 2, "out of order"),
    "too few ranks": (ranks(lambda each: list(range(1, len(each)))), 3, "ranks, and"),
    "too many ranks": (ranks(lambda each: [*each, len(each) + 1]), 3, "ranks, and"),
    "a repeated rank": (ranks(lambda each: [1] * len(each)), 3, "has the rank 1 twice"),
    "a rank of zero": (ranks(lambda each: [0, *each[1:]]), 3, "has the rank 0, which is not from 1 to"),
    "a negative rank": (ranks(lambda each: [-1, *each[1:]]), 3, "has the rank -1"),
    "a rank that is too large": (ranks(lambda each: [len(each) + 1, *each[1:]]), 3, "which is not from 1 to"),
    "a huge rank": (ranks(lambda each: ["9" * 30, *each[1:]]), 3, "which is not from 1 to"),
    "a rank with a fraction": (ranks(lambda each: [f"{each[0]}.0", *each[1:]]), 3, "is no integer"),
    "a word for a rank": (ranks(lambda each: ["first", *each[1:]]), 3, "'first', which is no integer"),
    "a rank in other digits": (ranks(lambda each: ["\u0661", *each[1:]]), 3, "is no integer"),
    "no ranks": (ranks(lambda _: []), 3, "has 0 ranks"),
    "no brackets": (changed(3, lambda line: line.replace("[", "").replace("]", "")), 3, "no ranks in brackets"),
    "an open bracket": (changed(3, lambda line: line.removesuffix("]")), 3, "the bracket is not closed"),
    "something after the ranks": (changed(3, lambda line: f"{line} ok"), 3, "' ok' stands after the ranks"),
    "blanks among the ranks": (changed(3, lambda line: line.replace(",", ", ")), 3, "blanks among the ranks"),
    "tabs for the blank": (changed(3, lambda line: line.replace(" ", "\t")), 3, "no ranks in brackets"),
    "an empty line": (lambda lines: [*lines[:2], "", *lines[2:]], 3, "the line is empty"),
    "a byte order mark": (changed(1, lambda line: f"\ufeff{line}"), 1, "there is no impression '\\ufeff"),
    "an endless line": (changed(3, lambda line: f"{line}{' ' * 5_000}"), 3, "the rest is not read"),
    "another encoding": (changed(3, lambda line: f"\udcff{line}"), 3, "not valid UTF-8: the byte 0xff"),
}


def write(path: Path, entries: dict[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> Path:
    with zipfile.ZipFile(path, "w", method) as archive:
        for name, content in entries.items():
            archive.writestr(name, content)
    return path


@pytest.mark.parametrize(("broken", "line", "message"), BROKEN.values(), ids=BROKEN)
def test_a_broken_line_is_told_with_its_number(
    dataset: Dataset, lines: list[str], tmp_path: Path, broken: Broken, line: int, message: str
) -> None:
    content = "".join(f"{each}\n" for each in broken(lines)).encode(errors="surrogateescape")
    path = write(tmp_path / "prediction.zip", {ENTRY: content})
    problems = check_submission(path, dataset, "test")
    assert problems[0].where == f"{path}/{ENTRY}:{line}"
    assert message in problems[0].message


def test_the_last_line_needs_no_end(dataset: Dataset, lines: list[str], tmp_path: Path) -> None:
    path = write(tmp_path / "prediction.zip", {ENTRY: "\n".join(lines).encode()})
    assert check_submission(path, dataset, "test") == []


def test_all_that_is_missing_is_counted(dataset: Dataset, lines: list[str], tmp_path: Path) -> None:
    path = write(tmp_path / "prediction.zip", {ENTRY: f"{lines[0]}\n".encode()})
    [problem] = check_submission(path, dataset, "test")
    assert f"is missing (and {len(lines) - 2} more)" in problem.message


def test_reading_stops_after_many_problems(dataset: Dataset, tmp_path: Path) -> None:
    path = write(tmp_path / "prediction.zip", {ENTRY: b"x [1]\n" * 50})
    assert len(check_submission(path, dataset, "test", most=10)) == 10


ENTRIES: dict[str, tuple[dict[str, str], str]] = {
    "a folder around the file": ({f"mine/{ENTRY}": ENTRY}, "must not lie in a folder, as 'mine/prediction.txt' does"),
    "no file": ({}, "has no prediction.txt"),
    "another name": ({"predictions.txt": ENTRY}, "has no prediction.txt"),
    "a further file": ({ENTRY: ENTRY, "__MACOSX/._prediction.txt": ""}, "the entry '__MACOSX/._prediction.txt'"),
    "a hostile name": ({ENTRY: ENTRY, "../\x1b[31m": ""}, "the entry '../\\x1b[31m'"),
}


@pytest.mark.parametrize(("entries", "message"), ENTRIES.values(), ids=ENTRIES)
def test_an_archive_of_other_entries_is_told(
    dataset: Dataset, lines: list[str], tmp_path: Path, entries: dict[str, str], message: str
) -> None:
    right = "".join(f"{each}\n" for each in lines).encode()
    path = write(tmp_path / "prediction.zip", {name: right if what else b"" for name, what in entries.items()})
    problems = check_submission(path, dataset, "test")
    assert any(message in each.message for each in problems), problems


@pytest.mark.parametrize("content", [b"", b"not a zip", b"PK\x03\x04" + b"\x00" * 60], ids=["empty", "text", "header"])
def test_what_is_no_archive_is_told(dataset: Dataset, tmp_path: Path, content: bytes) -> None:
    (tmp_path / "prediction.zip").write_bytes(content)
    [problem] = check_submission(tmp_path / "prediction.zip", dataset, "test")
    assert "not a zip archive" in problem.message


def test_a_damaged_archive_is_told(dataset: Dataset, model: TrainedModel, tmp_path: Path) -> None:
    path = tmp_path / "prediction.zip"
    write_submission(model, dataset, "test", path)
    content = bytearray(path.read_bytes())
    content[60:80] = b"\xff" * 20
    path.write_bytes(content)
    assert any(
        "not a zip archive, or a damaged one" in each.message for each in check_submission(path, dataset, "test")
    )


def test_a_bomb_is_not_unpacked(dataset: Dataset, tmp_path: Path) -> None:
    path = write(tmp_path / "prediction.zip", {ENTRY: b"\n" * (64 << 20)})
    [problem] = check_submission(path, dataset, "test")
    assert "unpacks to 67,108,864 bytes" in problem.message


def test_another_compression_is_not_unpacked(dataset: Dataset, lines: list[str], tmp_path: Path) -> None:
    path = write(tmp_path / "prediction.zip", {ENTRY: "\n".join(lines).encode()}, zipfile.ZIP_LZMA)
    [problem] = check_submission(path, dataset, "test")
    assert "neither stored nor deflated" in problem.message


@given(
    content=st.one_of(st.binary(max_size=300), st.text(alphabet="0123456789 [],\n\r-.x", max_size=300).map(str.encode))
)
def test_no_content_is_a_traceback(dataset: Dataset, tmp_path_factory: pytest.TempPathFactory, content: bytes) -> None:
    folder = tmp_path_factory.mktemp("any")
    assert check_submission(write(folder / "prediction.zip", {ENTRY: content}), dataset, "test")
    (folder / "raw.zip").write_bytes(content)
    assert check_submission(folder / "raw.zip", dataset, "test")
