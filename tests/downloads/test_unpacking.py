"""Whatever an archive holds, the known files come out of it, or nothing does."""

import pytest
from file_server import zipped
from hypothesis import given
from hypothesis import strategies as st

from genre.downloads.unpacking import unpack
from genre.errors import RunError
from genre.parts import Archive

ARCHIVE = Archive(name="a.zip", folder="a", files=("news.tsv",), further=("b.vec",), most_bytes=10_000)
WHOLE = zipped({"news.tsv": b"N1\n" * 100, "b.vec": bytes(range(200))})
NAMES = st.lists(st.sampled_from(["news.tsv", "b.vec", "..", ".", "", "x", "C:", "\\"]), min_size=1, max_size=4)


@given(place=st.integers(0, len(WHOLE) - 1), value=st.integers(0, 255))
def test_a_changed_byte_leaves_all_or_nothing(tmp_path_factory: pytest.TempPathFactory, place: int, value: int) -> None:
    folder = tmp_path_factory.mktemp("changed")
    (folder / "a.zip").write_bytes(WHOLE[:place] + bytes([value]) + WHOLE[place + 1 :])
    try:
        unpack(folder / "a.zip", ARCHIVE, folder / "out")
    except RunError:
        assert not any((folder / "out").iterdir())
    else:
        assert (folder / "out" / "a" / "news.tsv").read_bytes() == b"N1\n" * 100


@given(names=st.lists(NAMES.map("/".join), min_size=1, max_size=4, unique=True))
def test_names_never_become_paths(tmp_path_factory: pytest.TempPathFactory, names: list[str]) -> None:
    folder = tmp_path_factory.mktemp("named")
    (folder / "a.zip").write_bytes(zipped(dict.fromkeys(names, b"x")))
    try:
        unpack(folder / "a.zip", ARCHIVE, folder / "out")
    except RunError:
        assert not any((folder / "out").iterdir())
    assert {path.relative_to(folder).as_posix() for path in folder.rglob("*")} <= {
        "a.zip",
        "out",
        "out/a",
        "out/a/news.tsv",
        "out/a/b.vec",
    }
