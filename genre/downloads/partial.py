"""What is there of a file that is being fetched: `NAME.part`, and beside it what it is a part of."""

import json
from pathlib import Path
from typing import Self

import attrs


@attrs.frozen
class Partial:
    """A file that is being fetched.

    Attributes:
        path: `NAME.part`.
    """

    path: Path

    @classmethod
    def of(cls, folder: Path, name: str) -> Self:
        """What is there of a file of that name."""
        return cls(folder / f"{name}.part")

    @property
    def _note(self) -> Path:
        return self.path.with_name(f"{self.path.name}.json")

    @property
    def size(self) -> int:
        """Bytes that are there."""
        return self.path.stat().st_size if self.path.is_file() else 0

    def validator(self, url: str) -> str:
        """What `If-Range` says when the rest is asked for at this address; empty if the rest cannot be asked for."""
        try:
            note = json.loads(self._note.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return ""
        if not (isinstance(note, dict) and note.get("url") == url and self.size):
            return ""
        validator = note.get("validator")
        # It becomes a header.
        return validator if isinstance(validator, str) and validator.isascii() and validator.isprintable() else ""

    def start(self, url: str, validator: str) -> None:
        """Start over, with what the server calls this version of the file."""
        self.discard()
        self.path.write_bytes(b"")
        self._note.write_text(json.dumps({"url": url, "validator": validator}) + "\n", encoding="utf-8")

    def discard(self) -> None:
        """Remove it."""
        self.path.unlink(missing_ok=True)
        self._note.unlink(missing_ok=True)
