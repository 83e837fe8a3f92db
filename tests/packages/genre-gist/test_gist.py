import pytest

from genre.testing import checks


@pytest.mark.parametrize("check", checks("field-encoder", "gist"), ids=str)
def test_conforms(check):
    check()
