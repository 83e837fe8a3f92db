"""How long `import genre` and `genre --help` take, and what heavy modules they load."""

import statistics
import subprocess
import sys
import time

RUNS = 7
HEAVY = ("torch", "litellm", "ray", "xllamacpp", "transformers")


def measure() -> dict[str, object]:
    """Medians over fresh processes, in seconds; the first run of each is a warm-up."""
    return {
        "interpreter_seconds": _median([sys.executable, "-c", "pass"]),
        "import_seconds": _median([sys.executable, "-c", "import genre"]),
        "help_seconds": _median([sys.executable, "-m", "genre", "--help"]),
        "heavy_modules": _heavy_modules(),
        "runs": RUNS,
    }


def _median(command: list[str]) -> float:
    seconds = []
    for _ in range(RUNS + 1):
        start = time.perf_counter()
        subprocess.run(command, check=True, capture_output=True)
        seconds.append(time.perf_counter() - start)
    return round(statistics.median(seconds[1:]), 3)


def _heavy_modules() -> list[str]:
    code = f"import sys, genre; print([name for name in {HEAVY!r} if name in sys.modules])"
    printed = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout
    return [name for name in HEAVY if repr(name) in printed]
