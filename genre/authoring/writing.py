"""A package's files, rendered from templates and written into a folder of their own."""

from collections.abc import Collection, Iterator, Mapping
from pathlib import Path, PurePosixPath
from typing import Final, cast

import attrs
import jinja2

from genre.authoring.kinds import TEMPLATES, hook_of, package_kinds
from genre.authoring.naming import PackageNames, checked_names
from genre.errors import RunError, UsageError, nearest
from genre.parts import Kind
from genre.registry import Registry
from genre.version import __version__

_SKELETON: Final = "skeleton"
_SUFFIX: Final = ".jinja"


@attrs.frozen
class NewPackage:
    """A package that was written.

    Attributes:
        folder: where it is.
        files: what is in it, relative to the folder.
    """

    folder: Path
    files: tuple[PurePosixPath, ...]


def new_package(
    registry: Registry, name: str, kind: str, out: Path, *, reserved_commands: Collection[str] = ()
) -> NewPackage:
    """Write a package with one part into `out / "genre-NAME"`.

    Args:
        registry: what is installed; nothing of it may have the name.
        name: of the part.
        kind: what the part plugs into.
        out: made if it is not there.
        reserved_commands: names that no command of a plugin may have.

    Raises:
        UsageError: there is no such kind, the name cannot be used, or the folder is there and not empty.
        RunError: a file cannot be written.
    """
    kinds = package_kinds()
    if kind not in kinds:
        raise UsageError(f"there is no part of the kind {kind!r}", remedy=nearest(kind, kinds))
    chosen = cast(Kind, kind)
    names = checked_names(registry, name, (kind, *kinds[chosen].also), reserved_commands=reserved_commands)
    files = dict(rendered_files(names, chosen))
    folder = _free_folder(out, names.distribution)
    try:
        for path, text in files.items():
            file = folder / path
            file.parent.mkdir(parents=True, exist_ok=True)
            with file.open("x", encoding="utf-8", newline="\n") as stream:
                stream.write(text)
    except OSError as error:
        raise RunError(f"cannot be written: {error.strerror}", where=error.filename, remedy="see to it") from error
    return NewPackage(folder, tuple(files))


def rendered_files(names: PackageNames, kind: Kind) -> Iterator[tuple[PurePosixPath, str]]:
    """The files of a package: their paths in it, and their texts."""
    variables = _variables(names, kind)
    environment = _environment()
    for path, template in sorted(_templates(kind).items()):
        place = path.removesuffix(_SUFFIX).replace("PACKAGE", names.package)
        yield PurePosixPath(place), environment.get_template(template).render(variables)


def _templates(kind: Kind) -> Mapping[str, str]:
    """Templates by their paths in the package: the kind's own lie over the skeleton's."""
    found: dict[str, str] = {}
    for layer in (_SKELETON, kind):
        root = TEMPLATES / layer
        for file in root.rglob(f"*{_SUFFIX}"):
            found[file.relative_to(root).as_posix()] = file.relative_to(TEMPLATES).as_posix()
    return found


def _environment() -> jinja2.Environment:
    """Templates of code for GitHub, TOML and prompts, whose own `{{ }}`, `[[ ]]` and `{% %}` stay as they are."""
    return jinja2.Environment(
        loader=jinja2.FileSystemLoader(TEMPLATES),
        variable_start_string="<<",
        variable_end_string=">>",
        block_start_string="<%",
        block_end_string="%>",
        comment_start_string="<#",
        comment_end_string="#>",
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        autoescape=False,  # noqa: S701  code, and a name that was checked
    )


def _variables(names: PackageNames, kind: Kind) -> dict[str, object]:
    said = package_kinds()[kind]
    hook, record = hook_of(kind)
    class_name = names.stem + "".join(word.capitalize() for word in kind.split("-"))
    return {
        "name": names.name,
        "distribution": names.distribution,
        "package": names.package,
        "stem": names.stem,
        "kind": kind,
        "module": kind.replace("-", "_"),
        "class_name": class_name,
        "target": said.target or class_name,
        "options": f"{class_name}Options" if said.with_options else None,
        "hook": hook,
        "record": record,
        "summary": said.summary,
        "requires": sorted([*said.requires, f"genre-rec>={__version__}"]),
        "laws": said.laws or (kind, *said.also),
    }


def _free_folder(out: Path, name: str) -> Path:
    """An empty folder `out / name`, which is made if it is not there.

    Raises:
        UsageError: something is there, or it cannot be made.
    """
    folder = out / name
    try:
        # What a link points to is somewhere else.
        if folder.is_symlink() or (folder.exists() and not (folder.is_dir() and not any(folder.iterdir()))):
            raise UsageError("there is something already", where=folder, remedy="choose another name, or another --out")
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UsageError(f"cannot be made: {error.strerror}", where=folder, remedy="choose another --out") from error
    return folder
