"""An exported model opens elsewhere with the same scores, tells what it is, and not who trained it where."""

import json
import shutil
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from torch import Tensor

import genre
from genre.dataset import Dataset, LineageEntry, save_dataset
from genre.errors import UsageError
from genre.experiments.model_card import markdown_text, model_card
from genre.experiments.models import CellPlan, train_model
from genre.experiments.results import Cell
from genre.modeling import FeatureSettings, TrainedModel, TrainingSettings, save_model
from genre.registry import Registry
from genre.testing.planted import planted_dataset, with_topics
from genre_baselines.nrms import NRMSUserEncoder

REGISTRY = Registry.load()
BASELINES = ["naml", "lstur", "nrms", "plmnr", "bst", "dcn", "pnn", "din"]
HOSTILE = (
    "<script>alert(1)</script> [click](javascript:alert(2)) | `x` ![i](http://evil.example/i.png) www.evil.example"
)


@pytest.fixture(scope="module")
def dataset() -> Dataset:
    return with_topics(planted_dataset(users=20, news=40), {reader: ["football"] for reader in range(10)})


def trained(dataset: Dataset, baseline: str, *, name: str = "planted", fusion: bool = False) -> TrainedModel:
    record = attrs.evolve(REGISTRY.baseline(baseline), dim=16)
    training = TrainingSettings(epochs=1, batch_size=32)
    features = FeatureSettings(texts={"title": 8})
    plan = CellPlan(Cell(name, baseline, 0), record, features, training, fusion=fusion)
    return train_model(REGISTRY, dataset, plan).model


@pytest.fixture(scope="module")
def saved(dataset: Dataset, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A trained NRMS with fusion, saved as `genre train` does."""
    folder = tmp_path_factory.mktemp("models") / "nrms"
    save_model(folder, trained(dataset, "nrms", fusion=True))
    return folder


@pytest.mark.parametrize("baseline", BASELINES)
def test_an_export_recommends_with_the_very_same_scores(dataset: Dataset, tmp_path: Path, baseline: str) -> None:
    model = trained(dataset, baseline, fusion=True)
    save_model(tmp_path / "model", model)
    again = genre.load(genre.export_model(tmp_path / "model", tmp_path / "export"))
    for user in ("U1", "U15"):
        assert genre.recommend(again, dataset, user=user) == genre.recommend(model, dataset, user=user)
    assert (len(again.vocabulary.users) > 0) == (baseline == "lstur")


def test_a_copy_elsewhere_opens_in_a_process_of_its_own(saved: Path, dataset: Dataset, tmp_path: Path) -> None:
    genre.export_model(saved, tmp_path / "export")
    shutil.move(tmp_path / "export", tmp_path / "far" / "away")
    save_dataset(dataset, tmp_path / "data")
    code = (
        "import attrs, genre, json\n"
        "found = genre.recommend(genre.load('far/away'), 'data', user='U3')\n"
        "print(json.dumps(attrs.asdict(found)))"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == json.loads(json.dumps(attrs.asdict(genre.recommend(saved, dataset, user="U3"))))


def test_an_export_holds_these_files_and_no_path_or_user(saved: Path, dataset: Dataset, tmp_path: Path) -> None:
    genre.export_model(saved, tmp_path / "export")
    names = {path.name for path in (tmp_path / "export").iterdir()}
    assert names == {"README.md", "model.json", "model.safetensors", "vocabulary.json"}
    for path in (tmp_path / "export").iterdir():
        content = path.read_bytes()
        assert str(tmp_path).encode() not in content
        assert str(saved).encode() not in content
        assert not any(f'"{user}"'.encode() in content for user in dataset.readers["user"])


def test_ids_stay_in_a_model_that_looks_at_users_without_a_weight_for_each(
    saved: Path, dataset: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    read = NRMSUserEncoder.forward

    def with_users(self: NRMSUserEncoder, *inputs: Tensor) -> Tensor:
        return read(self, *inputs) + inputs[2][:, None, None]

    monkeypatch.setattr(NRMSUserEncoder, "forward", with_users)
    again = genre.load(genre.export_model(saved, tmp_path / "export"))
    assert len(again.vocabulary.users) == 20
    assert genre.recommend(again, dataset, user="U3") == genre.recommend(saved, dataset, user="U3")


def test_whoever_may_read_the_folder_may_read_all_of_it(saved: Path, tmp_path: Path) -> None:
    files = list(genre.export_model(saved, tmp_path / "export").iterdir())
    assert len({path.stat().st_mode for path in files}) == 1


@pytest.mark.parametrize("name", ["vocabulary.json", "model.safetensors"])
def test_an_altered_file_is_refused(saved: Path, tmp_path: Path, name: str) -> None:
    path = genre.export_model(saved, tmp_path / "export") / name
    content = bytearray(path.read_bytes())
    content[-3] ^= 1
    path.write_bytes(content)
    with pytest.raises(UsageError, match="altered or damaged") as raised:
        genre.load(tmp_path / "export")
    assert raised.value.where == str(path)
    assert "take the whole folder again" in str(raised.value.remedy)


def test_a_model_of_an_earlier_version_is_read_and_exported(saved: Path, dataset: Dataset, tmp_path: Path) -> None:
    shutil.copytree(saved, tmp_path / "old")
    path = tmp_path / "old" / "model.json"
    config = json.loads(path.read_text())
    path.write_text(json.dumps({name: value for name, value in config.items() if name not in ("files", "provenance")}))
    genre.export_model(tmp_path / "old", tmp_path / "export")
    assert "How this model was trained is not known" in (tmp_path / "export" / "README.md").read_text()
    assert genre.recommend(tmp_path / "export", dataset, user="U3") == genre.recommend(saved, dataset, user="U3")


def test_the_card_tells_fields_training_and_that_there_are_no_users(saved: Path, tmp_path: Path) -> None:
    card = (genre.export_model(saved, tmp_path / "export") / "README.md").read_text()
    for text in (
        "| title | text | 8 tokens |",
        "| subcategory | category |",
        "interests (topics and regions), which are fused",
        "The model knows no users",
        "epoch 1 of 1 was the best on the split dev",
        "| user-encoder | nrms | genre-rec",
        "reader planted",
        "field cover",
        "Leaked",
        "language models named above",
    ):
        assert (text in card) == (text not in ("Leaked", "language models named above")), text


def test_the_card_of_lstur_says_that_ids_of_users_are_in_it(dataset: Dataset, tmp_path: Path) -> None:
    save_model(tmp_path / "model", trained(dataset, "lstur"))
    card = (genre.export_model(tmp_path / "model", tmp_path / "export") / "README.md").read_text()
    assert "an embedding for each of 20 users" in card


def row(**changes: object) -> dict[str, object]:
    figures = {"auc": 0.7123, "mrr": 0.4, "ndcg@5": None, "ndcg@10": 0.5}
    place = {"variant": "planted", "baseline": "nrms", "seed": 0, "split": "dev", "segment": "warm"}
    return {**place, **figures, "impressions": 12, "leaked": False, **changes}


def test_figures_of_a_cell_are_in_its_card(saved: Path, tmp_path: Path) -> None:
    cell = tmp_path / "runs" / "mine" / "cells" / "planted-nrms-0"
    shutil.copytree(saved, cell / "model")
    (cell / "result.json").write_text(json.dumps({"key": "k", "rows": [row()], "training": {}}))
    genre.export_model(tmp_path / "runs" / "mine", tmp_path / "export", cell="planted-nrms-0")
    assert "| planted | dev | warm | 0.7123 | 0.4000 | - | 0.5000 | 12 |" in (tmp_path / "export/README.md").read_text()


WRONG_RESULTS = {
    "no JSON": ("[", "no results"),
    "no rows": ("{}", "no results"),
    "a row that is none": ('{"rows": [3]}', "3 is no row"),
    "a figure that is none": (json.dumps({"rows": [row(auc="<b>")]}), "auc '<b>' is no figure"),
    "a name that is none": (json.dumps({"rows": [row(variant=["x"])]}), "variant"),
    "another baseline": (json.dumps({"rows": [row(baseline="dcn")]}), "no results of nrms with seed 0"),
    "a whole run": (
        json.dumps({"rows": [row(), row(variant="other")]}),
        "results of 2 variants (other, planted), and a model is of one",
    ),
    "another seed": (json.dumps({"rows": [row(seed=1)]}), "no results of nrms with seed 0"),
}


@pytest.mark.parametrize("wrong", WRONG_RESULTS)
def test_wrong_results_are_told_and_nothing_is_written(saved: Path, tmp_path: Path, wrong: str) -> None:
    text, message = WRONG_RESULTS[wrong]
    (tmp_path / "results.json").write_text(text)
    with pytest.raises(UsageError) as raised:
        genre.export_model(saved, tmp_path / "export", results=tmp_path / "results.json")
    assert message in str(raised.value)
    assert raised.value.where == str(tmp_path / "results.json")
    assert not (tmp_path / "export").exists()


def test_the_model_itself_is_never_replaced_by_its_export(saved: Path) -> None:
    with pytest.raises(UsageError, match="would replace the model"):
        genre.export_model(saved, saved.parent / ".." / saved.parent.name / saved.name)


def test_a_folder_of_something_else_is_never_replaced(saved: Path, tmp_path: Path) -> None:
    (tmp_path / "thesis.tex").write_text("important")
    with pytest.raises(UsageError, match="holds no model"):
        genre.export_model(saved, tmp_path)


def test_what_rounds_did_is_told_without_endpoints_and_folders(dataset: Dataset) -> None:
    identity = {"model": "/srv/models/tiny.gguf", "endpoint": "http://10.0.0.7:8000/v1", "parameters": {"x": 1}}
    details = {"round": "rewrite", "task": "news-summarizer", "generator": "mine", "models": {"mine": identity}}
    step = LineageEntry("round", {**details, "prompts": 4, "records": 3, "leaked": True, "options": {"a": "/srv/a"}})
    read = LineageEntry("read", {"reader": "mind", "where": "C:\\data\\mind", "splits": {"train": "/srv/train"}})
    model = trained(attrs.evolve(dataset, lineage=(read, step)), "nrms")
    assert model.leaked
    assert model.provenance is not None
    assert model.provenance.lineage[1]["models"] == ["tiny.gguf"]
    card = model_card(model, [], REGISTRY)
    assert "**Leaked.**" in card
    assert "of whoever ran the language models named above" in card
    assert "MIND" in card  # what the reader's record says of its source
    for text in ("/srv", "10.0.0.7", "C:"):
        assert text not in json.dumps(attrs.asdict(model.provenance)) + card


class Tags(HTMLParser):
    def __init__(self, html: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text += data


def rendered(markdown: str) -> Tags:
    """As sites render cards: CommonMark with raw HTML, and GitHub's tables."""
    return Tags(MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"]).render(markdown))


def test_hostile_names_are_text_in_the_card(dataset: Dataset) -> None:
    step = LineageEntry(
        "round", {"round": HOSTILE, "task": HOSTILE, "generator": "g", "models": {"g": {"model": HOSTILE}}}
    )
    model = trained(attrs.evolve(dataset, lineage=(step,)), "nrms", name=HOSTILE)
    page = rendered(model_card(model, [row(variant=HOSTILE)], REGISTRY))
    assert not {"script", "a", "img"} & {tag for tag, _ in page.found}
    assert page.text.count(HOSTILE) == 6


@given(st.text(alphabet=st.characters(codec="utf-8"), max_size=40))
def test_any_text_is_shown_as_it_is_in_a_cell(text: str) -> None:
    page = rendered(f"| a | b |\n|---|---|\n| x{markdown_text(text)}x | end |\n")
    assert [tag for tag, _ in page.found] == ["table", "thead", "tr", "th", "th", "tbody", "tr", "td", "td"]
    expected = "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in " ".join(text.split()))
    assert f"x{expected}x" in page.text
