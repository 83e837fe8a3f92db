"""A toy tracker that keeps every law, or breaks one."""

from typing import cast

import attrs

from genre.parts import (
    CellFinished,
    EpochFinished,
    RoundFinished,
    RunEvent,
    RunFinished,
    RunPlan,
    RunStopped,
    TrackedRun,
)

KNOWN = (RunPlan, RoundFinished, EpochFinished, CellFinished, RunFinished, RunStopped)


@attrs.frozen
class ToyOptions:
    flaw: str = ""


class ToyTracker:
    def __init__(self, options: ToyOptions, run: TrackedRun) -> None:
        self._flaw = options.flaw
        self._folder = run.folder
        self._epoch = 0
        if self._flaw == "hasty":
            self._folder.mkdir(parents=True)

    def track(self, event: RunEvent) -> None:
        if self._flaw == "strict" and not isinstance(event, KNOWN):
            raise TypeError(f"what is {event}?")
        if isinstance(event, RunPlan):
            self._folder.mkdir(parents=True, exist_ok=self._flaw != "once")
        if isinstance(event, RunStopped) and self._flaw == "complete":
            raise RuntimeError("nothing to show")
        if isinstance(event, EpochFinished):
            self._epoch += 1
            if self._flaw == "counting epochs" and event.epoch != self._epoch:
                raise ValueError(f"epoch {event.epoch} after {self._epoch}")
        if isinstance(event, CellFinished):
            self._epoch = 0
            for row in event.rows:
                if self._flaw == "numbers only":
                    float(cast(float, row["auc"]))
                if self._flaw == "rounding" and row["auc"] is not None:
                    cast(dict[str, object], row)["auc"] = 0.0
