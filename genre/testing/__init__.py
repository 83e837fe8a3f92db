"""Conformance checks for parts: what a third party runs on its own plugin, in three lines of pytest.

    import pytest
    from genre.testing import checks

    @pytest.mark.parametrize("check", checks("generator", "parrot"), ids=str)
    def test_conforms(check):
        check()

Each check holds one law of the part's contract (`genre.parts`). A broken one is an `AssertionError` that says which law
it was, what was found, and what to do. Nothing here needs pytest: a check is called, and returns or raises.
"""

from typing import TYPE_CHECKING, Final

from genre.lazy import importer

if TYPE_CHECKING:
    from genre.testing.check import Check, ConformanceError
    from genre.testing.suites import checks

_HOMES: Final = {"Check": "check", "ConformanceError": "check", "checks": "suites"}

__all__ = ["Check", "ConformanceError", "checks"]


__getattr__ = importer(__name__, _HOMES)
