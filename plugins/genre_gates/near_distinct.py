"""`near-distinct`: of texts that are almost equal, only the first becomes a record."""

from collections import deque
from typing import Any, Final

import attrs
import numpy as np

from genre.dataset import Dataset
from genre.parts import Prompt, Record
from genre_gates.extra import imported
from genre_gates.shingles import HASHES, Unit, bands_and_rows, shingles
from genre_gates.texts import no_text, owners_of_texts, text_of, words

SEED: Final = 1


@attrs.frozen
class NearDistinctOptions:
    """
    Attributes:
        property: the answer's property that must not almost repeat.
        field: text field of the data set's news that it must not almost repeat either, in any version; `""` for none.
        threshold: texts of at least this Jaccard similarity are near duplicates.
        unit: what texts are compared by: runs of `size` characters or of `size` words.
        size: length of a run.
        remember: so many accepted answers of the round are known; after that the oldest is forgotten.
    """

    property: str = "title"
    field: str = "title"
    threshold: float = attrs.field(default=0.8, validator=[attrs.validators.ge(0.2), attrs.validators.le(1)])
    unit: Unit = "characters"
    size: int = attrs.field(default=4, validator=attrs.validators.ge(1))
    remember: int = attrs.field(default=100_000, validator=attrs.validators.ge(1))


class NearDistinct:
    """Finds texts that may be alike by MinHash with banding, and compares these exactly.

    A text costs the same however many are known. Case, punctuation and spacing do not count. An answer about a news may
    almost repeat that news' own text.
    """

    def __init__(self, options: NearDistinctOptions, dataset: Dataset) -> None:
        datasketch = imported("datasketch", "near-distinct")
        self._options = options
        self._empty: Any = datasketch.MinHash(num_perm=HASHES, seed=SEED, scheme="affine32")
        self._index: Any = datasketch.MinHashLSH(num_perm=HASHES, params=bands_and_rows(options.threshold))
        self._known: dict[int, tuple[str, Any]] = {}  # text and signature of each number in the index
        self._hopeless = options.threshold - 4 * (options.threshold * (1 - options.threshold) / HASHES) ** 0.5
        self._answers: deque[int] = deque()
        self._owners = owners_of_texts(dataset, options.field, _plain, gate="near-distinct")
        for text in self._owners:
            self._keep(len(self._known), text, self._signature(shingles(text, options.unit, options.size)))
        self._next = self._news = len(self._known)

    def reject(self, prompt: Prompt, record: Record) -> str | None:
        """A reason when a text that is known is almost the same."""
        options = self._options
        given = text_of(record, options.property)
        if given is None:
            return no_text(options.property)
        text = _plain(given)
        mine = shingles(text, options.unit, options.size)
        signature = self._signature(mine)
        for number in self._similar(signature):
            known = self._known[number][0]
            if number < self._news and self._owners[known] == prompt.subject:
                continue
            other = shingles(known, options.unit, options.size)
            if len(mine & other) >= options.threshold * len(mine | other):
                whose = "a news in the data set" if number < self._news else "an earlier answer"
                return f"{options.property} almost that of {whose}"
        self._answers.append(self._next)
        self._keep(self._next, text, signature)
        self._next += 1
        if len(self._answers) > options.remember:
            oldest = self._answers.popleft()
            self._index.remove(oldest)
            del self._known[oldest]
        return None

    def _similar(self, signature: Any) -> list[int]:
        """Numbers that meet in a band, without those whose estimate is four standard deviations below the threshold."""
        numbers = sorted(self._index.query(signature))
        if not numbers:
            return []
        others = np.stack([self._known[number][1] for number in numbers])  # (M, HASHES)
        estimates = (others == signature.hashvalues).mean(axis=1)
        return [number for number, estimate in zip(numbers, estimates, strict=True) if estimate >= self._hopeless]

    def _signature(self, runs: frozenset[str]) -> Any:
        signature = self._empty.copy()
        signature.update_batch([run.encode("utf-8", "surrogatepass") for run in runs])
        return signature

    def _keep(self, number: int, text: str, signature: Any) -> None:
        self._known[number] = (text, signature.hashvalues)
        self._index.insert(number, signature, check_duplication=False)


def _plain(text: str) -> str:
    return " ".join(words(text)) or text.strip()
