"""What OpenAI's batch API says: how far a batch is, and what became of each prompt."""

from collections.abc import Mapping
from typing import Final

from genre.parts import Fatal, GenerationError, Json, RateLimited, Transient
from genre_generators.batch_service import Outcome, Status, checked_id, count
from genre_generators.chat_errors import error_code, error_message, plain, status_error
from genre_generators.chat_replies import read_reply

_ENDED: Final = frozenset({"completed", "failed", "expired", "cancelled"})
QUEUE_SECONDS: Final = 300.0
"""How long to wait when the account's queue of batches is full."""


def read_outcome(line: Mapping[str, Json], model: str) -> Outcome:
    """What became of a prompt, from its line of the output file or the error file."""
    response = line.get("response")
    if not isinstance(response, dict):  # it expired, or the batch was cancelled: nothing was answered or billed
        return Transient(f"not answered: {plain(error_message(line) or str(error_code(line)))}")
    body, code = response.get("body"), response.get("status_code")
    reply = body if isinstance(body, dict) else {}
    if code != 200:
        return status_error(code if isinstance(code, int) else 500, error_message(reply), code=error_code(reply))
    try:
        return read_reply(reply, model)
    except GenerationError as error:
        return error


def read_status(reply: Mapping[str, Json]) -> Status:
    """The status in a batch object.

    Raises:
        Transient: it is none.
    """
    state = reply.get("status")
    state = plain(state) if isinstance(state, str) else "unknown"
    counts = reply.get("request_counts")
    return Status(
        batch=checked_id(reply),
        state=state,
        ended=state in _ENDED,
        cancelled=state == "cancelled",
        failure=_failure(reply) if state == "failed" else None,
        done=count(counts, "completed", "failed"),
        total=count(counts, "total"),
        reply=reply,
    )


def _failure(reply: Mapping[str, Json]) -> GenerationError:
    """Why a batch was not begun: its file was refused, or too much is waiting already."""
    errors = reply.get("errors")
    listed = errors.get("data") if isinstance(errors, dict) else None
    first = listed[0] if isinstance(listed, list) and listed and isinstance(listed[0], dict) else {}
    said = plain(error_message(first)) or "no reason was given"
    if first.get("code") in ("token_limit_exceeded", "rate_limit_exceeded"):
        return RateLimited(said, QUEUE_SECONDS)
    line = first.get("line")
    where = f" (line {plain(str(line))} of its file)" if line else ""
    return Fatal(f"the provider refused the batch: {said}{where}")
