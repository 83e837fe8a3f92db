"""Measurements: `python -m benchmarks SUITE [--json]`. Figures, never verdicts."""
