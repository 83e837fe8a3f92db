"""Pre-trained word vectors in GloVe's text format: a word and its numbers a line; plain, zipped or gzipped."""

import gzip
import itertools
import lzma
import re
import zipfile
import zlib
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import IO, Final

import attrs
import numpy as np
from numpy.typing import NDArray

from genre.errors import UsageError
from genre.parts import PretrainedEmbedding

_REMEDY: Final = "give a file in GloVe's text format: a word and its numbers a line, separated by spaces"
_LONGEST: Final = 1 << 17
"""Bytes of a line: thousands of numbers. A file of another kind may have no line end in gigabytes."""
_FIRST_LINES: Final = 32
"""So many lines tell how many numbers a line has."""
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
        import torch  # here alone: experiments are planned without it

        return PretrainedEmbedding(self.rows.shape[1], torch.from_numpy(self.rows))


def word_vectors_width(path: Path) -> int:
    """Numbers a line.

    Raises:
        UsageError: the file cannot be read, or its first lines are no words with numbers.
    """
    return _layout(path).width


def read_word_vectors(path: Path, words: Sequence[str]) -> WordVectors:
    """The vectors of some words; only their lines are parsed, and the first one of a word counts.

    Args:
        words: in the order of their ids; the first one stands for unknown words and gets none.

    Raises:
        UsageError: the file cannot be read, or a line is not as the others; names the line.
    """
    layout = _layout(path)
    width = layout.width
    ids = {word: number for number, word in enumerate(words) if number}
    rows = np.full((len(words), width), np.nan, np.float32)
    for line, text in _lines(path):
        if line == 1 and layout.header:
            continue
        where = f"{path}:{line}"
        row = ids.pop(_word(text, width, where), None)
        if row is not None:
            rows[row] = _vector(text.rsplit(" ", width), where)
    known = max(len(words) - 1, 0)
    return WordVectors(rows, found=known - len(ids), known=known)


@attrs.frozen
class _Layout:
    """How many numbers a line has, and whether the first line only counts words and numbers, as word2vec writes."""

    width: int
    header: bool


def _layout(path: Path) -> _Layout:
    """What most of the first lines agree on: a word may hold spaces, and then its line alone tells too little."""
    lines = list(itertools.islice(_lines(path), _FIRST_LINES))
    counts = _counts_of_header(lines[0]) if lines else None
    rest = lines[1:] if counts else lines
    if not rest:
        raise UsageError("the file is empty", where=path, remedy=_REMEDY)
    [(width, _)] = Counter(_trailing_numbers(text) for _, text in rest).most_common(1)
    if width == 0:
        line, text = next((line, text) for line, text in rest if not _trailing_numbers(text))
        raise UsageError(f"{text[:40]!r} is no word with numbers", where=f"{path}:{line}", remedy=_REMEDY)
    if counts and counts[1] != width != 1:  # where lines have one number, it is a word with its number
        raise UsageError(
            f"the header says {counts[1]} numbers a line, and the lines have {width}",
            where=f"{path}:1",
            remedy=_REMEDY,
        )
    return _Layout(width, header=counts is not None and counts[1] == width)


def _trailing_numbers(text: str) -> int:
    """Numbers at the end of a line, its first field left out."""
    return sum(1 for _ in itertools.takewhile(_is_number, reversed(text.split(" ")[1:])))


def _word(text: str, width: int, where: str) -> str:
    """What is left of the numbers. A few of GloVe's words hold spaces, and then the numbers tell where they end."""
    count = text.count(" ")
    if count == width:
        return text.partition(" ")[0]
    word, *numbers = text.rsplit(" ", width)
    further = word.split(" ")[1:]
    if count < width or all(_is_number(each) for each in further):
        found = len(numbers) + len(further)
        raise UsageError(f"{found} numbers where other lines have {width}", where=where, remedy=_REMEDY)
    return word


def _vector(fields: Sequence[str], where: str) -> NDArray[np.float32]:
    word, *numbers = fields
    try:
        vector = np.array([_number(number) for number in numbers])
    except ValueError as error:
        raise UsageError(f"not a number: {error}", where=where, remedy=_REMEDY) from error
    if not (np.abs(vector) <= np.finfo(np.float32).max).all():  # NaN is not either
        raise UsageError(f"the vector of {word!r} is not finite", where=where, remedy=_REMEDY)
    return vector.astype(np.float32)


def _number(text: str) -> float:
    """As programs of any language write it: Python alone reads `1_0`, digits of other scripts, and blanks around."""
    if "_" in text or not text.isascii() or text != text.strip():
        raise ValueError(f"could not convert string to float: {text!r}")
    return float(text)


def _is_number(text: str) -> bool:
    try:
        _number(text)
    except ValueError:
        return False
    return True


def _lines(path: Path) -> Iterator[tuple[int, str]]:
    """Numbered lines, from 1, without blank ones and without a byte-order mark."""
    line = 0
    try:
        with ExitStack() as stack:
            file = _open(path, stack)
            while raw := file.readline(_LONGEST):
                line += 1
                if len(raw) == _LONGEST:
                    raise UsageError("a line without an end", where=f"{path}:{line}", remedy=_REMEDY)
                text = raw.decode("utf-8").rstrip("\r\n ")
                if line == 1:
                    text = text.removeprefix("\ufeff")
                if text:
                    yield line, text
    except UnicodeDecodeError as error:
        raise UsageError(f"not UTF-8: {error.reason}", where=f"{path}:{line}", remedy=_REMEDY) from error
    except _UNREADABLE as error:
        raise UsageError(f"cannot be read: {error}", where=path, remedy=_REMEDY) from error


def _counts_of_header(first: tuple[int, str]) -> tuple[int, int] | None:
    """Words and numbers, if a first line may be a header."""
    line, text = first
    fields = text.split(" ")
    if line != 1 or len(fields) != 2 or not all(re.fullmatch("[0-9]{1,12}", each) for each in fields):
        return None
    return int(fields[0]), int(fields[1])


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
