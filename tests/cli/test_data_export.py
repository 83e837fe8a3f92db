"""`genre data export`: a data set as MIND's files, for other projects."""

from pathlib import Path

from command_line import Genre


def test_an_enriched_set_is_read_again_from_its_files(genre: Genre, fake_plugin: Path, small_folder: Path) -> None:
    assert genre("enrich", small_folder, "--task", "news-summarizer", "--out", "rich").code == 0
    outcome = genre("data", "export", "rich", "--out", "files")
    assert outcome.code == 0, outcome.err
    assert outcome.out == "files: dev, train\n"
    assert genre("data", "import", "mind", "-o", "folder=files", "--out", "again").code == 0
    for command in (("show", "rich", "--news", "N1"), ("show", "again", "--news", "N1")):
        assert "title of N1 0" in genre("data", *command).out


def test_the_original_texts_are_written_where_they_are_asked_for(
    genre: Genre, fake_plugin: Path, small_folder: Path
) -> None:
    assert genre("enrich", small_folder, "--task", "news-summarizer", "--out", "rich").code == 0
    assert genre("data", "export", "rich", "--out", "files", "--texts", "original").code == 0
    assert "A weekend in Paris" in (fake_plugin / "files" / "train" / "news.tsv").read_text()


def test_what_is_there_is_not_touched(genre: Genre, small_folder: Path, tmp_path: Path) -> None:
    (tmp_path / "files").mkdir()
    (tmp_path / "files" / "thesis.txt").write_text("years")
    outcome = genre("data", "export", "small", "--out", "files")
    assert outcome.code == 2
    assert "files: there is something already" in outcome.err
    assert [path.name for path in (tmp_path / "files").iterdir()] == ["thesis.txt"]


def test_a_version_that_no_text_has_is_told(genre: Genre, small_folder: Path) -> None:
    outcome = genre("data", "export", "small", "--out", "files", "--texts", "none")
    assert outcome.code == 2
    assert "'none'" in outcome.err
