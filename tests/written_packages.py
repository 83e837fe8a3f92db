"""Packages written by `genre plugins new`, and those of examples/: put into a site folder, or tested in place."""

import os
import subprocess
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Final
from xml.etree import ElementTree

from genre.authoring import new_package, package_kinds
from genre.registry import Registry

KINDS: Final = tuple(package_kinds())


def name_of(kind: str) -> str:
    """What the package of a kind is called in tests."""
    return f"my-{kind}"


def write_all(out: Path) -> dict[str, Path]:
    """A package of each kind in `out`; their folders by kind."""
    registry = Registry.load()
    return {kind: new_package(registry, name_of(kind), kind, out).folder for kind in KINDS}


def put_into(site: Path, package: Path) -> None:
    """A link to a package's code and its entry points, as an editable installation leaves them in a site folder."""
    [source] = (each for each in (package / "src").iterdir() if each.name.startswith("genre_"))
    (site / source.name).symlink_to(source)
    info = site / f"{source.name}-0.1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {package.name}\nVersion: 0.1.0\n")
    name = package.name.removeprefix("genre-")
    (info / "entry_points.txt").write_text(f"[genre]\n{name} = {source.name}\n")


def outcomes_of_tests(python: Path, packages: Iterable[Path], site: Path, report: Path) -> Mapping[str, list[str]]:
    """Run the tests of packages, all in one process; what failed, and `"passed"` for what passed, by package.

    Args:
        python: the interpreter.
        site: a folder before all others.
        report: a file for pytest's own report.
    """
    paths = [str(site), *filter(None, [os.environ.get("PYTHONPATH")])]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(paths), "OMP_NUM_THREADS": "1"}
    tests = [package / "tests" for package in packages]
    root = os.path.commonpath(tests)  # the report names tests by their place below it
    options = ["-q", "-c", os.devnull, f"--rootdir={root}", "--import-mode=importlib", "-p", "no:cacheprovider"]
    done = subprocess.run(
        [python, "-m", "pytest", *options, f"--junit-xml={report}", *tests],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert report.is_file(), done.stdout + done.stderr
    outcomes: dict[str, list[str]] = {package.name: [] for package in packages}
    for case in ElementTree.parse(report).iter("testcase"):
        place = case.get("classname", "").split(".")
        name = next(each for each in outcomes if each in place)
        failure = next((each for each in case if each.tag in ("failure", "error", "skipped")), None)
        told = "passed" if failure is None else f"{case.get('name')}: {failure.get('message')}"
        outcomes[name].append(told)
    return outcomes
