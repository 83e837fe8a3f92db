"""The owner writes what workers send before it says so, and hears and tells how the round goes."""

import asyncio
import math
from collections.abc import Awaitable, Callable
from contextlib import closing
from pathlib import Path

from stored_answers import answers_by_state

from genre.errors import RunError
from genre.generation import AnswerStore, StoredAnswer
from genre.parts import Completion
from genre_executors.ray_owner import Owner
from genre_executors.ray_rows import answer_from, answer_text
from genre_executors.sent import failure_of


def answer(number: int) -> StoredAnswer:
    completion = Completion(f"text {number}", "m")
    return StoredAnswer(bytes([number]) * 20, "ok", completion, "t", f"S{number}", 0, "g", "e", "v")


def with_owner(folder: Path, scenario: Callable[[Owner], Awaitable[None]]) -> None:
    async def run() -> None:
        owner = Owner(str(folder / "answers.sqlite"), math.inf, 0.0)
        assert await owner.open() is None
        await asyncio.wait_for(scenario(owner), 60)
        await owner.close()

    asyncio.run(run())


def test_answers_are_on_disk_when_put_returns_and_a_block_that_is_tried_again_finds_them(tmp_path: Path) -> None:
    async def scenario(owner: Owner) -> None:
        assert await owner.put([answer_text(answer(number)) for number in range(3)]) is None
        with closing(AnswerStore(tmp_path / "answers.sqlite")) as other:
            assert answers_by_state(other) == {"ok": 3}
        found = await owner.look_up([answer(1).key, answer(2).key, answer(9).key])
        assert sorted((answer_from(text) for text in found), key=lambda each: each.key) == [answer(1), answer(2)]

    with_owner(tmp_path, scenario)


def test_what_several_workers_put_at_once_is_committed_together_and_told(tmp_path: Path) -> None:
    async def scenario(owner: Owner) -> None:
        await asyncio.gather(*(owner.put([answer_text(answer(number))]) for number in range(50)))
        assert (await owner.messages()).stored == [("t", "g", 50)]

    with_owner(tmp_path, scenario)


def test_a_store_that_cannot_be_opened_is_told(tmp_path: Path) -> None:
    (tmp_path / "answers.sqlite").write_text("no database at all, but long enough to be taken for one" * 50)
    failure = asyncio.run(Owner(str(tmp_path / "answers.sqlite"), math.inf, 0.0).open())
    assert failure is not None
    assert failure[0] == "UsageError"
    assert "not an answer store" in failure[1]


def test_the_first_reason_ends_the_round_and_every_worker_is_told_to_stop(tmp_path: Path) -> None:
    async def scenario(owner: Owner) -> None:
        assert await owner.beat("w", 0.0, 0.0, True) == (False, False)
        await owner.fail(failure_of(RunError("first")))
        await owner.fail(failure_of(RunError("second")))
        assert (await owner.messages()).failure == failure_of(RunError("first"))
        assert await owner.beat("w", 0.0, 0.0, False) == (True, False)

    with_owner(tmp_path, scenario)


def test_a_generator_that_is_down_at_every_worker_is_told_once(tmp_path: Path) -> None:
    async def scenario(owner: Owner) -> None:
        for _ in range(2):
            await owner.down("g", "no credit left")
        assert (await owner.messages()).down == [("g", "no credit left")]
        assert not owner._messages

    with_owner(tmp_path, scenario)


def test_stopping_waits_for_workers_whose_calls_are_in_flight(tmp_path: Path) -> None:
    async def scenario(owner: Owner) -> None:
        await owner.beat("w", 0.0, 0.0, True)
        stopping = asyncio.create_task(owner.stop())
        await asyncio.sleep(0)
        assert await owner.beat("w", 0.0, 0.0, True) == (True, False)
        await asyncio.sleep(0)
        assert not stopping.done()
        await owner.beat("w", 0.0, 0.0, False)
        await stopping

    with_owner(tmp_path, scenario)
