"""The owner's store as a worker's engine sees it."""

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

import ray

from genre.errors import RunError
from genre.generation import StoredAnswer
from genre_executors.ray_rows import answer_from, answer_text
from genre_executors.sent import error_of

if TYPE_CHECKING:
    from ray.actor import ActorHandle


class OwnerStore:
    """Looks up and puts, which is all that an engine asks of a store. Blocks: an engine calls it from a thread."""

    def __init__(self, owner: "ActorHandle") -> None:
        self._owner = owner

    def look_up(self, keys: Sequence[bytes]) -> dict[bytes, StoredAnswer]:
        """The final answers among `keys`.

        Raises:
            RunError: the owner is gone.
        """
        found = map(answer_from, self._get(self._owner.look_up.remote(list(keys))))
        return {answer.key: answer for answer in found}

    def put(self, answers: Iterable[StoredAnswer]) -> None:
        """Return when the owner has them on disk.

        Raises:
            GenreError: the owner cannot write them, or is gone.
        """
        failure = self._get(self._owner.put.remote([answer_text(answer) for answer in answers]))
        if failure is not None:
            raise error_of(failure)

    @staticmethod
    def _get(reference: Any) -> Any:
        try:
            return ray.get(reference)
        except ray.exceptions.RayError as error:
            raise owner_is_gone() from error


def owner_is_gone() -> RunError:
    """What ends a round without its owner."""
    return RunError("the process that owns the answer store is gone", remedy="run the command again")
