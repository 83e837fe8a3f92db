"""The laws that GENRE holds every part of this kind to."""

import pytest
from genre.testing import Check, checks

CHECKS = [
    *checks("baseline", "anchored"),
    *checks("user-encoder", "anchored"),
]


@pytest.mark.parametrize("check", CHECKS, ids=str)
def test_it_keeps_the_laws_of_its_kind(check: Check) -> None:
    check()
