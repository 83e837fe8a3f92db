"""`jsonl`: every event as a line of `events.jsonl` in the run folder, appended and flushed."""

import re
from datetime import UTC, datetime
from io import BufferedWriter
from typing import Final

import attrs
import orjson

from genre.parts import RunEvent, RunFinished, RunStopped, TrackedRun

FILE_NAME: Final = "events.jsonl"


class JsonlTracker:
    """A line is the event's fields, its name as `event` (such as `cell_finished`), and its `time`.

    Each call of a run appends: it starts with `run_plan`, and cells that it reuses say so. What is not a finite number
    is null.
    """

    def __init__(self, _options: None, run: TrackedRun) -> None:
        self._path = run.folder / FILE_NAME
        self._file: BufferedWriter | None = None

    def track(self, event: RunEvent) -> None:
        """Append a line."""
        if self._file is None:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            self._file = self._path.open("ab")
        name = re.sub(r"(?<!^)(?=[A-Z])", "_", type(event).__name__).lower()
        line = {"event": name, "time": datetime.now(UTC).isoformat(timespec="milliseconds"), **attrs.asdict(event)}
        self._file.write(orjson.dumps(line, default=str, option=orjson.OPT_APPEND_NEWLINE))
        self._file.flush()
        if isinstance(event, RunFinished | RunStopped):
            self._file.close()
            self._file = None
