"""Paid answers are on disk, found by what decides them, and never asked for twice."""

import json
import sqlite3
import subprocess
import sys
from pathlib import Path

import attrs
import pytest
from stored_answers import answers_by_state

from genre.errors import RunError, UsageError
from genre.generation.keys import answer_key, identity_text, question_key
from genre.generation.store import AnswerStore, StoredAnswer, Which
from genre.parts import Completion, Identity, Message, Prompt, Sampling, Usage

PROMPT = Prompt(
    task="t",
    subject="N1",
    draw=0,
    messages=(Message("user", "hello"),),
    sampling=Sampling(max_tokens=10),
    schema={"type": "object", "required": ["a"]},
    version="v1",
)
IDENTITY = Identity(model="m", endpoint="e", parameters={"x": 1})


def answer(key: bytes, state: str = "ok", text: str = "hi") -> StoredAnswer:
    completion = Completion(text=text, model="m-1", usage=Usage(3, 4))
    return StoredAnswer(key, state, completion, "t", "N1", 0, "g", "e", "v1")  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "change",
    [
        {"messages": (Message("user", "hello!"),)},
        {"messages": (Message("system", "hello"),)},
        {"sampling": Sampling(max_tokens=11)},
        {"sampling": Sampling(max_tokens=10, temperature=0.1)},
        {"schema": None},
        {"draw": 1},
    ],
)
def test_what_is_asked_changes_both_keys(change: dict[str, object]) -> None:
    changed = attrs.evolve(PROMPT, **change)  # type: ignore[arg-type]
    assert answer_key(changed, IDENTITY) != answer_key(PROMPT, IDENTITY)
    assert question_key(changed) != question_key(PROMPT)


def test_the_keys_are_those_of_stores_and_exports_that_exist() -> None:
    # A change here loses every answer that was ever paid.
    assert answer_key(PROMPT, IDENTITY).hex() == "f03990f0c59e596bc84aa808a421a3474e6fd2f5"
    assert question_key(PROMPT).hex() == "2f5c77627fd58ee418336c1f10e9d12541186dba"


def test_an_identity_is_written_without_what_is_not_part_of_a_key() -> None:
    leaking = attrs.evolve(IDENTITY, leaks=True)
    assert json.loads(identity_text(leaking)) == {"model": "m", "endpoint": "e", "parameters": {"x": 1}}


@pytest.mark.parametrize("change", [{"task": "u"}, {"subject": "N2"}, {"version": "v2"}, {"user": "U1"}])
def test_provenance_changes_neither_key(change: dict[str, object]) -> None:
    changed = attrs.evolve(PROMPT, **change)  # type: ignore[arg-type]
    assert answer_key(changed, IDENTITY) == answer_key(PROMPT, IDENTITY)
    assert question_key(changed) == question_key(PROMPT)


@pytest.mark.parametrize("change", [{"model": "n"}, {"endpoint": "f"}, {"parameters": {"x": 2}}])
def test_model_endpoint_and_parameters_are_part_of_the_key(change: dict[str, object]) -> None:
    assert answer_key(PROMPT, attrs.evolve(IDENTITY, **change)) != answer_key(PROMPT, IDENTITY)  # type: ignore[arg-type]


def test_the_order_of_a_schema_s_keys_does_not_change_the_key() -> None:
    turned = attrs.evolve(PROMPT, schema={"required": ["a"], "type": "object"})
    assert answer_key(turned, IDENTITY) == answer_key(PROMPT, IDENTITY)


def test_an_answer_is_found_again_by_another_process_s_store(tmp_path: Path) -> None:
    path = tmp_path / "store" / "answers.sqlite"
    AnswerStore(path).put([answer(b"1", text="héllo \U0001f600"), answer(b"2", "truncated")])
    found = AnswerStore(path).look_up([b"1", b"2", b"3"])
    assert set(found) == {b"1", b"2"}
    assert found[b"1"] == answer(b"1", text="héllo \U0001f600")
    assert found[b"2"].completion.finish == "length"


def test_a_failed_call_is_kept_for_the_record_and_asked_again(tmp_path: Path) -> None:
    store = AnswerStore(tmp_path / "answers.sqlite")
    store.put([answer(b"1", "failed"), answer(b"2", "refused")])
    assert set(store.look_up([b"1", b"2"])) == {b"2"}
    assert answers_by_state(store) == {"failed": 1, "refused": 1}
    store.put([answer(b"1")])
    assert store.look_up([b"1"])[b"1"].state == "ok"


@pytest.mark.parametrize(
    ("costs", "total"),
    [((0.25, 0.5), 0.75), ((0.25, 0.5, 1.0), 1.75), ((None, 0.5), None), ((0.25, None), None), ((0.0, 0.5), 0.5)],
)
def test_what_failed_calls_cost_is_added_to_what_the_answer_costs(
    tmp_path: Path, costs: tuple[float | None, ...], total: float | None
) -> None:
    store = AnswerStore(tmp_path / "answers.sqlite")
    for cost in costs[:-1]:
        store.put([attrs.evolve(answer(b"1", "failed"), cost=cost)])
    store.put([attrs.evolve(answer(b"1"), cost=costs[-1])])
    store.put([attrs.evolve(answer(b"1"), cost=99.0)])  # final: nothing replaces it, nor its cost
    assert store.look_up([b"1"])[b"1"].cost == total


def test_more_keys_than_a_query_may_have_are_looked_up(tmp_path: Path) -> None:
    store = AnswerStore(tmp_path / "answers.sqlite")
    keys = [str(number).encode() for number in range(2_500)]
    store.put(answer(key) for key in keys)
    assert set(store.look_up(keys)) == set(keys)


def test_a_file_that_is_no_store_is_an_error_that_names_it(tmp_path: Path) -> None:
    path = tmp_path / "notes.sqlite"
    path.write_text("not a database, but a text that is long enough to be one" * 50)
    with pytest.raises(UsageError, match=r"notes\.sqlite: not an answer store"):
        AnswerStore(path)


def test_a_store_of_a_later_format_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "answers.sqlite"
    with sqlite3.connect(path) as connection:
        connection.execute("PRAGMA user_version=99")
    with pytest.raises(UsageError, match="format 99"):
        AnswerStore(path)


def test_text_that_no_file_can_hold_is_stored_escaped(tmp_path: Path) -> None:
    store = AnswerStore(tmp_path / "answers.sqlite")
    store.put([answer(b"1", text="a\ud800b")])
    assert store.look_up([b"1"])[b"1"].completion.text == "a\\ud800b"


def test_a_later_failure_never_replaces_a_paid_answer(tmp_path: Path) -> None:
    store = AnswerStore(tmp_path / "answers.sqlite")
    store.put([answer(b"1", text="paid")])
    store.put([answer(b"1", "failed", "timeout")])
    assert store.look_up([b"1"])[b"1"].completion.text == "paid"


def test_a_foreign_database_is_refused_and_left_as_it_was(tmp_path: Path) -> None:
    path = tmp_path / "theirs.sqlite"
    with sqlite3.connect(path) as connection:
        connection.execute("CREATE TABLE answers (question TEXT)")
    before = path.read_bytes()
    with pytest.raises(UsageError, match="reads answer stores"):
        AnswerStore(path)
    assert path.read_bytes() == before


def test_a_store_where_no_file_can_be_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(UsageError, match="cannot be opened"):
        AnswerStore(tmp_path / "file" / "answers.sqlite")


def test_a_damaged_store_is_an_error_that_names_it(tmp_path: Path) -> None:
    path = tmp_path / "answers.sqlite"
    store = AnswerStore(path)
    store.put(answer(str(number).encode(), text="x" * 500) for number in range(2_000))
    store.close()
    with path.open("r+b") as file:
        file.seek(8_192)
        file.write(b"\xff" * 200_000)
    damaged = AnswerStore(path)
    with pytest.raises(RunError, match=r"answers\.sqlite: the answer store cannot be read"):
        damaged.look_up([str(number).encode() for number in range(2_000)])


FORMAT_1 = """
CREATE TABLE answers (
    key BLOB PRIMARY KEY, state TEXT NOT NULL, text TEXT NOT NULL, model TEXT NOT NULL, prompt_tokens INTEGER,
    completion_tokens INTEGER, task TEXT NOT NULL, subject TEXT NOT NULL, draw INTEGER NOT NULL,
    generator TEXT NOT NULL, endpoint TEXT NOT NULL, template TEXT NOT NULL
) WITHOUT ROWID;
PRAGMA journal_mode=WAL;
PRAGMA user_version=1;
"""


def store_of_format_1(path: Path) -> Path:
    """A store as the first version wrote it, with an answer and a failed call."""
    connection = sqlite3.connect(path)
    connection.executescript(FORMAT_1)
    for key, state in ((b"1", "ok"), (b"2", "failed")):
        row = (key, state, "hi", "m-1", 3, 4, "t", "N1", 0, "g", "e", "v1")
        connection.execute(f"INSERT INTO answers VALUES ({','.join('?' * 12)})", row)
    connection.commit()
    connection.close()
    return path


def test_a_store_of_format_1_keeps_its_answers_and_takes_new_ones(tmp_path: Path) -> None:
    store = AnswerStore(store_of_format_1(tmp_path / "answers.sqlite"))
    assert store.look_up([b"1"]) == {b"1": answer(b"1")}
    full = attrs.evolve(answer(b"2"), question=b"q", cost=0.5, identity="{}")
    store.put([full])
    # Nobody knows what the failed call cost that it replaces.
    assert store.look_up([b"2"])[b"2"] == attrs.evolve(full, cost=None)
    assert [row.stored_at is None for row in store.rows()] == [True, False]


def test_a_migrated_store_has_the_columns_of_a_new_one(tmp_path: Path) -> None:
    AnswerStore(store_of_format_1(tmp_path / "old.sqlite")).close()
    AnswerStore(tmp_path / "new.sqlite").close()
    old, new = (
        sqlite3.connect(tmp_path / name).execute("PRAGMA table_info(answers)").fetchall()
        for name in ("old.sqlite", "new.sqlite")
    )
    assert old == new


def test_what_was_asked_and_what_it_cost_is_kept(tmp_path: Path) -> None:
    store = AnswerStore(tmp_path / "answers.sqlite")
    full = attrs.evolve(
        answer(b"1"),
        question=question_key(PROMPT),
        cost=1e-7,
        identity=identity_text(IDENTITY),
        stored_at=1_700_000_000,
    )
    store.put([full])
    [row] = store.rows()
    assert row == full
    assert row.stored_at == 1_700_000_000


@pytest.mark.parametrize("cost", [float("nan"), float("inf"), -1.0])
def test_what_is_no_amount_of_money_is_unknown(tmp_path: Path, cost: float) -> None:
    store = AnswerStore(tmp_path / "answers.sqlite")
    store.put([attrs.evolve(answer(b"1"), cost=cost)])
    assert store.look_up([b"1"])[b"1"].cost is None


def mixed_store(path: Path) -> AnswerStore:
    """Four rows that differ in all that rows are chosen by."""
    store = AnswerStore(path / "answers.sqlite")
    row = attrs.evolve(answer(b"1"), cost=0.25, stored_at=100)
    store.put(
        [
            attrs.evolve(row, key=b"4", task="u", stored_at=50),
            row,
            attrs.evolve(row, key=b"3", subject="N2", cost=None),
            attrs.evolve(row, key=b"2", state="refused", draw=1, generator="h", stored_at=200),
        ]
    )
    return store


@pytest.mark.parametrize(
    ("which", "keys"),
    [
        ({}, [b"1", b"2", b"3", b"4"]),
        ({"task": "t"}, [b"1", b"2", b"3"]),
        ({"task": "t", "subject": "N1", "draw": 0}, [b"1"]),
        ({"generator": "h", "state": None}, [b"2"]),
        ({"model": "m-1", "state": "ok"}, [b"1", b"3", b"4"]),
        ({"stored_before": 100}, [b"4"]),
        ({"key": b"2"}, [b"2"]),
        ({"task": "t' OR 1 = 1 --"}, []),
    ],
)
def test_rows_are_chosen_and_come_in_a_fixed_order(tmp_path: Path, which: Which, keys: list[bytes]) -> None:
    assert [row.key for row in mixed_store(tmp_path).rows(**which)] == keys


def test_totals_add_up_what_is_known(tmp_path: Path) -> None:
    first, *_ = mixed_store(tmp_path).totals(task="t")
    assert (first.generator, first.state, first.answers, first.completion_tokens) == ("g", "ok", 2, 8)
    assert (first.cost, first.unknown_costs, first.first, first.last) == (0.25, 1, 100, 100)


def test_pruning_deletes_what_is_meant_and_tells_it(tmp_path: Path) -> None:
    store = mixed_store(tmp_path)
    [deleted] = store.prune(state="refused")
    assert (deleted.generator, deleted.answers, deleted.cost) == ("h", 1, 0.25)
    assert [row.key for row in store.rows()] == [b"1", b"3", b"4"]


def test_nothing_is_pruned_by_chance(tmp_path: Path) -> None:
    store = mixed_store(tmp_path)
    with pytest.raises(ValueError, match="which rows"):
        store.prune(task=None)
    assert sum(answers_by_state(store).values()) == 4


def test_vacuum_gives_space_back(tmp_path: Path) -> None:
    store = AnswerStore(tmp_path / "answers.sqlite")
    store.put(answer(str(number).encode(), text="x" * 1_000) for number in range(1_000))
    store.prune(task="t")
    store.vacuum()
    assert store.path.stat().st_size < 100_000


def test_rows_can_be_read_while_another_process_holds_the_write_lock(tmp_path: Path) -> None:
    store = mixed_store(tmp_path)
    store._connection.execute("BEGIN IMMEDIATE")
    store._connection.execute("UPDATE answers SET text = 'not committed'")
    assert python(READ, store.path).stdout.split() == ["hi"] * 4


def test_a_second_process_waits_until_the_first_has_written(tmp_path: Path) -> None:
    store = mixed_store(tmp_path)
    store._connection.execute("BEGIN IMMEDIATE")
    command = [sys.executable, "-c", WRITE, str(store.path), "late", "1"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "opened\n"
        store._connection.execute("DELETE FROM answers")
        store._connection.execute("COMMIT")
        assert process.wait(60) == 0
    assert [row.key for row in store.rows()] == [b"late-0"]


def test_processes_that_open_and_fill_a_new_store_at_once_lose_nothing(tmp_path: Path) -> None:
    path = tmp_path / "answers.sqlite"
    names = ("a", "b", "c")
    writers = [subprocess.Popen([sys.executable, "-c", WRITE, str(path), name, "40"]) for name in names]
    assert [writer.wait(120) for writer in writers] == [0, 0, 0]
    store = AnswerStore(path)
    assert len(store.look_up([f"{name}-{number}".encode() for name in names for number in range(40)])) == 120


def test_processes_that_open_a_store_of_format_1_at_once_migrate_it_once(tmp_path: Path) -> None:
    path = store_of_format_1(tmp_path / "answers.sqlite")
    writers = [subprocess.Popen([sys.executable, "-c", WRITE, str(path), name, "1"]) for name in ("a", "b", "c")]
    assert [writer.wait(120) for writer in writers] == [0, 0, 0]
    assert answers_by_state(AnswerStore(path)) == {"failed": 1, "ok": 4}


READ = """
import sys
from pathlib import Path
from genre.generation.store import AnswerStore
for row in AnswerStore(Path(sys.argv[1])).rows():
    print(row.completion.text)
"""
WRITE = """
import sys
from pathlib import Path
from genre.generation.store import AnswerStore, StoredAnswer
from genre.parts import Completion
store = AnswerStore(Path(sys.argv[1]))
print("opened", flush=True)
for number in range(int(sys.argv[3])):
    key = f"{sys.argv[2]}-{number}".encode()
    store.put([StoredAnswer(key, "ok", Completion("hi", "m"), "t", "N1", 0, "g", "e", "v")])
"""


def python(code: str, *arguments: object) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-c", code, *map(str, arguments)]
    return subprocess.run(command, check=True, capture_output=True, text=True)
