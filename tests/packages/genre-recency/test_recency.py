import pytest

from genre.testing import checks


@pytest.mark.parametrize("check", [*checks("user-encoder", "recency"), *checks("baseline", "recency")], ids=str)
def test_conforms(check):
    check()
