"""Pre-trained word vectors in GloVe's text format: a word and its numbers a line; plain, zipped or gzipped."""

import gzip
import lzma
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import IO, Final

import attrs
import numpy as np
import torch
from numpy.typing import NDArray

from genre.errors import UsageError
from genre.parts import PretrainedEmbedding

_REMEDY: Final = "give a file in GloVe's text format: a word and its numbers a line, separated by spaces"
_LONGEST: Final = 1 << 17
"""Bytes of a line: thousands of numbers. A file of another kind may have no line end in gigabytes."""
_UNREADABLE: Final = (
    OSError,
    EOFError,
    zipfile.BadZipFile,
    zlib.error,
    lzma.LZMAError,
    NotImplementedError,  # a compression that zipfile does not know
    RuntimeError,  # a member with a password
)


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
        numbers = text.split(" ")[1:]
        if not numbers or not all(_is_number(number) for number in numbers):
            raise UsageError(f"{text[:40]!r} is no word with numbers", where=f"{path}:{line}", remedy=_REMEDY)
        return len(numbers)
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
        where = f"{path}:{line}"
        row = ids.pop(_word(text, width, where), None)
        if row is not None:
            rows[row] = _vector(text.rsplit(" ", width), where)
    known = max(len(words) - 1, 0)
    return WordVectors(rows, found=known - len(ids), known=known)


def _word(text: str, width: int, where: str) -> str:
    """What is left of the numbers. A few of GloVe's words hold spaces, and then the numbers tell where they end."""
    count = text.count(" ")
    if count == width:
        return text.partition(" ")[0]
    word, *numbers = text.rsplit(" ", width)
    further = word.split(" ")[1:]
    if count < width or all(_is_number(each) for each in further):
        found = len(numbers) + len(further)
        raise UsageError(f"{found} numbers where the first line has {width}", where=where, remedy=_REMEDY)
    return word


def _vector(fields: Sequence[str], where: str) -> NDArray[np.float32]:
    word, *numbers = fields
    try:
        vector = np.array([float(number) for number in numbers])
    except ValueError as error:
        raise UsageError(f"not a number: {error}", where=where, remedy=_REMEDY) from error
    if not (np.abs(vector) <= np.finfo(np.float32).max).all():  # NaN is not either
        raise UsageError(f"the vector of {word!r} is not finite", where=where, remedy=_REMEDY)
    return vector.astype(np.float32)


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _lines(path: Path) -> Iterator[tuple[int, str]]:
    """Numbered lines, from 1; a first line that only counts words and numbers, as word2vec writes, is passed over."""
    line = 0
    try:
        with ExitStack() as stack:
            file = _open(path, stack)
            while raw := file.readline(_LONGEST):
                line += 1
                if len(raw) == _LONGEST:
                    raise UsageError("a line without an end", where=f"{path}:{line}", remedy=_REMEDY)
                text = raw.decode("utf-8").rstrip("\r\n ")
                if text and not (line == 1 and _is_header(text)):
                    yield line, text
    except UnicodeDecodeError as error:
        raise UsageError(f"not UTF-8: {error.reason}", where=f"{path}:{line}", remedy=_REMEDY) from error
    except _UNREADABLE as error:
        raise UsageError(f"cannot be read: {error}", where=path, remedy=_REMEDY) from error


def _is_header(text: str) -> bool:
    fields = text.split(" ")
    return len(fields) == 2 and all(field.isdecimal() for field in fields)


def _open(path: Path, stack: ExitStack) -> IO[bytes] | gzip.GzipFile:
    if path.suffix == ".gz":
        return stack.enter_context(gzip.open(path, "rb"))
    if path.suffix != ".zip":
        return stack.enter_context(path.open("rb"))
    archive = stack.enter_context(zipfile.ZipFile(path))
    members = [name for name in archive.namelist() if not name.endswith("/")]
    if len(members) != 1:
        raise UsageError(
            f"the archive holds {len(members)} files ({', '.join(map(repr, members[:5]))}), and one is expected",
            where=path,
            remedy="unpack the file that is meant, and name it",
        )
    return stack.enter_context(archive.open(members[0]))
