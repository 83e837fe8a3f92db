"""What is wrong in a file is said with its name, its line, and what was expected."""

import gzip
from pathlib import Path

import pytest
from dataset.mind_files import NEWS, behavior, read, write_split

from genre.errors import UsageError

GOOD = behavior()


def refusal(folder: Path, **options: object) -> str:
    with pytest.raises(UsageError) as caught:
        read(folder, **options)  # type: ignore[arg-type]
    assert caught.value.remedy
    return str(caught.value)


def test_a_short_row_is_an_error_that_names_file_and_line(tmp_path: Path) -> None:
    write_split(tmp_path / "train", [GOOD, "2\tU1\t11/11/2019 9:05:58 AM\tN1"])
    message = refusal(tmp_path)
    assert f"{tmp_path / 'train' / 'behaviors.tsv'}:2: 4 columns, expected 5" in message


def test_a_long_row_is_an_error_that_names_file_and_line(tmp_path: Path) -> None:
    write_split(tmp_path / "train", [GOOD], [*NEWS, NEWS[0] + "\tmore"])
    assert f"{tmp_path / 'train' / 'news.tsv'}:4: 9 columns, expected 8" in refusal(tmp_path)


def test_a_blank_line_is_a_short_row(tmp_path: Path) -> None:
    write_split(tmp_path / "train", [GOOD, "", GOOD])
    assert "behaviors.tsv:2: 1 columns, expected 5" in refusal(tmp_path)


def test_lines_are_counted_across_blocks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("genre_datasets.tsv.BLOCK_BYTES", 5)
    write_split(tmp_path / "train", [GOOD, GOOD, GOOD, behavior(time="noon")])
    assert "behaviors.tsv:4: the time 'noon'" in refusal(tmp_path)


@pytest.mark.parametrize("packed", [False, True])
def test_bytes_that_are_not_utf8_are_an_error_that_names_the_line(tmp_path: Path, packed: bool) -> None:
    write_split(tmp_path / "train", [GOOD])
    content = "\n".join(NEWS).encode().replace(b"A third", b"caf\xe9")
    (tmp_path / "train" / "news.tsv").unlink()
    if packed:
        (tmp_path / "train" / "news.tsv.gz").write_bytes(gzip.compress(content))
    else:
        (tmp_path / "train" / "news.tsv").write_bytes(content)
    message = refusal(tmp_path)
    assert ":3: not valid UTF-8: the byte 0xe9" in message


def test_a_byte_order_mark_is_an_error(tmp_path: Path) -> None:
    write_split(tmp_path / "train", [GOOD], ["\ufeff" + NEWS[0], *NEWS[1:]])
    assert "news.tsv:1: the file starts with a byte order mark" in refusal(tmp_path)


@pytest.mark.parametrize(
    "spoil", [lambda content: content[:-9], lambda content: b"no gzip", lambda content: b"\x1f\x8b"]
)
def test_a_damaged_gzip_is_an_error(tmp_path: Path, spoil: object) -> None:
    write_split(tmp_path / "train", [GOOD], packed=True)
    path = tmp_path / "train" / "behaviors.tsv.gz"
    path.write_bytes(spoil(path.read_bytes()))  # type: ignore[operator]
    assert "behaviors.tsv.gz: the file cannot be read" in refusal(tmp_path)


def test_labelled_and_unlabelled_candidates_in_one_row_are_an_error(tmp_path: Path) -> None:
    write_split(tmp_path / "train", [GOOD, behavior("N1-1 N2")])
    message = refusal(tmp_path)
    assert "behaviors.tsv:2: labelled and unlabelled candidates in one impression: 'N2' has no label" in message


@pytest.mark.parametrize("candidates", ["N1-2", "N1-1 N2-2", "N1-1 N2-", "N1-01 N2-0", "N1-x N2-y"])
@pytest.mark.parametrize("dangling", ["error", "drop"])
def test_a_label_that_is_neither_0_nor_1_is_an_error(tmp_path: Path, candidates: str, dangling: str) -> None:
    write_split(tmp_path / "train", [GOOD, behavior(candidates)])
    message = refusal(tmp_path, dangling=dangling)
    assert "behaviors.tsv:2: the label" in message
    assert "neither 0 nor 1" in message


@pytest.mark.parametrize("time", ["", "noon", "13/11/2019 9:05:58 AM", "11/11/2019 13:05:58 PM", "2019-11-11 09:05:58"])
def test_a_bad_time_is_an_error_that_shows_the_right_form(tmp_path: Path, time: str) -> None:
    write_split(tmp_path / "train", [GOOD, behavior(time=time)])
    message = refusal(tmp_path)
    assert f"behaviors.tsv:2: the time {time!r}" in message
    assert "11/11/2019 9:05:58 AM" in message


@pytest.mark.parametrize(("column", "row"), [("impression", behavior(number="")), ("user", behavior(user=""))])
def test_an_empty_id_is_an_error(tmp_path: Path, column: str, row: str) -> None:
    write_split(tmp_path / "train", [GOOD, row])
    assert f"behaviors.tsv:2: the {column} id is empty" in refusal(tmp_path)


@pytest.mark.parametrize("name", ["", "N 4"])
def test_a_news_id_that_cannot_be_referred_to_is_an_error(tmp_path: Path, name: str) -> None:
    write_split(tmp_path / "train", [GOOD], [*NEWS, NEWS[0].replace("N1", name)])
    assert f"news.tsv:4: the news id {name!r}" in refusal(tmp_path)


@pytest.mark.parametrize("candidates", ["", "  "])
def test_an_impression_without_candidates_is_an_error(tmp_path: Path, candidates: str) -> None:
    write_split(tmp_path / "train", [GOOD, behavior(candidates)])
    assert "behaviors.tsv:2: the impression has no candidates" in refusal(tmp_path)


@pytest.mark.parametrize(
    ("row", "column"), [(behavior(history="N3 N7 N8"), "history"), (behavior("N1-1 N7-0 N8-0"), "candidates")]
)
def test_a_dangling_id_is_an_error_that_offers_to_drop(tmp_path: Path, row: str, column: str) -> None:
    write_split(tmp_path / "train", [GOOD, GOOD, row])
    message = refusal(tmp_path)
    assert f"behaviors.tsv:3: the {column} name the news 'N7'" in message
    assert "2 such ids" in message
    assert "dangling = 'drop'" in message


@pytest.mark.parametrize("name", ["news.tsv", "behaviors.tsv"])
def test_a_missing_file_is_an_error_that_names_it(tmp_path: Path, name: str) -> None:
    write_split(tmp_path / "train", [GOOD])
    (tmp_path / "train" / name).unlink()
    assert f"{tmp_path / 'train' / name}: there is no such file" in refusal(tmp_path)


def test_a_plain_and_a_packed_file_of_one_name_are_an_error(tmp_path: Path) -> None:
    write_split(tmp_path / "train", [GOOD])
    write_split(tmp_path / "train", [GOOD], packed=True)
    assert "keep one of them" in refusal(tmp_path)


def test_a_missing_folder_is_an_error(tmp_path: Path) -> None:
    assert f"{tmp_path / 'nowhere'}: there is no such folder" in refusal(tmp_path / "nowhere")


def test_a_folder_without_splits_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "training").mkdir()
    assert "no sub-folder train, dev or test" in refusal(tmp_path)


@pytest.mark.parametrize("name", ["vaild", "../elsewhere", "/tmp"])
def test_a_split_folder_that_is_not_there_is_an_error(tmp_path: Path, name: str) -> None:
    write_split(tmp_path / "set" / "valid", [GOOD])
    write_split(tmp_path / "elsewhere", [GOOD])
    message = refusal(tmp_path / "set", splits={"dev": name})
    assert f"no sub-folder {name!r} for the split 'dev'" in message
    assert "it has valid" in message


def test_two_folders_for_one_split_are_an_error(tmp_path: Path) -> None:
    for name in ("MINDsmall_train", "MINDlarge_train"):
        write_split(tmp_path / name, [GOOD])
    assert "MINDlarge_train and MINDsmall_train could both be the split 'train'" in refusal(tmp_path)
