"""Pre-trained word vectors: what is read of a file, what is refused, and what becomes of them in a model."""

import gzip
import io
import json
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from command_line import Genre
from hypothesis import given
from hypothesis import strategies as st

from genre.dataset import Dataset, save_dataset
from genre.errors import UsageError
from genre.modeling.batches import news_batch
from genre.modeling.checkpoint import TrainedModel, load_model, save_model
from genre.modeling.composition import build_recommender
from genre.modeling.features import prepare_features
from genre.modeling.recommender import Recommender
from genre.modeling.scoring import score_split
from genre.modeling.settings import FeatureSettings, TrainingSettings
from genre.modeling.training import train
from genre.modeling.word_vectors import read_word_vectors, word_vectors_width
from genre.registry import Registry
from genre.testing.planted import planted_dataset
from genre_baselines.embeddings import IdEmbedding

GLOVE = "goal 1 2 3\nmatch -0.5 1e-3 0\nof 7 8 9\n"
WORDS = ("[UNK]", "match", "goal", "zyzzyva")


def written(folder: Path, text: str | bytes, name: str = "vectors.txt") -> Path:
    path = folder / name
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return path


def zipped(**members: str) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in members.items():
            archive.writestr(name, text)
    return buffer.getvalue()


def rows_of(path: Path, words: tuple[str, ...] = WORDS) -> list[list[float] | None]:
    rows = read_word_vectors(path, words).rows
    return [None if np.isnan(row).any() else row.tolist() for row in rows]


FILES: dict[str, tuple[str, Callable[[str], bytes]]] = {
    "plain": ("vectors.txt", str.encode),
    "with Windows line ends": ("vectors.txt", lambda text: text.replace("\n", "\r\n").encode()),
    "with blanks at the ends": ("vectors.vec", lambda text: text.replace("\n", " \n").encode()),
    "with word2vec's header": ("vectors.vec", lambda text: f"3 3\n{text}".encode()),
    "gzipped": ("vectors.txt.gz", lambda text: gzip.compress(text.encode())),
    "zipped": ("vectors.zip", lambda text: zipped(**{"folder/": "", "folder/glove.txt": text})),
}


@pytest.mark.parametrize("file", FILES)
def test_every_form_of_file_gives_the_same_vectors(tmp_path: Path, file: str) -> None:
    name, form = FILES[file]
    path = written(tmp_path, form(GLOVE), name)
    assert word_vectors_width(path) == 3
    assert rows_of(path) == [None, pytest.approx([-0.5, 0.001, 0]), [1, 2, 3], None]


def test_the_share_is_of_the_words_without_the_stand_in_for_others(tmp_path: Path) -> None:
    vectors = read_word_vectors(written(tmp_path, GLOVE), WORDS)
    assert (vectors.found, vectors.known) == (2, 3)
    assert vectors.share == pytest.approx(2 / 3)
    assert read_word_vectors(written(tmp_path, GLOVE), WORDS[:1]).share == 0.0


def test_the_stand_in_for_unknown_words_gets_no_vector(tmp_path: Path) -> None:
    assert rows_of(written(tmp_path, "[UNK] 1 2\ngoal 3 4\n"), ("[UNK]", "goal")) == [None, [3, 4]]


def test_the_first_vector_of_a_word_counts(tmp_path: Path) -> None:
    vectors = read_word_vectors(written(tmp_path, "goal 1 2\ngoal 3 4\n"), WORDS)
    assert vectors.rows[2].tolist() == [1, 2]
    assert vectors.found == 1


def test_a_word_may_hold_spaces(tmp_path: Path) -> None:
    path = written(tmp_path, "goal 1 2\n. . . 3 4\nat name@domain.com 5 6\nmatch 7 8\n")
    assert rows_of(path) == [None, [7, 8], [1, 2], None]
    assert rows_of(path, ("[UNK]", "at name@domain.com")) == [None, [5, 6]]


def test_the_first_word_may_hold_spaces(tmp_path: Path) -> None:
    path = written(tmp_path, ". . . 3 4\ngoal 1 2\nmatch 7 8\n")
    assert word_vectors_width(path) == 2
    assert rows_of(path, ("[UNK]", "goal", ". . .")) == [None, [1, 2], [3, 4]]


def test_two_counts_are_a_header_only_when_the_lines_agree(tmp_path: Path) -> None:
    assert rows_of(written(tmp_path, "7 3\na 2\nb 1\n"), ("[UNK]", "7", "a")) == [None, [3], [2]]
    assert rows_of(written(tmp_path, "2 2\na 2 3\nb 1 4\n"), ("[UNK]", "2", "a")) == [None, None, [2, 3]]


def test_a_byte_order_mark_is_no_part_of_the_first_word(tmp_path: Path) -> None:
    assert rows_of(written(tmp_path, "\ufeffgoal 1 2\nmatch 3 4\n")) == [None, [3, 4], [1, 2], None]


def test_a_word_may_hold_a_line_separator_that_is_no_line_end(tmp_path: Path) -> None:
    assert rows_of(written(tmp_path, "goal 1 2\n\u2028\x85 3 4\n"), ("[UNK]", "\u2028\x85")) == [None, [3, 4]]


def test_only_lines_of_wanted_words_are_parsed_strictly(tmp_path: Path) -> None:
    assert rows_of(written(tmp_path, "goal 1 2\nother x nan\n"))[2] == [1, 2]


words_and_vectors = st.dictionaries(
    st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\r\n \ufeff"), min_size=1),
    st.lists(st.floats(width=32, allow_nan=False, allow_infinity=False), min_size=3, max_size=3),
    min_size=1,
)


@given(words_and_vectors, st.sampled_from(["", ".gz", ".zip"]))
def test_what_is_written_is_read_again(
    tmp_path_factory: pytest.TempPathFactory, vectors: dict[str, list[float]], suffix: str
) -> None:
    text = "".join(f"{word} {' '.join(map(repr, numbers))}\n" for word, numbers in vectors.items())
    content = {"": str.encode, ".gz": lambda text: gzip.compress(text.encode()), ".zip": lambda text: zipped(v=text)}
    path = written(tmp_path_factory.getbasetemp(), content[suffix](text), f"round-trip{suffix}")
    read = read_word_vectors(path, ["", *vectors])
    assert read.rows[1:].tolist() == list(vectors.values())
    assert read.share == 1.0


MISTAKES = {
    "no number": ("goal 1 2\nmatch 1 x\n", ":2", "not a number: .*'x'"),
    "no number in the first line": ("goal 1 x\n", ":1", "'goal 1 x' is no word with numbers"),
    "two blanks": ("goal 1 2\nmatch 1  2\n", ":2", "where other lines have 2"),
    "too few numbers": ("goal 1 2\n\nmatch 1\n", ":3", "1 numbers where other lines have 2"),
    "too many numbers": ("goal 1 2\nother 1 2 3\n", ":2", "3 numbers where other lines have 2"),
    "a word alone": ("goal\n", ":1", "'goal' is no word with numbers"),
    "not a number (NaN)": ("goal 1 nan\n", ":1", "the vector of 'goal' is not finite"),
    "infinity": ("match 1 2\ngoal 1 -inf\n", ":2", "not finite"),
    "more than single precision holds": ("goal 1 1e39\n", ":1", "not finite"),
    "another separator": ("goal\t1\t2\n", ":1", "no word with numbers"),
    "a header that counts other numbers": ("400 300\ngoal 1 2\nmatch 1 2\n", ":1", "says 300 .* have 2"),
    "a number as Python alone writes it": ("match 1 2\ngoal 1_0 2\n", ":2", "not a number: .*'1_0'"),
    "nothing": ("", "", "the file is empty"),
    "a header alone": ("3 3\n", "", "the file is empty"),
    "bytes that are not UTF-8": (b"goal 1 2\nmatch\xff 1 2\n", ":2", "not UTF-8"),
    "no line end": (b"goal 1 2\n" + b"0" * (1 << 18), ":2", "a line without an end"),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_wrong_file_is_an_error_with_its_place_and_remedy(tmp_path: Path, mistake: str) -> None:
    text, line, message = MISTAKES[mistake]
    path = written(tmp_path, text)
    with pytest.raises(UsageError, match=message) as raised:
        read_word_vectors(path, WORDS)
    assert raised.value.where == f"{path}{line}"
    assert "GloVe's text format" in str(raised.value.remedy)


def test_a_missing_file_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="cannot be read"):
        word_vectors_width(tmp_path / "nowhere.txt")


def test_an_archive_of_several_files_is_an_error_that_lists_them(tmp_path: Path) -> None:
    path = written(tmp_path, zipped(**{"glove.50d.txt": GLOVE, "glove.100d.txt": GLOVE}), "glove.zip")
    with pytest.raises(UsageError, match=r"2 files \('glove\.50d\.txt', 'glove\.100d\.txt'\)") as raised:
        word_vectors_width(path)
    assert "unpack" in str(raised.value.remedy)


@pytest.mark.parametrize("name", ["vectors.zip", "vectors.gz"])
@pytest.mark.parametrize("content", [b"", b"goal 1 2\n", b"PK\x03\x04junk", b"\x1f\x8bjunk"])
def test_something_else_than_an_archive_is_an_error(tmp_path: Path, name: str, content: bytes) -> None:
    path = written(tmp_path, content, name)
    with pytest.raises(UsageError) as raised:
        read_word_vectors(path, WORDS)
    assert str(raised.value.where).startswith(str(path))


def long_text() -> str:
    """Too long for one block of a compressor."""
    numbers = np.random.default_rng(0).normal(size=(4000, 3))
    return "".join(f"w{number} {row[0]} {row[1]} {row[2]}\n" for number, row in enumerate(numbers))


@pytest.mark.parametrize("name", ["vectors.zip", "vectors.gz"])
@pytest.mark.parametrize("damage", ["cut", "overwritten"])
def test_a_damaged_archive_is_an_error(tmp_path: Path, name: str, damage: str) -> None:
    content = zipped(v=long_text()) if name.endswith("zip") else gzip.compress(long_text().encode())
    middle = len(content) // 2
    damaged = content[:middle] if damage == "cut" else content[:middle] + b"\xff" * 64 + content[middle + 64 :]
    with pytest.raises(UsageError):
        read_word_vectors(written(tmp_path, damaged, name), WORDS)


def test_an_archive_of_an_unknown_compression_or_with_a_password_is_an_error(tmp_path: Path) -> None:
    content = zipped(v=GLOVE)
    central = content.index(b"PK\x01\x02")
    for place, value in ((central + 10, 99), (central + 8, 1)):  # compression method; flags
        changed = bytearray(content)
        changed[place] = value
        changed[place - central - 2] = value
        with pytest.raises(UsageError, match="cannot be read"):
            read_word_vectors(written(tmp_path, bytes(changed), "vectors.zip"), WORDS)


def test_an_archive_whose_file_names_a_place_elsewhere_writes_nothing(tmp_path: Path) -> None:
    (tmp_path / "deep").mkdir()
    path = written(tmp_path / "deep", zipped(**{"../../etc/passwd": GLOVE}), "vectors.zip")
    assert rows_of(path)[2] == [1, 2, 3]
    assert sorted(each.name for each in tmp_path.rglob("*")) == ["deep", "vectors.zip"]


def test_an_archive_that_declares_a_huge_file_is_read_as_far_as_there_is_something(tmp_path: Path) -> None:
    content = bytearray(zipped(v=GLOVE))
    central = content.index(b"PK\x01\x02")
    content[central + 24 : central + 28] = b"\xff\xff\xff\x7f"  # its size
    assert rows_of(written(tmp_path, bytes(content), "vectors.zip"))[2] == [1, 2, 3]


def test_a_bomb_of_one_endless_line_is_an_error_before_it_fills_memory(tmp_path: Path) -> None:
    path = written(tmp_path, zipped(v="0" * 30_000_000), "vectors.zip")
    assert path.stat().st_size < 100_000
    with pytest.raises(UsageError, match="a line without an end"):
        word_vectors_width(path)


# -- in a model -----------------------------------------------------------------------------------------------------

LIKED = ("goal", "team", "market")


def file_of(folder: Path, width: int, words: tuple[str, ...] = LIKED, value: float = 1.0) -> Path:
    lines = [f"{word} {' '.join([str(value + number)] * width)}\n" for number, word in enumerate(words)]
    return written(folder, "".join(lines), "vectors.txt")


def built(registry: Registry, dataset: Dataset, path: Path, baseline: str = "naml") -> TrainedModel:
    settings = FeatureSettings(texts={"title": 8}, categories=(), word_vectors=str(path))
    features = prepare_features(dataset, settings)
    vectors = read_word_vectors(path, features.vocabulary.words)
    recommender = build_recommender(
        registry, baseline, features.vocabulary, settings, fusion=False, dim=16, word_vectors=vectors.as_embedding()
    )
    return TrainedModel(recommender, features.vocabulary, settings)


def words_of(recommender: Recommender) -> IdEmbedding:
    [embedding] = [module for module in recommender.modules() if isinstance(module, IdEmbedding)]
    return embedding


@pytest.mark.parametrize("width", [16, 5])
def test_embeddings_start_from_the_vectors_where_there_are_some(
    registry: Registry, dataset: Dataset, tmp_path: Path, width: int
) -> None:
    model = built(registry, dataset, file_of(tmp_path, width))
    embedding = words_of(model.recommender)
    rows = dict(zip(model.vocabulary.words, embedding.table.weight.tolist(), strict=True))
    assert [rows[word] for word in LIKED] == [[1.0] * width, [2.0] * width, [3.0] * width]
    assert not any(rows["[UNK]"])
    assert all(0 < abs(number) < 1 for number in rows["doctor"])
    assert embedding(torch.tensor([[1, 2, 0]])).shape == (1, 3, 16)


def test_vectors_of_the_model_s_width_are_not_projected_and_others_are(
    registry: Registry, dataset: Dataset, tmp_path: Path
) -> None:
    same = words_of(built(registry, dataset, file_of(tmp_path, 16)).recommender)
    other = words_of(built(registry, dataset, file_of(tmp_path, 5)).recommender)
    assert isinstance(same.project, torch.nn.Identity)
    assert isinstance(other.project, torch.nn.Linear)
    assert other.project.weight.shape == (16, 5)


@pytest.mark.parametrize("width", [16, 5])
def test_a_trained_model_is_loaded_without_the_file(
    registry: Registry, dataset: Dataset, tmp_path: Path, width: int
) -> None:
    path = file_of(tmp_path, width)
    model = built(registry, dataset, path)
    features = prepare_features(dataset, model.settings, vocabulary=model.vocabulary)
    train(model.recommender, features, TrainingSettings(epochs=1), seed=0)
    assert not words_of(model.recommender).table.weight[0].any()
    save_model(tmp_path / "model", model)
    path.unlink()
    again = load_model(tmp_path / "model", registry)
    later = prepare_features(dataset, again.settings, vocabulary=again.vocabulary)
    before = score_split(model.recommender, features, features.split("dev"))
    assert (score_split(again.recommender, later, later.split("dev")) == before).all()


def test_a_model_of_a_file_that_got_another_width_is_loaded_again(
    registry: Registry, dataset: Dataset, tmp_path: Path
) -> None:
    for width in (5, 4):
        path = file_of(tmp_path, width)
        settings = FeatureSettings(texts={"title": 8}, categories=(), word_vectors=str(path))
        features = prepare_features(dataset, settings, cache=tmp_path / "cache")
        assert features.vocabulary.word_width == width


def test_a_language_model_from_scratch_passes_over_word_vectors(
    registry: Registry, dataset: Dataset, tmp_path: Path
) -> None:
    model = built(registry, dataset, file_of(tmp_path, 5), "plmnr")
    features = prepare_features(dataset, model.settings, vocabulary=model.vocabulary)
    vectors, _ = model.recommender.eval().news_tower(news_batch(features.news, np.arange(3)))
    assert vectors.shape == (3, 16)


def test_train_prints_the_share_of_the_vocabulary(genre: Genre, tmp_path: Path) -> None:
    save_dataset(planted_dataset(users=20), tmp_path / "data")
    file_of(tmp_path, 4)
    few = ("-o", "features.texts={title=6}", "-o", "features.categories=[]", "-o", "training.epochs=1")
    outcome = genre(
        "train", "data", "--baseline", "dcn", "--out", "model", *few, "-o", "features.word_vectors=vectors.txt"
    )
    assert outcome.code == 0, outcome.err
    assert "word vectors: found for 10.7% of the vocabulary" in outcome.out  # 3 of 28 words
    settings = json.loads((tmp_path / "model" / "model.json").read_text())["settings"]
    assert settings["word_vectors"] is None  # a saved model needs no file


def test_a_missing_file_of_word_vectors_is_told_by_train(genre: Genre, tmp_path: Path) -> None:
    save_dataset(planted_dataset(users=20), tmp_path / "data")
    outcome = genre("train", "data", "--baseline", "dcn", "--out", "model", "-o", "features.word_vectors=nowhere.txt")
    assert (outcome.code, "nowhere.txt: cannot be read" in outcome.err) == (2, True)


EXPERIMENT = """
name = "tiny"
baselines = ["dcn"]
untrained = []
report = ["dev"]

[dataset]
reader = "sample"
options = { news = 60, users = 40, train = 60, dev = 20, test = 20 }

[features]
texts = { title = 6 }
word_vectors = "vectors.txt"

[training]
epochs = 1

[overrides.dcn]
dim = 8
interaction_options = { widths = [8] }

[[variants]]
name = "original"
"""


def test_a_run_keeps_the_share_and_trains_again_when_the_file_changes(genre: Genre, tmp_path: Path) -> None:
    (tmp_path / "experiments").mkdir()
    written(tmp_path / "experiments", EXPERIMENT, "tiny.toml")
    result = tmp_path / "runs/tiny/cells/original-dcn-0/result.json"

    def run() -> dict[str, object]:
        outcome = genre("run", "experiments/tiny.toml")
        assert outcome.code == 0, outcome.err
        cell = json.loads(result.read_text())
        assert isinstance(cell, dict)
        return cell

    file_of(tmp_path / "experiments", 4, ("the", "a"))
    first, again = run(), run()
    file_of(tmp_path / "experiments", 4, ("the", "a", "in"), value=0.25)
    changed = run()
    assert 0 < first["training"]["word_vector_share"] < 1
    assert first == again
    assert changed["key"] != first["key"]
    assert changed["training"] != first["training"]
