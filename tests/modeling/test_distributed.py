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


@pytest.fixture(scope="module")
def data(dataset: Dataset, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("data")
    save_dataset(dataset, folder)
    return folder


def courses(size: int, *wanted: Wanted) -> list[list[Course]]:
    """Of each process, the courses of these trainings."""
    printed = together(size, PROGRAM, *map(arguments, wanted))
    return [[structure(json.loads(line), Course, "output") for line in out.splitlines()] for out in printed]


def test_two_processes_have_the_losses_and_figures_of_one(data: Path) -> None:
    # nrms: cross-entropy; lstur: a sparse table of users; din: statistics of a batch, the binary loss; dcn: fields.
    settings = TrainingSettings(epochs=2, batch_size=7)
    wanted = [
        Wanted(data=data, baseline=baseline, training=settings, fusion=True)
        for baseline in ("nrms", "lstur", "din", "dcn")
    ]
    in_parts = attrs.evolve(settings, accumulate=2)
    wanted.append(Wanted(data=data, baseline="lstur", training=in_parts))
    for asked, first, second in zip(wanted, *courses(2, *wanted), strict=True):
        expected = alone(asked)
        assert first.losses == pytest.approx(expected.losses, abs=1e-5)
        assert first.metrics == expected.metrics
        assert (first.weights, first.losses, first.metrics) == (second.weights, second.losses, second.metrics)


@pytest.mark.slow
def test_a_batch_may_have_fewer_groups_than_there_are_processes(data: Path) -> None:
    """Three processes, and a last batch of one group."""
    settings = TrainingSettings(epochs=2, batch_size=13, stop_split=None)
    wanted = [Wanted(data=data, baseline=baseline, training=settings) for baseline in ("nrms", "din")]
    for asked, *made in zip(wanted, *courses(3, *wanted), strict=True):
        expected = alone(asked)
        assert len(expected.losses) == 2 * 4
        for course in made:
            assert course.losses == pytest.approx(expected.losses, abs=1e-5)


@pytest.mark.slow
def test_processes_that_ended_go_on_to_the_very_same_model(data: Path, tmp_path: Path) -> None:
    """With dropout, of which each process draws its own."""
    settings = TrainingSettings(epochs=2, batch_size=8)
    undisturbed = Wanted(data=data, baseline="lstur", training=settings, dropout=True)
    [expected], _ = courses(2, undisturbed)
    kept = attrs.evolve(undisturbed, checkpoint=tmp_path / "checkpoint")
    for [course] in courses(2, attrs.evolve(kept, steps=8)):
        assert course.losses == expected.losses[:8]
    [again], [other] = courses(2, kept)
    assert again.losses == expected.losses[7:]  # the eighth step ended the processes before it was kept
    assert again.metrics == expected.metrics[1:]
    assert again.weights == other.weights == expected.weights


@pytest.mark.slow
def test_another_number_of_processes_goes_on_too_and_says_what_is_not_the_same(data: Path, tmp_path: Path) -> None:
    settings = TrainingSettings(epochs=2, batch_size=8)
    wanted = Wanted(data=data, baseline="nrms", training=settings, checkpoint=tmp_path / "checkpoint")
    expected = alone(attrs.evolve(wanted, checkpoint=None))
    courses(2, attrs.evolve(wanted, steps=8))
    again = alone(wanted)
    assert "of 2 processes, and these are 1" in again.messages[-1]
    assert again.losses == pytest.approx(expected.losses[7:], abs=1e-5)  # here without dropout


@pytest.mark.slow
def test_a_hundred_steps_on_real_data_have_the_losses_of_one_process(shared_data: Path, tmp_path: Path) -> None:
    dataset = read_dataset(Registry.load(), "mind", {"folder": str(shared_data / "goodreads")})
    save_dataset(dataset, tmp_path / "data")
    settings = TrainingSettings(batch_size=64, stop_split=None, pool="split")
    wanted = [
        Wanted(data=tmp_path / "data", baseline=baseline, training=settings, steps=100)
        for baseline in ("nrms", "lstur", "din")
    ]
    for asked, first, second in zip(wanted, *courses(2, *wanted), strict=True):
        assert len(first.losses) == 100
        assert first.losses == pytest.approx(alone(asked).losses, abs=1e-4)
        assert first.weights == second.weights
