"""Whether an answer becomes a record, and what is said of one that does not."""

import json
from collections.abc import Iterator, Mapping

import attrs
import pytest

from genre.dataset import Dataset
from genre.generation.answers import parse_answer
from genre.generation.engine import Answered
from genre.generation.judging import Judgement, judge
from genre.generation.store import State, StoredAnswer
from genre.parts import Completion, Json, Message, Prompt, Record, Sampling

SCHEMA: dict[str, Json] = {"type": "object", "properties": {"title": {"type": "string"}}, "required": ["title"]}
PROMPT = Prompt("task", "N1", 0, (Message("user", "A title?"),), Sampling(max_tokens=9), SCHEMA, "1")


class Titles:
    """A prompter of titles."""

    schema: Mapping[str, Json] = SCHEMA

    def count(self, dataset: Dataset, limit: int | None) -> int:
        return 1

    def prompts(self, dataset: Dataset) -> Iterator[Prompt]:
        yield PROMPT

    def parse(self, prompt: Prompt, text: str) -> Record:
        assert prompt.subject == "N1"
        return parse_answer(text, SCHEMA)


@attrs.define
class Refuses:
    """A gate that refuses one title, and remembers what it saw."""

    title: str
    objection: str = "too dull"
    seen: list[tuple[str, Record]] = attrs.field(factory=list)

    def reject(self, prompt: Prompt, record: Record) -> str | None:
        self.seen.append((prompt.subject, record))
        return self.objection if record["title"] == self.title else None


def answered(text: str, state: State = "ok", prompt: Prompt = PROMPT) -> Answered:
    answer = StoredAnswer(b"k", state, Completion(text, "m"), prompt.task, prompt.subject, 0, "g", "e", "t")
    return Answered(prompt, answer, reused=False)


def test_a_good_answer_is_a_record_of_which_every_gate_was_asked() -> None:
    one, other = Refuses("x"), Refuses("y")
    judgement = judge(answered('{"title": "Fog"}'), Titles(), {"one": one, "other": other})
    assert judgement == Judgement({"title": "Fog"}, gates={"one": None, "other": None})
    assert one.seen == other.seen == [("N1", {"title": "Fog"})]


def test_a_prompt_that_the_generator_left_out_has_neither_a_record_nor_a_reason() -> None:
    assert judge(Answered(PROMPT, None, reused=False), Titles(), {}) == Judgement()


@pytest.mark.parametrize("state", ["refused", "failed"])
def test_an_answer_that_is_none_has_its_state_for_a_reason(state: State) -> None:
    judgement = judge(answered('{"title": "Fog"}', state), Titles(), {})
    assert judgement == Judgement(reason=state, problem=state, detail=state)


def test_an_answer_that_was_cut_off_is_not_read() -> None:
    judgement = judge(answered('{"title": "Fog"}', "truncated"), Titles(), {})
    said = "truncated at max_tokens"
    assert judgement == Judgement(reason=said, problem="truncated", detail=said)


def test_an_answer_that_the_prompter_cannot_read_is_malformed() -> None:
    judgement = judge(answered('{"name": "Fog"}'), Titles(), {"dull": Refuses("Fog")})
    assert judgement == Judgement(reason="malformed: schema: required", problem="malformed", detail="schema: required")


def test_a_gate_that_rejects_is_the_last_one_asked() -> None:
    last = Refuses("x")
    judgement = judge(
        answered('{"title": "Fog"}'), Titles(), {"first": Refuses("y"), "dull": Refuses("Fog"), "z": last}
    )
    assert judgement == Judgement(
        record={"title": "Fog"},
        reason="rejected by dull: too dull",
        gates={"first": None, "dull": "too dull"},
        problem="rejected",
        detail="too dull",
    )
    assert last.seen == []


def test_an_objection_can_be_stored_whatever_a_gate_quotes() -> None:
    judgement = judge(answered('{"title": "Fog"}'), Titles(), {"odd": Refuses("Fog", "half of \ud83d")})
    assert judgement.reason == "rejected by odd: half of \\ud83d"
    assert judgement.detail == "half of \\ud83d"


def test_an_answer_whose_syntax_was_repaired_says_so_also_where_a_gate_rejects_it() -> None:
    fenced = '```json\n{"title": "Fog",}\n```'
    assert judge(answered(fenced), Titles(), {}) == Judgement({"title": "Fog"}, repaired=True)
    rejected = judge(answered(fenced), Titles(), {"dull": Refuses("Fog")})
    assert (rejected.record, rejected.problem, rejected.repaired) == ({"title": "Fog"}, "rejected", True)


def test_without_repair_an_answer_between_fences_is_malformed() -> None:
    judgement = judge(answered('```json\n{"title": "Fog"}\n```'), Titles(), {}, repair=False)
    assert judgement == Judgement(reason="malformed: not JSON", problem="malformed", detail="not JSON")


def test_the_reason_is_the_first_reading_s_where_repair_does_not_help() -> None:
    assert judge(answered("{'title': 'Fog'} {'title': 'Rain'}"), Titles(), {}).reason == "malformed: not JSON"
    assert judge(answered(json.dumps(["Fog"])), Titles(), {}).reason == "malformed: schema: type"
