import json
from pathlib import Path

import attrs
import pytest
import safetensors

from genre.errors import RunError, UsageError
from genre.modeling.checkpoint import TrainedModel, load_model, save_model
from genre.modeling.composition import build_recommender
from genre.modeling.features import Features, prepare_features
from genre.modeling.scoring import score_split
from genre.registry import Registry


def trained(registry: Registry, features: Features, *, fusion: bool = True) -> TrainedModel:
    model = build_recommender(registry, "dcn", features.vocabulary, features.settings, fusion=fusion, dim=16, seed=3)
    return TrainedModel(model.eval(), features.vocabulary, features.settings)


@pytest.mark.parametrize("fusion", [True, False])
def test_a_model_scores_the_same_after_it_was_saved_and_loaded(
    registry: Registry, features: Features, tmp_path: Path, fusion: bool
) -> None:
    model = trained(registry, features, fusion=fusion)
    save_model(tmp_path / "model", model)
    again = load_model(tmp_path / "model", registry)
    assert not again.recommender.training
    assert (again.recommender.fusion is not None) == fusion
    later = prepare_features(features.dataset, again.settings, vocabulary=again.vocabulary)
    split = features.split("dev")
    before = score_split(model.recommender, features, split)
    assert (score_split(again.recommender, later, later.split("dev")) == before).all()


def test_a_model_replaces_a_model_and_leaves_nothing_beside_it(
    registry: Registry, features: Features, tmp_path: Path
) -> None:
    for _ in range(2):
        save_model(tmp_path / "model", trained(registry, features))
    assert [path.name for path in tmp_path.iterdir()] == ["model"]


def test_a_folder_of_something_else_is_never_replaced(registry: Registry, features: Features, tmp_path: Path) -> None:
    (tmp_path / "thesis.tex").write_text("important")
    with pytest.raises(UsageError, match="holds no model"):
        save_model(tmp_path, trained(registry, features))
    assert (tmp_path / "thesis.tex").read_text() == "important"


def test_a_missing_model_is_an_error_that_names_the_file(registry: Registry, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no model here") as raised:
        load_model(tmp_path / "none", registry)
    assert raised.value.where == str(tmp_path / "none" / "model.json")


@pytest.mark.parametrize("name", ["model.json", "vocabulary.json", "model.safetensors"])
@pytest.mark.parametrize("content", [None, b"", b"\xff\xfe", b"{}", b"[1]"])
def test_a_damaged_model_is_an_error_that_names_the_file(
    registry: Registry, features: Features, tmp_path: Path, name: str, content: bytes | None
) -> None:
    save_model(tmp_path / "model", trained(registry, features))
    path = tmp_path / "model" / name
    path.unlink() if content is None else path.write_bytes(content)
    with pytest.raises(UsageError) as raised:
        load_model(tmp_path / "model", registry)
    assert str(path) in str(raised.value)
    assert raised.value.remedy


@pytest.mark.parametrize("table", ["interests", "categories"])
def test_a_vocabulary_without_a_table_s_entries_is_an_error_that_names_the_file(
    registry: Registry, features: Features, tmp_path: Path, table: str
) -> None:
    save_model(tmp_path / "model", trained(registry, features))
    path = tmp_path / "model" / "vocabulary.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), table: {}}))
    with pytest.raises(UsageError) as raised:
        load_model(tmp_path / "model", registry)
    assert str(path) in str(raised.value)


@pytest.mark.parametrize(
    ("changes", "message"),
    [({"vectors": ["cover"]}, "width of the vectors 'cover'"), ({"tokenizers": {"title": "bert"}}, "tokenizer 'bert'")],
)
def test_settings_that_the_vocabulary_knows_nothing_of_are_an_error_that_names_it(
    registry: Registry, features: Features, tmp_path: Path, changes: dict[str, object], message: str
) -> None:
    save_model(tmp_path / "model", trained(registry, features))
    path = tmp_path / "model" / "model.json"
    config = json.loads(path.read_text())
    path.write_text(json.dumps({**config, "settings": {**config["settings"], **changes}}))
    with pytest.raises(UsageError, match=f"it has no {message}") as raised:
        load_model(tmp_path / "model", registry)
    assert raised.value.where == str(tmp_path / "model" / "vocabulary.json")


def test_another_format_is_told_before_its_other_options(
    registry: Registry, features: Features, tmp_path: Path
) -> None:
    save_model(tmp_path / "model", trained(registry, features))
    path = tmp_path / "model" / "model.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "format": 1, "an_option_of_old": 3}))
    with pytest.raises(UsageError, match="format 1, and this version reads") as raised:
        load_model(tmp_path / "model", registry)
    assert raised.value.where == str(path)


def test_a_deeply_nested_configuration_is_an_error(registry: Registry, features: Features, tmp_path: Path) -> None:
    save_model(tmp_path / "model", trained(registry, features))
    path = tmp_path / "model" / "model.json"
    path.write_text("[" * 100_000)
    with pytest.raises(UsageError, match="not JSON"):
        load_model(tmp_path / "model", registry)


def test_a_disk_that_is_full_leaves_the_old_model(
    registry: Registry, features: Features, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = trained(registry, features)

    def full(*_: object, **__: object) -> None:
        raise safetensors.SafetensorError("No space left on device (os error 28)")

    save_model(tmp_path / "model", model)
    monkeypatch.setattr("safetensors.torch.save_file", full)
    with pytest.raises(RunError, match="the model cannot be written: No space left"):
        save_model(tmp_path / "model", attrs.evolve(model, seed=model.seed + 1))
    assert [path.name for path in tmp_path.iterdir()] == ["model"]
    assert load_model(tmp_path / "model", registry).seed == model.seed
