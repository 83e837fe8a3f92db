"""Packages of strangers: installed into an environment of their own, called from there."""

import os
import subprocess
import sys
import sysconfig
import venv
from pathlib import Path


def environment_with(folder: Path, *packages: Path) -> Path:
    """The Python of a fresh environment that sees this one's packages, with further packages installed into it."""
    venv.create(folder, with_pip=False)
    python = folder / "bin" / "python"
    site = subprocess.run(
        [python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))"],
        check=True,
        capture_output=True,
        text=True,
    ).stdout.strip()
    here = sysconfig.get_path("purelib")
    Path(site, "outer.pth").write_text(f"import site; site.addsitedir({here!r})\n")
    pip = [sys.executable, "-m", "pip", "--python", str(python), "--disable-pip-version-check"]
    install = [*pip, "install", "--quiet", "--no-deps", "--no-build-isolation"]
    subprocess.run([*install, *map(str, packages)], check=True)
    return python


def genre(python: Path, folder: Path, *arguments: str) -> "subprocess.CompletedProcess[str]":
    """Call the command line in a folder."""
    return _run(python, folder, "-m", "genre", *arguments)


def run_tests(python: Path, folder: Path, tests: Path) -> "subprocess.CompletedProcess[str]":
    """Run a copy of a package's tests, so that what is imported is what was installed."""
    (folder / tests.name).write_text(tests.read_text(encoding="utf-8"), encoding="utf-8")
    return _run(python, folder, "-m", "pytest", "-q", "-p", "no:cacheprovider", tests.name)


def _run(python: Path, folder: Path, *arguments: str) -> "subprocess.CompletedProcess[str]":
    environment = {**os.environ, "XDG_CONFIG_HOME": str(folder / "no-config"), "OMP_NUM_THREADS": "1"}
    return subprocess.run(
        [python, *arguments], cwd=folder, env=environment, capture_output=True, text=True, check=False
    )
