"""Downloads from servers that are interrupted, wrong, slow or hostile."""

import hashlib
import json
import signal
import zipfile
from pathlib import Path
from typing import Any

import pytest
from file_server import FileServer, cut, ranged, whole, zipped
from servers import Reply, Request

from genre.downloads import Fetched, Patience, download
from genre.downloads.fetching import leaves_encryption
from genre.errors import RunError, UsageError
from genre.parts import Archive, Download
from genre.staging import WriteFailed

FILES = {"news.tsv": b"N1\n" * 500, "behaviors.tsv": bytes(range(256)) * 20, "entities.vec": b"1 2 3\n"}
CONTENT = zipped(FILES)
ARCHIVE = Archive(
    name="small_train.zip", folder="small_train", files=("news.tsv", "behaviors.tsv"), further=("entities.vec",)
)
SMALL = Download(
    name="small",
    summary="A small one",
    licence="For tests",
    licence_url="https://example.org/licence",
    mirrors=("https://example.org/never-asked",),
    archives=(ARCHIVE,),
)
QUICK = Patience(timeout=5, attempts=2, wait=0)


def fetch(out: Path, *mirrors: str, what: Download = SMALL, **options: Any) -> list[Fetched]:
    return download(what, out, **{"accept_license": True, "mirrors": mirrors, "patience": QUICK, **options})


def held(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


def test_an_archive_is_fetched_unpacked_and_its_checksum_recorded(tmp_path: Path) -> None:
    with FileServer(lambda request: ranged(CONTENT, request)) as server:
        [one] = fetch(tmp_path / "mind", server.mirror)
    assert [request.path for request in server.requests] == ["/files/small_train.zip"]
    assert held(tmp_path / "mind" / "small_train") == FILES
    assert (one.came, one.first) == ("fetched", True)
    checksum = hashlib.sha256(CONTENT).hexdigest()
    assert (tmp_path / "mind" / "SHA256SUMS").read_text() == f"{checksum}  small_train.zip\n"
    assert names(tmp_path / "mind") == {"small_train", "SHA256SUMS"}


def test_nothing_is_fetched_before_the_licence_is_accepted(tmp_path: Path) -> None:
    with FileServer() as server, pytest.raises(UsageError, match="--accept-license"):
        fetch(tmp_path / "mind", server.mirror, accept_license=False)
    assert not server.requests
    assert not (tmp_path / "mind").exists()


def test_what_is_there_is_not_fetched_again(tmp_path: Path) -> None:
    with FileServer(lambda request: ranged(CONTENT, request)) as server:
        fetch(tmp_path, server.mirror)
        [one] = fetch(tmp_path, server.mirror)
    assert (one.came, len(server.requests)) == ("there", 1)


def test_a_connection_that_breaks_is_gone_on_from(tmp_path: Path) -> None:
    with FileServer(lambda request: cut(CONTENT, 100) if not request.number else ranged(CONTENT, request)) as server:
        fetch(tmp_path, server.mirror)
    again = server.requests[1].headers
    assert (again["range"], again["if-range"]) == ("bytes=100-", '"first"')
    assert held(tmp_path / "small_train") == FILES


def test_a_server_that_stalls_is_given_up_and_gone_on_from(tmp_path: Path) -> None:
    with FileServer(
        lambda request: cut(CONTENT, 100, "stall") if not request.number else ranged(CONTENT, request)
    ) as server:
        fetch(tmp_path, server.mirror, patience=Patience(timeout=0.2, attempts=2, wait=0))
    assert server.requests[1].headers["range"] == "bytes=100-"
    assert held(tmp_path / "small_train") == FILES


def test_a_server_that_never_answers_leads_to_the_next_mirror(tmp_path: Path) -> None:
    with (
        FileServer(lambda _: Reply(manner="hang")) as silent,
        FileServer(lambda request: ranged(CONTENT, request)) as server,
    ):
        fetch(tmp_path, silent.mirror, server.mirror, patience=Patience(timeout=0.2, attempts=2, wait=0))
    assert (len(silent.requests), len(server.requests)) == (2, 1)


def test_an_interrupted_call_is_gone_on_from_by_the_next_one(tmp_path: Path) -> None:
    def interrupt(_name: str, done: int, _total: int | None) -> None:
        if done:
            raise KeyboardInterrupt

    with FileServer(lambda request: cut(CONTENT, 100) if not request.number else ranged(CONTENT, request)) as server:
        with pytest.raises(KeyboardInterrupt):
            fetch(tmp_path, server.mirror, on_bytes=interrupt)
        assert (tmp_path / "small_train.zip.part").read_bytes() == CONTENT[:100]
        fetch(tmp_path, server.mirror)
    assert server.requests[1].headers["range"] == "bytes=100-"
    assert names(tmp_path) == {"small_train", "SHA256SUMS"}


def test_a_part_that_is_whole_already_is_not_fetched_again(tmp_path: Path) -> None:
    def interrupt(_name: str, done: int, _total: int | None) -> None:
        if done == len(CONTENT):
            raise KeyboardInterrupt

    with FileServer(lambda request: ranged(CONTENT, request)) as server:
        with pytest.raises(KeyboardInterrupt):
            fetch(tmp_path, server.mirror, on_bytes=interrupt)
        fetch(tmp_path, server.mirror)
    assert server.requests[1].headers["range"] == f"bytes={len(CONTENT)}-"
    assert held(tmp_path / "small_train") == FILES


def test_ctrl_c_while_an_archive_is_unpacked_ends_it_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    gone_on = []

    def interrupted(*_: object) -> None:
        signal.raise_signal(signal.SIGINT)
        gone_on.append(True)

    monkeypatch.setattr("genre.downloads.downloading.unpack", interrupted)
    with FileServer(lambda request: ranged(CONTENT, request)) as server, pytest.raises(KeyboardInterrupt):
        fetch(tmp_path, server.mirror)
    assert not gone_on
    assert (tmp_path / "small_train.zip.part").read_bytes() == CONTENT


def test_what_a_server_brings_again_and_again_is_no_progress(tmp_path: Path) -> None:
    def endless(request: Request) -> Reply:
        return Reply(404) if request.number > 20 else Reply(200, CONTENT[: 100 + request.number % 2], {}, "truncate")

    with FileServer(endless) as server, pytest.raises(RunError, match="given up after 2 attempts"):
        fetch(tmp_path, server.mirror)
    assert len(server.requests) == 4


def test_a_password_in_an_address_is_neither_shown_nor_kept(tmp_path: Path) -> None:
    with FileServer(lambda _: cut(CONTENT, 100)) as server, pytest.raises(RunError) as told:
        fetch(tmp_path, server.mirror.replace("http://", "http://me:secret@"))
    assert "authorization" in server.requests[0].headers
    assert "secret" not in str(told.value)
    assert json.loads((tmp_path / "small_train.zip.part.json").read_text())["url"] == (
        f"{server.mirror}/small_train.zip"
    )


def test_a_disk_that_is_full_at_the_end_leaves_what_was_fetched(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise WriteFailed("the list of checksums cannot be written: No space left on device")

    monkeypatch.setattr("genre.downloads.downloading.record", full)
    with FileServer(lambda request: ranged(CONTENT, request)) as server:
        with pytest.raises(WriteFailed, match="No space left"):
            fetch(tmp_path, server.mirror)
        assert len(server.requests) == 1
    assert (tmp_path / "small_train.zip.part").read_bytes() == CONTENT


def test_what_cannot_be_written_is_not_the_mirror_s_fault(tmp_path: Path) -> None:
    (tmp_path / "small_train.zip.part").mkdir()
    with FileServer(lambda request: ranged(CONTENT, request)) as server:
        with pytest.raises(RunError, match="the archive cannot be written"):
            fetch(tmp_path, server.mirror)
        assert len(server.requests) == 1


@pytest.mark.parametrize(
    ("way", "leaves"),
    [
        (["https://a", "https://b"], False),
        (["https://a", "http://b", "https://c"], True),
        (["https://a", "http://b"], True),
        (["http://a", "http://b"], False),
    ],
)
def test_an_encrypted_way_has_to_stay_so(way: list[str], leaves: bool) -> None:
    assert leaves_encryption(way) is leaves


OTHER = zipped({**FILES, "news.tsv": b"N2\n" * 700})


def test_a_changed_file_is_fetched_from_its_start(tmp_path: Path) -> None:
    with FileServer(
        lambda request: cut(CONTENT, 100) if not request.number else ranged(OTHER, request, '"second"')
    ) as server:
        fetch(tmp_path, server.mirror)
    assert (tmp_path / "small_train" / "news.tsv").read_bytes() == b"N2\n" * 700


def test_a_server_that_ignores_if_range_does_not_mix_two_versions(tmp_path: Path) -> None:
    def careless(request: Request) -> Reply:
        if not request.number:
            return cut(CONTENT, 100)
        if "range" in request.headers:
            said = f"bytes 100-{len(OTHER) - 1}/{len(OTHER)}"
            return Reply(206, OTHER[100:], {"ETag": '"second"', "Content-Range": said})
        return whole(OTHER, '"second"')

    with FileServer(careless) as server:
        fetch(tmp_path, server.mirror)
    assert "range" not in server.requests[2].headers
    assert (tmp_path / "small_train" / "news.tsv").read_bytes() == b"N2\n" * 700


def test_a_server_that_ignores_range_is_read_from_the_start(tmp_path: Path) -> None:
    with FileServer(lambda request: cut(CONTENT, 100) if not request.number else whole(CONTENT)) as server:
        fetch(tmp_path, server.mirror)
    assert held(tmp_path / "small_train") == FILES


@pytest.mark.parametrize("headers", [{}, {"ETag": 'W/"weak"'}], ids=["no tag", "a weak tag"])
def test_without_a_strong_tag_the_rest_is_not_asked_for(tmp_path: Path, headers: dict[str, str]) -> None:
    with FileServer(
        lambda request: Reply(200, CONTENT[:100], headers, "truncate") if not request.number else whole(CONTENT, "")
    ) as server:
        fetch(tmp_path, server.mirror)
    assert "range" not in server.requests[1].headers


def test_an_archive_that_is_missing_is_fetched_from_the_next_mirror(tmp_path: Path) -> None:
    with (
        FileServer(lambda _: Reply(404)) as empty,
        FileServer(lambda request: ranged(CONTENT, request)) as server,
    ):
        fetch(tmp_path, empty.mirror, server.mirror)
    assert len(empty.requests) == 1
    assert held(tmp_path / "small_train") == FILES


def test_when_no_mirror_has_it_each_one_s_answer_is_told(tmp_path: Path) -> None:
    with FileServer(lambda _: Reply(404)) as empty, FileServer(lambda _: Reply(503)) as busy:
        with pytest.raises(RunError, match="no mirror has") as told:
            fetch(tmp_path, empty.mirror, busy.mirror)
        assert f"{empty.mirror}/small_train.zip: HTTP 404" in str(told.value)
        assert "given up after 2 attempts that brought nothing: HTTP 503" in str(told.value)
        assert "--from" in str(told.value)
    assert len(busy.requests) == 2
    assert names(tmp_path) == set()


def test_an_archive_that_is_not_what_it_was_leaves_no_file(tmp_path: Path) -> None:
    with FileServer(lambda request: ranged(CONTENT, request)) as server:
        fetch(tmp_path, server.mirror)
    for path in (tmp_path / "small_train").iterdir():
        path.unlink()
    (tmp_path / "small_train").rmdir()
    with FileServer(lambda request: ranged(OTHER, request)) as server, pytest.raises(RunError, match="SHA-256"):
        fetch(tmp_path, server.mirror)
    assert names(tmp_path) == {"SHA256SUMS"}


def test_a_corrupted_mirror_leads_to_the_next_one(tmp_path: Path) -> None:
    damaged = CONTENT[:60] + bytes(40) + CONTENT[100:]
    with (
        FileServer(lambda request: ranged(damaged, request)) as bad,
        FileServer(lambda request: ranged(CONTENT, request)) as good,
    ):
        fetch(tmp_path, bad.mirror, good.mirror)
    assert held(tmp_path / "small_train") == FILES


def test_a_page_instead_of_an_archive_leaves_no_file(tmp_path: Path) -> None:
    with (
        FileServer(lambda _: Reply(200, b"<html>please log in</html>")) as server,
        pytest.raises(RunError, match="no zip archive"),
    ):
        fetch(tmp_path, server.mirror)
    assert names(tmp_path) == set()


HOSTILE = {
    "a name that leads out": ({**FILES, "../../news.tsv": b"x"}, "leads out of the archive"),
    "an absolute name": ({**FILES, "/etc/news.tsv": b"x"}, "leads out of the archive"),
    "a drive": ({**FILES, "C:\\news.tsv": b"x"}, "leads out of the archive"),
    "a name with other slashes": ({**FILES, "..\\news.tsv": b"x"}, "leads out of the archive"),
    "two files of one name": ({**FILES, "more/news.tsv": b"x"}, "several files news.tsv"),
    "a missing file": ({"news.tsv": b"x"}, "it has no behaviors.tsv"),
}


@pytest.mark.parametrize(("files", "message"), HOSTILE.values(), ids=HOSTILE)
def test_a_hostile_archive_leaves_no_file(tmp_path: Path, files: dict[str, bytes], message: str) -> None:
    with FileServer(lambda request: ranged(zipped(files), request)) as server, pytest.raises(RunError, match=message):
        fetch(tmp_path / "out" / "mind", server.mirror)
    assert names(tmp_path / "out" / "mind") == set()
    assert names(tmp_path / "out") == {"mind"}


def test_a_bomb_is_not_unpacked(tmp_path: Path) -> None:
    small = Archive(name="a.zip", folder="a", files=("news.tsv",), most_bytes=100_000)
    what = Download(name="a", summary="A", licence="", licence_url="", mirrors=(), archives=(small,))
    bomb = zipped({"news.tsv": bytes(10_000_000)})
    assert len(bomb) < 100_000
    with (
        FileServer(lambda request: ranged(bomb, request)) as server,
        pytest.raises(RunError, match="unpacks to 10,000,000 bytes"),
    ):
        fetch(tmp_path, server.mirror, what=what)
    assert names(tmp_path) == set()


@pytest.mark.parametrize("manner", ["whole", "stall"], ids=["with its length", "without"])
def test_an_archive_that_is_too_large_is_not_fetched(tmp_path: Path, manner: Any) -> None:
    small = Archive(name="a.zip", folder="a", files=("news.tsv",), most_bytes=100)
    what = Download(name="a", summary="A", licence="", licence_url="", mirrors=(), archives=(small,))
    with FileServer(lambda _: Reply(200, CONTENT, {}, manner)) as server, pytest.raises(RunError, match="bytes"):
        fetch(tmp_path, server.mirror, what=what)


def test_folders_in_the_archive_are_left_out_and_what_is_not_asked_for_too(tmp_path: Path) -> None:
    files = {f"small/{name}": content for name, content in FILES.items()}
    content = zipped({**files, "small/run.sh": b"rm", "__MACOSX/small/._news.tsv": b"x", "small/.DS_Store": b""})
    with FileServer(lambda request: ranged(content, request)) as server:
        fetch(tmp_path, server.mirror)
    assert held(tmp_path / "small_train") == FILES


def test_archives_of_a_folder_are_unpacked_without_a_licence_or_a_server(tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "small_train.zip").write_bytes(CONTENT)
    [one] = fetch(tmp_path / "mind", accept_license=False, source=tmp_path / "mine")
    assert one.came == "archive"
    assert held(tmp_path / "mind" / "small_train") == FILES
    assert names(tmp_path / "mine") == {"small_train.zip"}


def test_an_archive_of_a_folder_is_compared_with_the_recorded_checksum(tmp_path: Path) -> None:
    (tmp_path / "small_train.zip").write_bytes(OTHER)
    (tmp_path / "mind").mkdir()
    (tmp_path / "mind" / "SHA256SUMS").write_text(f"{hashlib.sha256(CONTENT).hexdigest()}  small_train.zip\n")
    with pytest.raises(RunError, match="was recorded when it was first used"):
        fetch(tmp_path / "mind", source=tmp_path)
    assert names(tmp_path / "mind") == {"SHA256SUMS"}


def test_unpacked_folders_are_copied(tmp_path: Path) -> None:
    (tmp_path / "mine" / "small_train").mkdir(parents=True)
    with zipfile.ZipFile(tmp_path / "small.zip", "w") as archive:
        for name, content in FILES.items():
            archive.writestr(name, content)
    with zipfile.ZipFile(tmp_path / "small.zip") as archive:
        archive.extractall(tmp_path / "mine" / "small_train")
    (tmp_path / "mine" / "small_train" / "notes.txt").write_text("not asked for")
    [one] = fetch(tmp_path / "mind", source=tmp_path / "mine")
    assert one.came == "folder"
    assert held(tmp_path / "mind" / "small_train") == FILES


def test_a_folder_without_the_files_is_told(tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    with pytest.raises(UsageError, match=r"neither small_train.zip nor small_train/news.tsv"):
        fetch(tmp_path / "mind", source=tmp_path / "mine")


def test_a_folder_that_is_in_the_way_is_told(tmp_path: Path) -> None:
    (tmp_path / "small_train").mkdir()
    with pytest.raises(UsageError, match=r"the folder is there, without news.tsv"):
        fetch(tmp_path, "http://127.0.0.1:9")


def test_what_is_no_checksum_is_told_with_its_line(tmp_path: Path) -> None:
    (tmp_path / "SHA256SUMS").write_text("abc  small_train.zip\n")
    with pytest.raises(UsageError, match="SHA256SUMS:1"):
        fetch(tmp_path, "http://127.0.0.1:9")


NO_ADDRESSES = [
    "ftp://example.org",
    "example.org",
    "file:///etc",
    "http://",
    "http://[",
    "https://host:99999999",
    "http://exa mple",
    "http://a\x1b[31mb",
    "https://example.org/files?key=1",
]


@pytest.mark.parametrize("mirror", NO_ADDRESSES)
def test_a_mirror_is_an_address(tmp_path: Path, mirror: str) -> None:
    with pytest.raises(UsageError, match="is no address"):
        fetch(tmp_path, mirror)
