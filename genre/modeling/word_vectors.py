"""Pre-trained word vectors in GloVe's text format: a word and its numbers a line; plain, zipped or gzipped."""

import gzip
import io
import zipfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Final

import attrs
import numpy as np
import torch
from numpy.typing import NDArray

from genre.errors import UsageError
from genre.parts import PretrainedEmbedding

_REMEDY: Final = "give a file in GloVe's text format: a word and its numbers a line, separated by spaces"


@attrs.frozen(eq=False)
class WordVectors:
    """Vectors of V words.

    Attributes:
        rows: (V, E), NaN where a word has none.
        found: how many of the words have a vector.
        known: how many words there are, the stand-in for unknown ones not counted.
    """

    rows: NDArray[np.float32]
    found: int
    known: int

    @property
    def share(self) -> float:
        """Share of the vocabulary that has a vector."""
        return self.found / self.known if self.known else 0.0

    def as_embedding(self) -> PretrainedEmbedding:
        """What an embedding of these words starts from."""
        return PretrainedEmbedding(self.rows.shape[1], torch.from_numpy(self.rows))


def word_vectors_width(path: Path) -> int:
    """Numbers a line.

    Raises:
        UsageError: the file cannot be read, or its first line is no word with numbers.
    """
    for line, text in _lines(path):
        return len(_split(text, path, line)) - 1
    raise UsageError("the file is empty", where=path, remedy=_REMEDY)


def read_word_vectors(path: Path, words: Sequence[str]) -> WordVectors:
    """The vectors of some words; only their lines are parsed, and the first one of a word counts.

    Args:
        words: in the order of their ids; the first one stands for unknown words and gets none.

    Raises:
        UsageError: the file cannot be read, or a line is not as the others; names the line.
    """
    width = word_vectors_width(path)
    ids = {word: number for number, word in enumerate(words) if number}
    rows = np.full((len(words), width), np.nan, np.float32)
    for line, text in _lines(path):
        # From the right: a few of GloVe's words hold spaces.
        word, *numbers = text.rsplit(" ", width)
        if len(numbers) != width:
            raise UsageError(
                f"{len(numbers)} numbers where the first line has {width}", where=f"{path}:{line}", remedy=_REMEDY
            )
        row = ids.pop(word, None)
        if row is None:
            continue
        try:
            vector = np.array(numbers, dtype=np.float32)
        except ValueError as error:
            raise UsageError(f"not a number: {error}", where=f"{path}:{line}", remedy=_REMEDY) from error
        if not np.isfinite(vector).all():
            raise UsageError(f"the vector of {word!r} is not finite", where=f"{path}:{line}", remedy=_REMEDY)
        rows[row] = vector
    known = max(len(words) - 1, 0)
    return WordVectors(rows, found=known - len(ids), known=known)


def _split(text: str, path: Path, line: int) -> list[str]:
    fields = text.split(" ")
    if len(fields) < 2:
        raise UsageError(f"{text[:40]!r} is no word with numbers", where=f"{path}:{line}", remedy=_REMEDY)
    try:
        float(fields[-1])
    except ValueError as error:
        raise UsageError(f"{fields[-1][:40]!r} is not a number", where=f"{path}:{line}", remedy=_REMEDY) from error
    return fields


def _lines(path: Path) -> Iterator[tuple[int, str]]:
    """Numbered lines, from 1; a first line that only counts words and numbers, as word2vec writes, is passed over."""
    try:
        with ExitStack() as stack:
            for line, text in enumerate(_open(path, stack), start=1):
                stripped = text.rstrip("\r\n ")
                if stripped and not (line == 1 and _is_header(stripped)):
                    yield line, stripped
    except (OSError, EOFError, UnicodeDecodeError, zipfile.BadZipFile) as error:
        raise UsageError(f"cannot be read: {error}", where=path, remedy=_REMEDY) from error


def _is_header(text: str) -> bool:
    fields = text.split(" ")
    return len(fields) == 2 and all(field.isdecimal() for field in fields)


def _open(path: Path, stack: ExitStack) -> io.TextIOBase | io.TextIOWrapper:
    if path.suffix == ".gz":
        return stack.enter_context(gzip.open(path, "rt", encoding="utf-8", newline="\n"))
    if path.suffix != ".zip":
        return stack.enter_context(path.open(encoding="utf-8", newline="\n"))
    archive = stack.enter_context(zipfile.ZipFile(path))
    members = [name for name in archive.namelist() if not name.endswith("/")]
    if len(members) != 1:
        raise UsageError(
            f"the archive holds {len(members)} files ({', '.join(members[:5])}), and one is expected",
            where=path,
            remedy="unpack the file that is meant, and name it",
        )
    return io.TextIOWrapper(stack.enter_context(archive.open(members[0])), encoding="utf-8", newline="\n")
