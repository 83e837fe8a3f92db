"""`make audit`: a finding fails, silence passes, and a service that does not answer is told as skipped."""

import os
import subprocess
from pathlib import Path

import pytest

AUDIT = Path(__file__).parents[1] / ".ci" / "audit"
NO_ANSWER = (
    "ERROR:pip_audit._cli:Could not connect to PyPI's vulnerability feed",
    "pip_audit._service.interface.ServiceError: 503 Server Error: Service Unavailable",
    "requests.exceptions.ConnectionError: Max retries exceeded with url: /pypi/attrs/json",
)


def audit(folder: Path, said: str, code: int) -> "subprocess.CompletedProcess[str]":
    """The audit, with a program in the place of pip-audit that says this and ends so."""
    program = folder / "pip-audit"
    (folder / "said").write_text(said, encoding="utf-8")
    program.write_text(f'#!/bin/sh\ncat "{folder / "said"}" >&2\nexit {code}\n', encoding="utf-8")
    program.chmod(0o755)
    environment = {**os.environ, "PIP_AUDIT": str(program)}
    return subprocess.run([AUDIT], env=environment, capture_output=True, text=True, check=False)


def test_nothing_known_passes(tmp_path: Path) -> None:
    done = audit(tmp_path, "No known vulnerabilities found", 0)
    assert (done.returncode, "skipped" in done.stdout) == (0, False)


def test_a_finding_fails_also_where_some_answers_are_missing(tmp_path: Path) -> None:
    done = audit(
        tmp_path, "ConnectionError: try again\nFound 1 known vulnerability in 1 package\nattrs 1.0 PYSEC-2000-1", 1
    )
    assert (done.returncode, "skipped" in done.stdout) == (1, False)


def test_a_finding_fails_and_is_shown(tmp_path: Path) -> None:
    done = audit(tmp_path, "Found 1 known vulnerability in 1 package\nattrs 1.0 PYSEC-2000-1", 1)
    assert done.returncode == 1
    assert "PYSEC-2000-1" in done.stdout
    assert "skipped" not in done.stdout


@pytest.mark.parametrize("said", NO_ANSWER)
def test_a_service_that_does_not_answer_is_told_as_skipped(tmp_path: Path, said: str) -> None:
    done = audit(tmp_path, said, 1)
    assert done.returncode == 0
    assert "audit skipped" in done.stdout


def test_an_audit_that_is_wrong_itself_fails(tmp_path: Path) -> None:
    done = audit(tmp_path, "ERROR:pip_audit._cli:requirement attrs is missing hashes", 1)
    assert done.returncode == 1
