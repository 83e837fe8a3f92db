"""Folders that are written whole or not at all."""

import shutil
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def staged(folder: Path, *, replace: bool) -> Iterator[Path]:
    """A folder to write into, which becomes `folder` when the block ends without an error.

    Args:
        replace: a folder that is there gives way; otherwise it stays, because whoever made it wrote the same.
    """
    folder.parent.mkdir(parents=True, exist_ok=True)
    staging = folder.with_name(f".{folder.name}.{uuid.uuid4().hex}")
    retired = staging.with_suffix(".old")
    staging.mkdir()
    try:
        yield staging
        if replace and folder.exists():
            folder.rename(retired)
        try:
            staging.rename(folder)
        except OSError:
            if replace or not folder.is_dir():
                raise
    finally:
        shutil.rmtree(staging, ignore_errors=True)
        shutil.rmtree(retired, ignore_errors=True)
