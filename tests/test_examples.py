"""The packages of examples/: written from the template, with little that differs, and their tests pass."""

import difflib
import os
import subprocess
import sys
from pathlib import Path

import pytest
from written_packages import put_into

from genre.authoring.naming import PackageNames
from genre.authoring.writing import rendered_files
from genre.parts import Kind

ROOT = Path(__file__).parents[1] / "examples"
EXAMPLES: dict[str, Kind] = {"genre-anchored": "baseline", "genre-facts-first": "task", "genre-headlines": "generator"}
MOST_LINES = 80


def test_every_example_is_one_of_these() -> None:
    assert sorted(path.name for path in ROOT.glob("genre-*")) == sorted(EXAMPLES)
    index = (ROOT / "README.md").read_text(encoding="utf-8")
    assert all(f"({name}/README.md)" in index for name in EXAMPLES)


@pytest.mark.parametrize("name", EXAMPLES)
def test_few_lines_of_its_code_differ_from_what_the_template_writes(name: str) -> None:
    names = PackageNames(name.removeprefix("genre-"))
    written = {path.as_posix(): text for path, text in rendered_files(names, EXAMPLES[name])}
    differing = 0
    for path in (ROOT / name / "src").rglob("*.py"):
        before = written.get(path.relative_to(ROOT / name).as_posix(), "").splitlines()
        now = path.read_text(encoding="utf-8").splitlines()
        differing += sum(line.startswith("+ ") for line in difflib.ndiff(before, now))
    assert 0 < differing <= MOST_LINES


@pytest.mark.parametrize("name", EXAMPLES)
def test_what_it_did_not_change_is_what_the_template_writes_now(name: str) -> None:
    names = PackageNames(name.removeprefix("genre-"))
    written = {path.as_posix(): text for path, text in rendered_files(names, EXAMPLES[name])}
    for path in (".gitignore", ".github/workflows/tests.yml"):
        assert (ROOT / name / path).read_text(encoding="utf-8") == written[path]
    check = written["README.md"].partition("## Check")[2]
    assert (ROOT / name / "README.md").read_text(encoding="utf-8").endswith(check)


@pytest.mark.parametrize("name", EXAMPLES)
def test_its_own_tests_pass(tmp_path: Path, name: str) -> None:
    put_into(tmp_path, ROOT / name)
    paths = [str(tmp_path), *filter(None, [os.environ.get("PYTHONPATH")])]
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"],
        cwd=ROOT / name,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(paths), "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
