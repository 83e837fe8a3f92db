"""What can be downloaded, by the plugins' data set readers."""

from genre.discovery import load_import_string
from genre.errors import UsageError, nearest
from genre.parts import DatasetPart, Download
from genre.registry import Registry


def downloads(registry: Registry) -> dict[str, tuple[Download, str]]:
    """Each download by its name, and the name of the reader that reads it.

    Raises:
        UsageError: two plugins offer one name, or one offers something else.
    """
    found: dict[str, tuple[Download, str]] = {}
    for entry in registry.parts("dataset"):
        if entry.enabled and isinstance(entry.part, DatasetPart):
            offered = load_import_string(entry.part.downloads)
            if not (isinstance(offered, tuple) and all(isinstance(each, Download) for each in offered)):
                raise UsageError(f"{entry.part.downloads} of {entry.distribution} is no tuple of genre.parts.Download")
            for each in offered:
                if each.name in found:
                    raise UsageError(
                        f"two readers offer the download {each.name!r}: {found[each.name][1]} and {entry.part.name}",
                        remedy=f"write disabled = ['dataset/{entry.part.name}'] into [plugins] of registry.toml",
                    )
                found[each.name] = each, entry.part.name
    return found


def find_download(registry: Registry, name: str) -> tuple[Download, str]:
    """A download, and the reader that reads it.

    Raises:
        UsageError: there is none of that name.
    """
    offered = downloads(registry)
    if name not in offered:
        raise UsageError(f"there is no download {name!r}", remedy=nearest(name, offered))
    return offered[name]
