"""Errors that a user can act on."""

import pickle

import pytest

from genre.errors import GenreError, RunError, RunVetoed, UsageError
from genre.staging import WriteFailed


@pytest.mark.parametrize("kind", [GenreError, UsageError, RunError, RunVetoed, WriteFailed])
@pytest.mark.parametrize(("where", "remedy"), [(None, None), ("file:3", "mend the line")])
def test_an_error_comes_out_of_another_process_as_it_is(
    kind: type[GenreError], where: str | None, remedy: str | None
) -> None:
    error = kind("a mistake", where=where, remedy=remedy)
    again = pickle.loads(pickle.dumps(error))
    assert type(again) is kind
    assert (again.message, again.where, again.remedy) == ("a mistake", where, remedy)
    assert str(again) == str(error)
