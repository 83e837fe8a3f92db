"""Downloads as plugins declare them."""

import pytest

from genre.parts import Archive, Download

ARCHIVE = Archive(name="small.zip", folder="small", files=("news.tsv",))


@pytest.mark.parametrize("name", ["../x.zip", "a/b.zip", "", ".zip"])
def test_an_archive_s_name_leads_nowhere_else(name: str) -> None:
    with pytest.raises(ValueError, match="must be a file name"):
        Archive(name=name, folder="a", files=("news.tsv",))


def test_a_mirror_of_a_plugin_is_encrypted() -> None:
    with pytest.raises(ValueError, match="must start with https"):
        Download(name="a", summary="A", licence="", licence_url="", mirrors=("http://x",), archives=(ARCHIVE,))
