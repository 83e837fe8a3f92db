"""Trackers: where figures of a run are shown while it goes on and afterwards."""

from collections.abc import Iterator

from genre import hookimpl
from genre.parts import Part


@hookimpl
def genre_trackers() -> Iterator[Part]:
    """Where figures are shown."""
    yield Part(
        name="jsonl",
        summary="A line of JSON for each event, in the run folder",
        target="genre_trackers.jsonl:JsonlTracker",
    )
    yield Part(
        name="tensorboard",
        summary="TensorBoard: a log directory for each cell",
        source="https://www.tensorflow.org/tensorboard",
        target="genre_trackers.tensorboard:TensorboardTracker",
        options="genre_trackers.tensorboard:TensorboardOptions",
    )
    yield Part(
        name="mlflow",
        summary="MLflow: an experiment for each run, a run of it for each cell",
        source="https://mlflow.org/docs/latest/tracking.html",
        target="genre_trackers.mlflow:MlflowTracker",
        options="genre_trackers.mlflow:MlflowOptions",
    )
