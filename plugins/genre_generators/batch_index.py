"""Which batch has which prompt, whatever attempt at it an earlier process had come to."""

from typing import Final

from genre_generators.batch import Batch

_DASH: Final = "-"
"""Between the key of an answer and the number of an attempt after the first."""


def attempt_key(answer: str, retry: int) -> str:
    """What a batch calls a prompt.

    Args:
        answer: the key of its answer, in hexadecimal digits.
        retry: how often it was tried before.
    """
    return f"{answer}{_DASH}{retry}" if retry else answer


class BatchIndex:
    """Batches by the keys of the prompts in them."""

    def __init__(self) -> None:
        self._by_key: dict[str, Batch] = {}
        self._later: dict[str, list[str]] = {}

    def put(self, key: str, batch: Batch) -> None:
        """A prompt is in a batch."""
        self._by_key[key] = batch

    def load(self, batch: Batch) -> None:
        """An earlier process has made this batch."""
        for key in batch.open_keys:
            self.put(key, batch)
            answer, dash, _ = key.partition(_DASH)
            if dash:
                self._later.setdefault(answer, []).append(key)

    def find(self, key: str) -> tuple[str, Batch] | None:
        """The batch that has the prompt, and what it calls it.

        A process that begins anew counts attempts from the first, while the batch of a later one may be under way.
        """
        answer = key.partition(_DASH)[0]
        later = sorted((k for k in self._later.get(answer, ()) if _attempt(k) > _attempt(key)), key=_attempt)
        for known in (key, *later):
            batch = self._by_key.get(known)
            if batch is not None and known in batch:
                return known, batch
        return None

    def leave(self, key: str, batch: Batch) -> None:
        """Nothing is to come for the prompt from this batch."""
        if key not in batch and self._by_key.get(key) is batch:
            del self._by_key[key]


def _attempt(key: str) -> int:
    return int(key.partition(_DASH)[2] or 0)
