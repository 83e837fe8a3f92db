"""What a release says of itself in several places agrees, and its locks hold what it needs."""

import re
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path

import attrs
import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from genre import __version__

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
EXTRAS: Mapping[str, list[str]] = PROJECT["project"]["optional-dependencies"]
LOCKED = {
    "run.txt": [*PROJECT["project"]["dependencies"], *EXTRAS["local"], *EXTRAS["report"]],
    "all.txt": [*PROJECT["project"]["dependencies"], *(each for extra in EXTRAS.values() for each in extra)],
}
APART = "torch"


def text(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


@attrs.frozen
class Pin:
    requirement: Requirement
    version: str
    hashes: int


def pins(name: str) -> dict[str, Pin]:
    """The packages of a lock, by name."""
    return {canonicalize_name(pin.requirement.name): pin for pin in read_pins(text(name))}


def read_pins(lock: str) -> Iterator[Pin]:
    lines = (line.split("#")[0].strip() for line in lock.replace("\\\n", " ").splitlines())
    for line in filter(None, lines):
        said, *hashes = re.split(r"\s+--hash=sha256:(?=[0-9a-f]{64}(?:\s|$))", line)
        requirement = Requirement(said)
        [specifier] = requirement.specifier
        assert specifier.operator == "=="
        yield Pin(requirement, specifier.version, len(hashes))


def test_the_changelog_s_newest_version_is_the_version() -> None:
    released = re.findall(r"^## \[(\d+\.\d+\.\d+)\] - \d{4}-\d\d-\d\d$", text("CHANGELOG.md"), re.MULTILINE)
    assert released[:1] in ([], [__version__])
    assert len(re.findall(r"^## \[Unreleased\]$", text("CHANGELOG.md"), re.MULTILINE)) == 1


def test_the_citation_is_of_the_version_and_its_day() -> None:
    citation, changelog = text("CITATION.cff"), text("CHANGELOG.md")
    assert re.findall(r"^version: (\S+)$", citation, re.MULTILINE) == [__version__]
    days = re.findall(rf"^## \[{re.escape(__version__)}\] - (\S+)$", changelog, re.MULTILINE)
    assert re.findall(r"^date-released: (\S+)$", citation, re.MULTILINE) == days


def test_the_security_policy_is_about_the_version() -> None:
    major, minor, _ = __version__.split(".")
    assert f"| {major}.{minor}.x | yes |" in text("SECURITY.md")


def test_the_version_stands_in_one_place_of_the_code() -> None:
    assert "version" in PROJECT["project"]["dynamic"]
    assert PROJECT["tool"]["hatch"]["version"]["path"] == "genre/version.py"
    elsewhere = [
        path
        for folder in ("genre", "plugins")
        for path in (ROOT / folder).rglob("*.py")
        if re.search(r"__version__\s*=", path.read_text(encoding="utf-8")) and path.name != "version.py"
    ]
    assert not elsewhere


@pytest.mark.parametrize("name", LOCKED)
def test_a_lock_holds_every_dependency_but_torch_within_its_bounds(name: str) -> None:
    locked = pins(f"locks/{name}")
    assert APART not in locked
    for wanted in map(Requirement, LOCKED[name]):
        if wanted.name != APART:
            pin = locked[canonicalize_name(wanted.name)]
            assert wanted.specifier.contains(pin.version), wanted


@pytest.mark.parametrize("name", LOCKED)
def test_a_lock_agrees_with_the_constraints(name: str) -> None:
    constraints = {canonicalize_name(pin.requirement.name): pin.version for pin in read_pins(text("constraints.txt"))}
    for package, pin in pins(f"locks/{name}").items():
        # What only another system or a later Python needs is not installed where the constraints are written.
        assert package in constraints or pin.requirement.marker is not None, package
        assert constraints.get(package, pin.version) == pin.version, package


@pytest.mark.parametrize("name", LOCKED)
def test_every_package_of_a_lock_has_hashes_and_no_place_where_it_comes_from(name: str) -> None:
    assert all(pin.hashes for pin in pins(f"locks/{name}").values())
    assert not re.search(r"https?:|file:|index-url|find-links|@", text(f"locks/{name}"))


def test_what_runs_is_locked_alike_in_both_files() -> None:
    run, everything = pins("locks/run.txt"), pins("locks/all.txt")
    assert {name: pin.version for name, pin in run.items()}.items() <= {
        name: pin.version for name, pin in everything.items()
    }.items()


def test_what_torch_needs_beside_the_libraries_of_its_gpus_is_locked() -> None:
    from importlib import metadata

    installed = metadata.version(APART).partition("+")[0]
    if installed != next(pin.version for pin in read_pins(text("constraints.txt")) if pin.requirement.name == APART):
        pytest.skip(f"torch {installed} is installed, and the locks are made for another version")
    needed = [Requirement(each) for each in metadata.requires(APART) or ()]
    usual = [each for each in needed if each.marker is None or each.marker.evaluate({"extra": ""})]
    locked = pins("locks/run.txt")
    assert [each.name for each in usual if not re.match("nvidia|cuda|triton", each.name)]
    for each in usual:
        if not re.match("nvidia|cuda|triton", each.name):
            assert each.specifier.contains(locked[canonicalize_name(each.name)].version), each


def test_the_tools_of_a_release_are_pinned() -> None:
    constraints = {canonicalize_name(pin.requirement.name): pin.version for pin in read_pins(text("constraints.txt"))}
    for wanted in map(Requirement, [*PROJECT["dependency-groups"]["release"], *LOCKED["all.txt"]]):
        assert wanted.specifier.contains(constraints[canonicalize_name(wanted.name)]), wanted
