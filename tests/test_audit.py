"""`make audit`: a finding fails, silence passes, and a service that does not answer is told as skipped."""

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

AUDIT = Path(__file__).parents[1] / ".ci" / "audit.py"
GOOD = {"name": "attrs", "version": "26.1.0", "vulns": []}
BAD = {"name": "old", "version": "1.0", "vulns": [{"id": "PYSEC-2000-1", "fix_versions": ["1.1"], "aliases": []}]}
UNKNOWN = {"name": "mine", "skip_reason": "Dependency not found on PyPI and could not be audited: mine (1.0)"}
NO_ANSWER = (
    "ERROR:pip_audit._cli:Could not connect to PyPI's vulnerability feed",
    "requests.exceptions.HTTPError: 503 Server Error: Service Unavailable for url: https://pypi.org/pypi/attrs/26.1.0/json"
    "\n\nThe above exception was the direct cause of the following exception:\n\n"
    "pip_audit._service.interface.ServiceError",
    "requests.exceptions.ConnectionError: Max retries exceeded with url: /pypi/attrs/json",
)

REFUSED = (
    "requests.exceptions.HTTPError: 400 Client Error: Bad Request for url: https://pypi.org/pypi/attrs/26.1.0/json"
    "\n\nThe above exception was the direct cause of the following exception:\n\n"
    "pip_audit._service.interface.ServiceError",
    "pip_audit._service.interface.ServiceError: Received malformed version from PyPI: ['one']",
)


def audit(folder: Path, report: Sequence[object] | None, *, said: str = "", code: int = 0) -> tuple[int, str]:
    """Exit code and output, with a program in the place of pip-audit that writes this report, says this and ends so."""
    program = folder / "pip-audit"
    program.write_text(
        f"#!{sys.executable}\nimport sys\nfrom pathlib import Path\n"
        f"report, said = {None if report is None else json.dumps({'dependencies': report})!r}, {said!r}\n"
        "if report is not None:\n    Path(sys.argv[sys.argv.index('--output') + 1]).write_text(report)\n"
        f"sys.stderr.write(said)\nsys.exit({code})\n",
        encoding="utf-8",
    )
    program.chmod(0o755)
    environment = {**os.environ, "PIP_AUDIT": str(program)}
    done = subprocess.run([sys.executable, AUDIT], env=environment, capture_output=True, text=True, check=False)
    return done.returncode, done.stdout + done.stderr


def test_nothing_known_passes(tmp_path: Path) -> None:
    assert audit(tmp_path, [GOOD]) == (0, "0 findings in 1 packages\n")


def test_a_finding_fails_and_is_shown(tmp_path: Path) -> None:
    code, said = audit(tmp_path, [GOOD, BAD], code=1)
    assert code == 1
    assert "old 1.0: PYSEC-2000-1, mended in 1.1\n" in said


def test_a_finding_fails_also_where_the_service_does_not_know_some_packages(tmp_path: Path) -> None:
    code, said = audit(tmp_path, [UNKNOWN, BAD], code=1)
    assert code == 1
    assert "audit skipped for 1 of 2 packages: mine\n" in said


def test_packages_that_the_service_does_not_know_are_told(tmp_path: Path) -> None:
    assert audit(tmp_path, [GOOD, UNKNOWN]) == (
        0,
        "audit skipped for 1 of 2 packages: mine\n0 findings in 1 packages\n",
    )


def test_a_service_that_knows_no_package_at_all_is_told_as_skipped(tmp_path: Path) -> None:
    code, said = audit(tmp_path, [UNKNOWN, UNKNOWN], said="No known vulnerabilities found")
    assert code == 0
    assert said.startswith("audit skipped: ")


@pytest.mark.parametrize("said", NO_ANSWER)
def test_a_service_that_does_not_answer_is_told_as_skipped(tmp_path: Path, said: str) -> None:
    code, told = audit(tmp_path, None, said=said, code=1)
    assert code == 0
    assert told.startswith("audit skipped: ")


@pytest.mark.parametrize("said", REFUSED)
def test_a_service_that_refuses_or_says_what_cannot_be_read_fails(tmp_path: Path, said: str) -> None:
    code, told = audit(tmp_path, None, said=said, code=1)
    assert code == 1
    assert said in told


def test_an_audit_that_is_wrong_itself_fails_and_says_why(tmp_path: Path) -> None:
    code, said = audit(tmp_path, None, said="ERROR:pip_audit._cli:requirement attrs is missing hashes", code=1)
    assert code == 1
    assert "missing hashes" in said
