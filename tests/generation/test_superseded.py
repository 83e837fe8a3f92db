"""Answers that are set aside leave their place to new ones and stay in the store."""

from collections.abc import Iterator
from pathlib import Path

import attrs
import pytest
from stored_answers import answers_by_state

from genre.generation import AnswerStore, StoredAnswer
from genre.generation.keys import answer_key, question_key
from genre.generation.superseded import Superseded, set_aside, superseded_answers, superseded_total
from genre.parts import Completion, Identity, Message, Prompt, Sampling, Usage


@pytest.fixture
def store(tmp_path: Path) -> Iterator[AnswerStore]:
    store = AnswerStore(tmp_path / "answers.sqlite")
    yield store
    store.close()


def answer(key: bytes = b"k", text: str = "bad", **changes: object) -> StoredAnswer:
    row = StoredAnswer(
        key, "ok", Completion(text, "m", usage=Usage(3, 4)), "task", "S", 0, "g", "e", "t", b"q", 0.5, "{}"
    )
    return attrs.evolve(row, **changes)


def test_a_new_answer_takes_the_place_of_one_that_was_set_aside(store: AnswerStore) -> None:
    store.put([answer()])
    assert set_aside(store, [(b"k", "bad", None)]) == [1]
    assert store.look_up([b"k"]) == {}
    store.put([answer(text="good")])
    assert store.look_up([b"k"])[b"k"].completion.text == "good"
    assert list(superseded_answers(store)) == [answer()]


def test_an_answer_with_another_text_stays(store: AnswerStore) -> None:
    store.put([answer(text="newer")])
    assert set_aside(store, [(b"k", "bad", None)]) == [0]
    assert store.look_up([b"k"])[b"k"].completion.text == "newer"


def test_a_failed_call_stays_for_it_is_asked_again_anyway(store: AnswerStore) -> None:
    store.put([answer(state="failed")])
    assert set_aside(store, [(b"k", "bad", None)]) == [0]
    assert answers_by_state(store) == {"failed": 1}


def test_each_one_is_kept_and_counted(store: AnswerStore) -> None:
    for number, text in enumerate(("one", "two", "two"), start=1):
        store.put([answer(text=text)])
        assert set_aside(store, [(b"k", text, None), (b"other", text, None)]) == [number, 0]
        assert set_aside(store, [(b"k", text, None)]) == [number]
    assert [row.completion.text for row in superseded_answers(store)] == ["one", "two", "two"]
    assert superseded_total(store) == Superseded(3, 1.5)


def test_a_store_without_any_has_none_and_unknown_costs_stay_unknown(store: AnswerStore) -> None:
    assert list(superseded_answers(store)) == []
    assert superseded_total(store) == Superseded(0, None)
    store.put([answer(cost=None)])
    set_aside(store, [(b"k", "bad", None)])
    assert superseded_total(store) == Superseded(1, None)


def test_a_retry_asks_the_same_question_with_another_seed() -> None:
    prompt = Prompt("task", "S", 2, (Message("user", "?"),), Sampling(max_tokens=9))
    again = attrs.evolve(prompt, retry=1)
    identity = Identity("m", "e")
    assert (question_key(again), answer_key(again, identity)) == (question_key(prompt), answer_key(prompt, identity))
    seeds = {attrs.evolve(prompt, retry=retry, draw=draw).seed for retry in range(20) for draw in range(50)}
    assert len(seeds) == 1000
    assert prompt.seed == 2


def test_the_table_has_row_ids_and_one_that_an_earlier_version_created_without_goes_on(store: AnswerStore) -> None:
    set_aside(store, [])
    [(created,)] = store.read("SELECT sql FROM sqlite_master WHERE name = 'superseded'")
    assert isinstance(created, str)
    assert "WITHOUT ROWID" not in created
    with store.transaction() as connection:
        connection.execute("DROP TABLE superseded")
        connection.execute(f"{created} WITHOUT ROWID")
    for number, text in enumerate(("one", "two"), start=1):
        store.put([answer(text=text)])
        assert set_aside(store, [(b"k", text, None)]) == [number]
    assert [row.completion.text for row in superseded_answers(store)] == ["one", "two"]


def test_an_answer_that_came_after_the_quarantine_was_written_stays_though_it_says_the_same(store: AnswerStore) -> None:
    for before in (0, 1):
        store.put([answer()])
        for _ in range(2):
            assert set_aside(store, [(b"k", "bad", before)]) == [before + 1]
            store.put([answer()])
    assert superseded_total(store).answers == 2
