"""The figures of events by name, which TensorBoard and MLflow show."""

from collections.abc import Iterable, Mapping

from genre.parts import EpochFinished


def epoch_figures(event: EpochFinished) -> dict[str, float]:
    """`epoch/loss`, and `epoch/METRIC` for those of the early-stopping split."""
    return {"epoch/loss": event.loss, **{f"epoch/{name}": value for name, value in event.metrics.items()}}


def final_figures(rows: Iterable[Mapping[str, object]]) -> dict[str, float]:
    """`SPLIT/SEGMENT/METRIC` of rows of `results.json`; what was not measured is left out.

    Counts and flags of a row are no figures, floats are.
    """
    return {
        f"{row['split']}/{row['segment']}/{name}": value
        for row in rows
        for name, value in row.items()
        if isinstance(value, float)
    }
