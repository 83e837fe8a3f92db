"""The laws that GENRE holds every part of this kind to."""

import pytest
from genre.testing import Check, checks
from service import SERVICE

CHECKS = [
    *checks(
        "generator",
        "headlines",
        options={"address": SERVICE.address, "api_key": {"env": "HEADLINES_KEY"}},
    ),
]


@pytest.mark.parametrize("check", CHECKS, ids=str)
def test_it_keeps_the_laws_of_its_kind(check: Check) -> None:
    check()
