"""SHA-256 of archives, recorded when they are first fetched, in the format of `sha256sum`.

No list of right checksums is published. So the first archive is trusted, and every later one of its name has to be the
same: on another machine, too, if the file goes with the experiment.
"""

import hashlib
import re
from pathlib import Path
from typing import Final

from genre.errors import UsageError
from genre.staging import staged_file

FILE: Final = "SHA256SUMS"
_LINE: Final = re.compile(r"([0-9a-f]{64})  (\S+)")


def sha256_of(path: Path) -> str:
    """SHA-256 of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def recorded(folder: Path) -> dict[str, str]:
    """The checksums in a folder, by the archives' names; none if there is no file of them.

    Raises:
        UsageError: the file holds something else.
    """
    path = folder / FILE
    if not path.exists():
        return {}
    sums: dict[str, str] = {}
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"the checksums cannot be read: {error}", where=path, remedy="mend or remove it") from error
    for number, line in enumerate(lines, start=1):
        match = _LINE.fullmatch(line)
        if match is None:
            raise UsageError(
                f"{line!r} is no checksum", where=f"{path}:{number}", remedy="write 64 digits, two blanks and the name"
            )
        sums[match[2]] = match[1]
    return sums


def record(folder: Path, name: str, checksum: str) -> None:
    """Record a checksum, whole or not at all.

    Raises:
        UsageError: what is recorded cannot be read.
        WriteFailed: the file cannot be written.
    """
    sums = {**recorded(folder), name: checksum}
    with staged_file(folder / FILE, "list of checksums", shared=False) as staging:
        staging.write_text("".join(f"{value}  {name}\n" for name, value in sorted(sums.items())), encoding="utf-8")
