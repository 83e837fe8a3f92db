"""What docs/how-to/scale.md says of training at scale is what the script prints."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]


def test_the_plan_of_training_is_what_the_script_prints() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.training_plan"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert f"```text\n{done.stdout}```" in (ROOT / "docs" / "how-to" / "scale.md").read_text(encoding="utf-8")
