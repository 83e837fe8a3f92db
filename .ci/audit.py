"""Asks the advisory service about every package of locks/all.txt; needs nothing but pip-audit.

Ends with 1 when there is a finding, the audit itself is wrong, or what the service says is refused or cannot be read.
Ends with 0 when there is none, and when the service does not answer, which is told: pip-audit itself says "no known
vulnerabilities" where it could ask about nothing.
"""

import json
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).parents[1]
NO_ANSWER = re.compile(
    r"ConnectionError|Connect(ion)?Timeout|ReadTimeout|Max retries exceeded|[Cc]ould not connect|"
    r"Name or service not known|(403|407|408|429|5\d\d) (Client|Server) Error"
)
"""What tells of an outage, or of a firewall. pip-audit's own `ServiceError` does not, since it covers every refusal."""
SKIPPED = "audit skipped: the advisory service does not answer here; run `make audit` where it does"


def main() -> int:
    """Run pip-audit and say what it found."""
    program = os.environ.get("PIP_AUDIT", str(ROOT / ".venv-release" / "bin" / "pip-audit"))
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "report.json"
        command = [program, "--progress-spinner", "off", "--disable-pip", "--requirement", "locks/all.txt"]
        command += ["--format", "json", "--output", str(report)]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
        if report.is_file() and report.stat().st_size:
            return told(json.loads(report.read_text(encoding="utf-8"))["dependencies"])
    if NO_ANSWER.search(done.stderr):
        print(SKIPPED)
        return 0
    print(done.stdout + done.stderr, file=sys.stderr)
    return 1


def told(packages: list[dict[str, object]]) -> int:
    """Print what the report says of each package; 1 for a finding."""
    findings = [(each, found) for each in packages for found in each.get("vulns", [])]
    for package, found in findings:
        mended = ", ".join(found["fix_versions"]) or "no version yet"
        print(f"{package['name']} {package['version']}: {found['id']}, mended in {mended}")
    unknown = [str(each["name"]) for each in packages if "skip_reason" in each]
    if len(unknown) == len(packages):
        print(SKIPPED)
        return 0
    if unknown:
        print(f"audit skipped for {len(unknown)} of {len(packages)} packages: {', '.join(unknown)}")
    print(f"{len(findings)} findings in {len(packages) - len(unknown)} packages")
    return 1 if findings else 0


if __name__ == "__main__":
    sys.exit(main())
