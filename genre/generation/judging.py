"""Whether an answer becomes a record: what became of the call, the prompter's parser, then the gates in their order."""

from collections.abc import Mapping

import attrs

from genre.generation.engine import Answered
from genre.parts import Gate, MalformedOutput, Prompter, Record


@attrs.frozen
class Judgement:
    """What an answer came to. Without `reason` there is a record, unless the generator left the prompt out.

    Attributes:
        record: the parsed answer, also of one that a gate rejects; None when it cannot be parsed.
        reason: why the answer cannot be used, the same for the same kind of defect; None when it can.
        gates: what each gate said: None when it accepts. Gates after one that rejects are not asked.
    """

    record: Record | None = None
    reason: str | None = None
    gates: Mapping[str, str | None] = attrs.field(factory=dict)


def judge(item: Answered, prompter: Prompter, gates: Mapping[str, Gate]) -> Judgement:
    """Judge one answer. Gates remember what they saw, so answers are judged in the order of the prompts, each once."""
    answer = item.answer
    if answer is None:
        return Judgement()
    if answer.state in ("refused", "failed"):
        return Judgement(reason=answer.state)  # the provider's own words stand beside it, and count as one reason
    if answer.state == "truncated":
        return Judgement(reason="truncated at max_tokens")
    try:
        record = prompter.parse(item.prompt, answer.completion.text)
    except MalformedOutput as error:
        return Judgement(reason=f"malformed: {error.reason}")
    said: dict[str, str | None] = {}
    for name, gate in gates.items():
        said[name] = gate.reject(item.prompt, record)
        if said[name] is not None:
            return Judgement(record, f"rejected by {name}: {said[name]}", said)
    return Judgement(record, None, said)
