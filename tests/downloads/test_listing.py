"""What plugins offer for downloading."""

from pathlib import Path

import pytest

from genre.downloads import find_download
from genre.errors import UsageError
from genre.registry import Registry
from genre.settings import load_settings

PLUGIN = """
from genre import hookimpl
from genre.parts import Archive, DatasetPart, Download

ARCHIVE = Archive(name="a.zip", folder="a", files=("a.tsv",))
MINE = (Download(name="{name}", summary="Mine", licence="None", licence_url="", mirrors=(), archives=(ARCHIVE,)),)
WRONG = ["mine"]

@hookimpl
def genre_datasets():
    yield DatasetPart(
        name="mine", summary="Mine", target="genre_local_mine:read", downloads="genre_local_mine:{downloads}"
    )
"""


def registry(folder: Path, monkeypatch: pytest.MonkeyPatch, *, name: str = "mine", downloads: str = "MINE") -> Registry:
    (folder / "plugins").mkdir()
    code = PLUGIN.replace("{name}", name).replace("{downloads}", downloads)
    (folder / "plugins" / "mine.py").write_text(code, encoding="utf-8")
    (folder / "registry.toml").write_text('[plugins]\nfolders = ["plugins"]\n', encoding="utf-8")
    monkeypatch.chdir(folder)
    return Registry.load(load_settings())


def test_a_plugin_s_download_is_found_with_its_reader(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    what, reader = find_download(registry(tmp_path, monkeypatch), "mine")
    assert (what.summary, reader) == ("Mine", "mine")


def test_two_downloads_of_one_name_are_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(UsageError, match="two readers offer the download 'mind-small'"):
        find_download(registry(tmp_path, monkeypatch, name="mind-small"), "mind-small")


def test_something_else_than_downloads_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(UsageError, match=r"genre_local_mine:WRONG of .* is no tuple of genre.parts.Download"):
        find_download(registry(tmp_path, monkeypatch, downloads="WRONG"), "mine")
