"""Experiment files: which file a relative path refers to, and where overriding tables come from."""

from pathlib import Path

import attrs
import pytest

from genre import hookimpl
from genre.errors import RunVetoed, UsageError
from genre.experiments.models import overridden_training
from genre.experiments.plan import DatasetSpec, Experiment, VariantSpec, load_experiment
from genre.experiments.run import run_experiment
from genre.parts import RunPlan
from genre.registry import Registry
from genre.settings import Layer, Settings

EXPERIMENT = """
name = "tiny"
[dataset]
reader = "sample"
[[variants]]
name = "original"
[generators.g]
model = "file.gguf"
cache = "cached"
"""


@attrs.frozen
class Options:
    model: Path
    cache: Path


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """An experiment file in a folder of its own."""
    (tmp_path / "experiments").mkdir()
    file = tmp_path / "experiments" / "tiny.toml"
    file.write_text(EXPERIMENT, encoding="utf-8")
    return file


def test_a_changed_path_refers_to_the_working_directory_and_others_to_the_file(path: Path) -> None:
    experiment = load_experiment(path, ["generators.g.model=mine.gguf"])
    located = experiment.layered(Settings(())).located(Options, "generators", "g")
    assert located == {"model": "mine.gguf", "cache": str(path.parent / "cached")}


def test_a_change_wins_over_the_file_and_the_file_over_registry_toml(path: Path) -> None:
    below = Settings((Layer("project", {"generators": {"g": {"model": "x", "cache": "y", "seed": 1}}}),))
    settings = load_experiment(path, ["generators.g.model=mine.gguf"]).layered(below)
    assert settings.table("generators", "g") == {"model": "mine.gguf", "cache": "cached", "seed": 1}


def test_a_message_tells_a_change_from_a_line_of_the_file(path: Path) -> None:
    settings = load_experiment(path, ["generators.g.model=mine.gguf"]).layered(Settings(()))
    assert settings.where("generators", "g", "model") == "command line, generators.g.model"
    assert settings.where("generators", "g", "cache") == f"{path}:9, generators.g.cache"


def test_a_change_of_the_experiment_itself_is_no_table_of_the_registry(path: Path) -> None:
    experiment = load_experiment(path, ["name=other", "training.epochs=3", "dataset.options.seed=4"])
    assert (experiment.name, experiment.training.epochs) == ("other", 3)
    assert experiment.dataset.options == {"seed": 4}
    assert [layer.origin for layer in experiment.settings.layers] == ["experiment"]


def test_an_unknown_table_of_a_change_is_an_error(path: Path) -> None:
    with pytest.raises(UsageError, match="unknown option 'generator'") as caught:
        load_experiment(path, ["generator.g.model=x"])
    assert "did you mean 'generators'?" in str(caught.value)


MISTAKES = {
    "no split in the results": ("report=[]", ", report: there is no split in the results"),
    "no variant": ("variants=[]", ", variants: there is no variant"),
    "a split twice": ("report=['test', 'dev', 'test']", ": the split 'test' stands twice"),
    "a variant twice": ("variants=[{name='a'}, {name='a'}]", ": the variant 'a' stands twice"),
    "an untrained baseline that nobody knows": ("untrained=['random', 'x']", ": there is no untrained baseline 'x'"),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_in_a_list_is_an_error_that_names_the_file(path: Path, mistake: str) -> None:
    change, message = MISTAKES[mistake]
    with pytest.raises(UsageError) as caught:
        load_experiment(path, [change])
    assert f"{path}{message}" in str(caught.value)


def test_an_empty_report_is_an_error_that_says_what_to_write(path: Path) -> None:
    with pytest.raises(UsageError) as caught:
        load_experiment(path, ["report=[]"])
    assert caught.value.remedy == 'name one or more, such as report = ["test"]'


@pytest.mark.parametrize(
    ("variants", "baselines", "cell"),
    [(("a-b", "a"), ("c", "b-c"), "a-b-c-0"), (("a", "a-nrms"), ("nrms", "nrms-nrms"), "a-nrms-nrms-0")],
)
def test_two_cells_of_one_name_are_an_error(variants: tuple[str, ...], baselines: tuple[str, ...], cell: str) -> None:
    specs = tuple(map(VariantSpec, variants))
    with pytest.raises(UsageError, match=f"would both be the cell '{cell}'"):
        Experiment("e", DatasetSpec("sample"), specs, baselines=baselines)


def test_baselines_that_a_variant_does_not_train_are_no_cells_of_it() -> None:
    specs = (VariantSpec("a-b", baselines=("c",)), VariantSpec("a", baselines=("c",)))
    experiment = Experiment("e", DatasetSpec("sample"), specs, baselines=("c", "b-c"))
    assert experiment.baselines == ("c", "b-c")


def test_a_split_that_would_name_a_file_elsewhere_is_an_error() -> None:
    with pytest.raises(UsageError, match=r"report: the split '../up' is reported"):
        Experiment("e", DatasetSpec("sample"), (VariantSpec("original"),), report=("../up",))


def test_tables_can_be_given_as_a_mapping() -> None:
    experiment = Experiment(
        name="tiny",
        dataset=DatasetSpec("sample"),
        variants=(VariantSpec("original"),),
        settings={"defaults": {"generator": "g"}},
        path=Path("folder/tiny.toml"),
    )
    [layer] = experiment.layered(Settings(())).layers
    assert layer == Layer("experiment", {"defaults": {"generator": "g"}}, Path("folder/tiny.toml"))


def test_an_experiment_without_tables_changes_no_settings() -> None:
    experiment = Experiment(name="tiny", dataset=DatasetSpec("sample"), variants=(VariantSpec("original"),))
    below = Settings((Layer("project", {}),))
    assert experiment.layered(below) == below


def test_an_empty_stop_split_means_none(path: Path) -> None:
    assert load_experiment(path, ["training.stop_split=dev"]).training.stop_split == "dev"
    assert load_experiment(path, ['training.stop_split=""']).training.stop_split is None


def test_an_empty_stop_split_of_a_single_baseline_means_none(path: Path) -> None:
    experiment = load_experiment(path, ['overrides.nrms.training.stop_split=""'])
    training = overridden_training(experiment.training, experiment.overrides["nrms"], "here")
    assert training.stop_split is None


def test_a_listener_registered_by_hand_vetoes_an_experiment_with_tables(path: Path, tmp_path: Path) -> None:
    class Guard:
        @hookimpl
        def genre_run_planned(self, plan: RunPlan) -> str:
            return f"no {plan.name} today"

    registry = Registry.load()
    registry.manager.register(Guard())
    path.write_text(f"{EXPERIMENT.partition('[generators.g]')[0]}[generators.local]\nthreads = 1\n", encoding="utf-8")
    with pytest.raises(RunVetoed, match="no tiny today"):
        run_experiment(load_experiment(path), registry, folder=tmp_path / "run", store=tmp_path / "answers.sqlite")
