"""`genre export`: from a training to a folder that recommends."""

from pathlib import Path

from command_line import Genre

QUICK = ("-o", "training.epochs=1", "-o", "baseline.dim=16", "-o", "features.texts={title=8}")


def test_a_trained_model_is_evaluated_exported_and_recommends_the_same(genre: Genre, small_folder: Path) -> None:
    assert genre("train", "small", "--baseline", "nrms", "--out", "model", *QUICK).code == 0
    evaluated = genre("evaluate", "model", "small", "--split", "dev", "--json")
    Path("results.json").write_text(evaluated.out, encoding="utf-8")
    outcome = genre("export", "model", "--out", "export", "--results", "results.json")
    assert (outcome.code, outcome.err) == (0, "")
    assert "README.md" in outcome.out
    card = Path("export/README.md").read_text(encoding="utf-8")
    assert "| small | dev | all |" in card
    asked = ("small", "--user", "new", "--json")
    assert genre("recommend", "export", *asked).out == genre("recommend", "model", *asked).out


def test_an_altered_export_is_refused_with_the_file(genre: Genre, small_folder: Path) -> None:
    assert genre("train", "small", "--baseline", "nrms", "--out", "model", *QUICK).code == 0
    assert genre("export", "model", "--out", "export").code == 0
    with Path("export/vocabulary.json").open("a", encoding="utf-8") as file:
        file.write(" ")
    outcome = genre("recommend", "export", "small", "--user", "new")
    assert outcome.code == 2
    assert "export/vocabulary.json: the file was altered or damaged" in outcome.err


def test_a_model_that_is_not_there_is_told(genre: Genre) -> None:
    outcome = genre("export", "nowhere", "--out", "export")
    assert outcome.code == 2
    assert "nowhere/model.json: no model here" in outcome.err


def test_a_folder_that_cannot_be_made_is_told(genre: Genre, small_folder: Path) -> None:
    assert genre("train", "small", "--baseline", "nrms", "--out", "model", *QUICK).code == 0
    Path("notes").write_text("a file", encoding="utf-8")
    outcome = genre("export", "model", "--out", "notes/below")
    assert outcome.code == 2
    assert "notes/below: the folder cannot be made" in outcome.err
