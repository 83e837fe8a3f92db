"""Several processes that share batches are one process."""

import json
from pathlib import Path

import attrs
import pytest
from modeling import trained_together
from modeling.processes_together import together
from modeling.trained_together import Course, Wanted, alone, arguments

from genre.dataset import Dataset, save_dataset
from genre.experiments import read_dataset
from genre.modeling.settings import TrainingSettings
from genre.options import structure
from genre.registry import Registry

PROGRAM = Path(trained_together.__file__)


@pytest.fixture
def data(dataset: Dataset, tmp_path: Path) -> Path:
    save_dataset(dataset, tmp_path / "data")
    return tmp_path / "data"


def courses(wanted: Wanted, size: int) -> list[Course]:
    return [structure(json.loads(out), Course, "output") for out in together(size, PROGRAM, arguments(wanted))]


# nrms: cross-entropy; lstur: a sparse table of users; din: statistics of a batch, and the binary loss; dcn: fields.
@pytest.mark.parametrize("baseline", ["nrms", "lstur", "din", "dcn"])
def test_two_processes_have_the_losses_and_figures_of_one(data: Path, baseline: str) -> None:
    settings = TrainingSettings(epochs=2, batch_size=7)
    wanted = Wanted(data=data, baseline=baseline, training=settings, fusion=True)
    expected = alone(wanted)
    first, second = courses(wanted, 2)
    assert first.weights == second.weights
    assert first.losses == second.losses
    assert first.losses == pytest.approx(expected.losses, abs=1e-5)
    assert first.metrics == second.metrics
    assert first.metrics == expected.metrics


@pytest.mark.parametrize("baseline", ["nrms", "din"])
def test_a_batch_may_have_fewer_groups_than_there_are_processes(data: Path, baseline: str) -> None:
    """Three processes, and a last batch of one group."""
    settings = TrainingSettings(epochs=2, batch_size=13, stop_split=None)
    wanted = Wanted(data=data, baseline=baseline, training=settings)
    expected = alone(wanted)
    assert len(expected.losses) == 2 * 4
    for course in courses(wanted, 3):
        assert course.losses == pytest.approx(expected.losses, abs=1e-5)


@pytest.mark.slow
def test_processes_that_ended_go_on_to_the_very_same_model(data: Path, tmp_path: Path) -> None:
    """With dropout, of which each process draws its own."""
    settings = TrainingSettings(epochs=2, batch_size=8)
    undisturbed = Wanted(data=data, baseline="lstur", training=settings, dropout=True)
    expected, _ = courses(undisturbed, 2)
    kept = attrs.evolve(undisturbed, checkpoint=tmp_path / "checkpoint")
    for course in courses(attrs.evolve(kept, steps=8), 2):
        assert course.losses == expected.losses[:8]
    again, other = courses(kept, 2)
    assert again.losses == expected.losses[7:]  # the eighth step ended the processes before it was kept
    assert again.metrics == expected.metrics[1:]
    assert again.weights == other.weights == expected.weights


@pytest.mark.slow
def test_another_number_of_processes_goes_on_too_and_says_what_is_not_the_same(data: Path, tmp_path: Path) -> None:
    settings = TrainingSettings(epochs=2, batch_size=8)
    wanted = Wanted(data=data, baseline="nrms", training=settings, checkpoint=tmp_path / "checkpoint")
    expected = alone(attrs.evolve(wanted, checkpoint=None))
    courses(attrs.evolve(wanted, steps=8), 2)
    again = alone(wanted)
    assert "of 2 processes, and these are 1" in again.messages[-1]
    assert again.losses == pytest.approx(expected.losses[7:], abs=1e-5)  # here without dropout


@pytest.mark.slow
@pytest.mark.parametrize("baseline", ["nrms", "lstur", "din"])
def test_a_hundred_steps_on_real_data_have_the_losses_of_one_process(
    shared_data: Path, tmp_path: Path, baseline: str
) -> None:
    dataset = read_dataset(Registry.load(), "mind", {"folder": str(shared_data / "goodreads")})
    save_dataset(dataset, tmp_path / "data")
    settings = TrainingSettings(batch_size=64, stop_split=None, pool="split")
    wanted = Wanted(data=tmp_path / "data", baseline=baseline, training=settings, steps=100)
    expected = alone(wanted)
    first, second = courses(wanted, 2)
    assert len(first.losses) == 100
    assert first.losses == pytest.approx(expected.losses, abs=1e-4)
    assert first.weights == second.weights
