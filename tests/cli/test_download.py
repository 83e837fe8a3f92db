"""`genre data download`, and the reader that reads what it brought."""

from pathlib import Path

from command_line import Genre
from dataset.mind_files import NEWS, behavior
from file_server import FileServer, ranged, zipped
from servers import Reply, Request

from genre.downloads import downloads
from genre.registry import Registry

ARCHIVES = {
    f"/files/MIND{size}_{split}.zip": zipped(
        {
            "news.tsv": "".join(f"{row}\n" for row in NEWS).encode(),
            "behaviors.tsv": f"{behavior('N1 N2' if split == 'test' else 'N1-1 N2-0')}\n".encode(),
        }
    )
    for size, splits in {"small": ("train", "dev"), "large": ("train", "dev", "test")}.items()
    for split in splits
}


def serve(request: Request) -> Reply:
    content = ARCHIVES.get(request.path)
    return Reply(404) if content is None else ranged(content, request)


def test_mind_is_downloaded_imported_and_its_test_split_has_no_labels(genre: Genre, tmp_path: Path) -> None:
    with FileServer(serve) as server:
        outcome = genre(
            "data", "download", "mind-large", "--out", "mind", "--accept-license", "--mirror", server.mirror
        )
    assert outcome.code == 0, outcome.err
    assert "Microsoft Research License Terms" in outcome.err
    assert outcome.out == "genre data import mind -o folder=mind --out FOLDER\n"
    assert len((tmp_path / "mind" / "SHA256SUMS").read_text().splitlines()) == 3
    imported = genre("data", "import", "mind", "-o", "folder=mind", "--out", "set")
    assert imported.code == 0, imported.err
    checked = genre("data", "check", "set")
    assert "test: 1 impressions without labels" in checked.out


def test_the_licence_has_to_be_accepted(genre: Genre) -> None:
    outcome = genre("data", "download", "mind-small", "--out", "mind")
    assert outcome.code == 2
    assert "MSR%20License_Data.pdf" in outcome.err
    assert "--accept-license" in outcome.err


def test_a_set_that_nobody_offers_is_told(genre: Genre) -> None:
    outcome = genre("data", "download", "mind-smal", "--out", "mind")
    assert (outcome.code, "did you mean 'mind-small'?" in outcome.err) == (2, True)


def test_a_mirror_without_the_archives_fails(genre: Genre) -> None:
    with FileServer(lambda _: Reply(404)) as server:
        outcome = genre("data", "download", "mind-demo", "--out", "mind", "--accept-license", "--mirror", server.mirror)
    assert outcome.code == 1
    assert "no mirror has MINDdemo_train.zip" in outcome.err


def test_archives_at_hand_are_taken(genre: Genre, tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    for path, content in ARCHIVES.items():
        (tmp_path / "mine" / Path(path).name).write_bytes(content)
    outcome = genre("data", "download", "mind-small", "--out", "mind", "--from", "mine")
    assert outcome.code == 0, outcome.err
    assert (tmp_path / "mind" / "MINDsmall_dev" / "news.tsv").is_file()


def test_every_offered_download_has_a_licence_and_mirrors() -> None:
    offered = downloads(Registry.load())
    assert {"mind-demo", "mind-small", "mind-large"} <= set(offered)
    for what, _ in offered.values():
        assert what.licence
        assert what.licence_url.startswith("https://")
        assert what.mirrors
