"""Whether an answer becomes a record: what became of the call, the prompter's parser, then the gates in their order."""

from collections.abc import Mapping
from typing import Literal, TypeAlias

import attrs

from genre.generation.engine import Answered
from genre.generation.repair import repaired_json
from genre.generation.store import storable
from genre.parts import Gate, MalformedOutput, Prompt, Prompter, Record

Problem: TypeAlias = Literal["malformed", "rejected", "truncated", "refused", "failed"]
"""What is wrong with an answer: the parser or a gate rejects it, `max_tokens` cut it off, or there is none."""

WORTH_ASKING_AGAIN: frozenset[Problem] = frozenset({"malformed", "rejected", "truncated"})
"""Problems that a model may mend when it is told of them."""


@attrs.frozen
class Judgement:
    """What an answer came to. Without `reason` there is a record, unless the generator left the prompt out.

    Attributes:
        record: the parsed answer, also of one that a gate rejects; None when it cannot be parsed.
        reason: why the answer cannot be used, the same for the same kind of defect; None when it can.
        gates: what each gate said: None when it accepts. Gates after one that rejects are not asked.
        problem: the kind of the reason.
        detail: the reason without its kind, as one may tell it to a model.
        repaired: the answer's syntax had to be repaired.
    """

    record: Record | None = None
    reason: str | None = None
    gates: Mapping[str, str | None] = attrs.field(factory=dict)
    problem: Problem | None = None
    detail: str = ""
    repaired: bool = False


def judge(item: Answered, prompter: Prompter, gates: Mapping[str, Gate], *, repair: bool = True) -> Judgement:
    """Judge one answer. Gates remember what they saw, so answers are judged in the order of the prompts, each once.

    Args:
        repair: whether an answer that is no JSON, and should be, is read once more with its syntax repaired.
    """
    answer = item.answer
    if answer is None:
        return Judgement()
    if answer.state in ("refused", "failed"):
        # The provider's own words stand beside it, and count as one reason.
        return Judgement(reason=answer.state, problem=answer.state, detail=answer.state)
    if answer.state == "truncated":
        detail = "truncated at max_tokens"
        return Judgement(reason=detail, problem="truncated", detail=detail)
    try:
        record, repaired = _parsed(item.prompt, answer.completion.text, prompter, repair)
    except MalformedOutput as error:
        detail = storable(error.reason)
        return Judgement(reason=f"malformed: {detail}", problem="malformed", detail=detail)
    said: dict[str, str | None] = {}
    for name, gate in gates.items():
        said[name] = objection = gate.reject(item.prompt, record)
        if objection is not None:
            detail = storable(objection)
            return Judgement(record, f"rejected by {name}: {detail}", said, "rejected", detail, repaired)
    return Judgement(record, None, said, repaired=repaired)


def _parsed(prompt: Prompt, text: str, prompter: Prompter, repair: bool) -> tuple[Record, bool]:
    """The record, and whether the text had to be repaired for it.

    The prompter sees a repaired text as if the model had written it, so no prompter needs to know of repair. Free text
    (a prompt without a schema) is left as it is.
    """
    try:
        return prompter.parse(prompt, text), False
    except MalformedOutput:
        repaired = repaired_json(text) if repair and prompt.schema is not None else None
        if repaired is None:
            raise
    return prompter.parse(prompt, repaired), True
