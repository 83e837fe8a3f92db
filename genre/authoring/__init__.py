"""A package for a part of one's own: written from templates, and its own tests pass before anything is changed.

`naming` checks a name and derives all others from it, `kinds` reads what `templates/kinds.toml` says of each kind, and
`writing` renders the files: those of `templates/skeleton`, over which `templates/KIND` lays what differs.
"""

from genre.authoring.kinds import PackageKind, package_kinds
from genre.authoring.naming import PackageNames
from genre.authoring.writing import NewPackage, new_package

__all__ = ["NewPackage", "PackageKind", "PackageNames", "new_package", "package_kinds"]
