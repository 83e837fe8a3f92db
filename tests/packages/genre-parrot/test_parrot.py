import pytest

from genre.testing import checks


@pytest.mark.parametrize("check", checks("generator", "parrot"), ids=str)
def test_conforms(check):
    check()
