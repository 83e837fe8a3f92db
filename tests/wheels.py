"""genre's wheel, and an environment that holds it, what it needs, and nothing of the checkout."""

import os
import subprocess
import sys
import venv
from pathlib import Path
from typing import Final

import attrs

ROOT: Final = Path(__file__).parents[1]


def build_wheel(folder: Path) -> Path:
    """The wheel of this checkout."""
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check"]
    subprocess.run(
        [*pip, "wheel", "--quiet", "--no-deps", "--no-build-isolation", "--wheel-dir", str(folder), str(ROOT)],
        check=True,
    )
    [wheel] = folder.glob("*.whl")
    return wheel


@attrs.frozen
class Environment:
    """A virtual environment.

    Attributes:
        folder: where it is.
    """

    folder: Path

    @classmethod
    def of(cls, folder: Path, *requirements: str) -> "Environment":
        """A fresh one with these requirements, in the versions of `constraints.txt`."""
        venv.create(folder, with_pip=True, symlinks=True)
        environment = cls(folder)
        done = environment.run(folder, "pip", "install", "--quiet", *requirements)
        assert done.returncode == 0, done.stderr
        return environment

    def run(self, cwd: Path, *command: str) -> "subprocess.CompletedProcess[str]":
        """Call a program of the environment; nothing of the checkout is on its path."""
        scripts = str(self.folder / "bin")
        outer = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
        variables = {
            **outer,
            "PATH": os.pathsep.join([scripts, outer["PATH"]]),
            "VIRTUAL_ENV": str(self.folder),
            "XDG_CONFIG_HOME": str(self.folder / "no-config"),
            "PIP_CONSTRAINT": str(ROOT / "constraints.txt"),
            "PIP_DISABLE_PIP_VERSION_CHECK": "1",
            "OMP_NUM_THREADS": "1",
        }
        program = Path(scripts, command[0])
        called = [str(program) if program.exists() else command[0], *command[1:]]
        return subprocess.run(called, cwd=cwd, env=variables, capture_output=True, text=True, check=False)
