"""Passes over a round's prompts: each is asked, and those without a usable answer are asked again after all others.

Gates remember what they accepted, so the order in which they see answers must not depend on who answered first: the
first pass judges all answers in the order of the prompts, the next one those of the prompts that are asked again, in
their order, and so on. A pass streams; what waits for the next one lies on disk. Every answer is in the store, so a
round that was interrupted goes through the same passes again and pays for none of them.
"""

import collections
from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack, aclosing
from pathlib import Path

import attrs

from genre.generation.engine import Answered
from genre.generation.executors import Asker
from genre.generation.judging import WORTH_ASKING_AGAIN, Judgement, judge
from genre.generation.prepare import PreparedRound
from genre.generation.records import Quarantine, RecordSink
from genre.generation.reports import Tally
from genre.generation.routing import Routing
from genre.generation.waiting import Asked, Unusable, WaitingList
from genre.parts import Gate, Prompt


@attrs.frozen(eq=False)
class Passes:
    """What the passes of one round share.

    Attributes:
        folder: where prompts wait for the next pass.
        sink: where usable answers go.
        quarantine: where the last answers of prompts without a usable one go.
    """

    prepared: PreparedRound
    gates: Mapping[str, Gate]
    asker: Asker
    routing: Routing
    folder: Path
    sink: RecordSink
    quarantine: Quarantine
    tally: Tally

    async def run(self, prompts: Iterable[Prompt]) -> None:
        """Ask all prompts, and some of them again, until each is a record, in quarantine, or left out.

        Raises:
            RunError: nobody can answer any prompt, or the budget is used up; what was answered until then is stored.
        """
        asked: Iterable[Asked] = (Asked(position, self._drawn(prompt)) for position, prompt in enumerate(prompts))
        with ExitStack() as lists:
            for left in range(self.prepared.again.times, 0, -1):
                waiting = lists.enter_context(WaitingList(self.folder / f".waiting-{left}.jsonl"))
                await self._pass(asked, waiting)
                if not waiting.length:
                    return
                asked = waiting.read()
            await self._pass(asked, None)

    async def _pass(self, asked: Iterable[Asked], waiting: WaitingList | None) -> None:
        under_way: collections.deque[Asked] = collections.deque()

        def questions() -> Iterator[Prompt]:
            for each in asked:
                under_way.append(each)
                yield each.question(self.prepared.again)

        answers = self.asker.answers(questions(), self.routing)
        async with aclosing(answers):  # no call may outlive the generator, however this block ends
            async for item in answers:
                self._settle(under_way.popleft(), item, waiting)

    def _drawn(self, prompt: Prompt) -> Prompt:
        """The prompt, with another seed where an answer to it was set aside."""
        retry = self.prepared.retries.get((prompt.subject, prompt.draw), 0) if self.prepared.retries else 0
        return attrs.evolve(prompt, retry=retry) if retry else prompt

    def _settle(self, asked: Asked, item: Answered, waiting: WaitingList | None) -> None:
        last, answer = asked.last, item.answer
        if answer is None and last is not None:
            self.tally.given_up(last.generator, last.model, last.reason)
            self.quarantine.add(asked, last)
            return
        judgement = self._judge(asked, item)
        if answer is None or judgement.reason is None:
            self.tally.count(item, judgement, first=last is None)
            if answer is not None and judgement.record is not None:
                model = answer.completion.model
                self.sink.add(asked.position, asked.prompt, model, judgement.record, repaired=judgement.repaired)
            return
        unusable = Unusable.of(answer, judgement, last)
        repeated = last is not None and last.text == unusable.text
        again = waiting is not None and unusable.problem in WORTH_ASKING_AGAIN and not repeated
        self.tally.count(item, judgement, first=last is None, again=again)
        if waiting is not None and again:
            waiting.add(attrs.evolve(asked, last=unusable))
        else:
            self.quarantine.add(asked, unusable)

    def _judge(self, asked: Asked, item: Answered) -> Judgement:
        """Parser and gates see the prompt as the prompter made it, however often it was asked."""
        last, prepared = asked.last, self.prepared
        if last is None:
            return judge(item, prepared.prompter, self.gates, repair=prepared.repair)
        if item.answer is not None and item.answer.completion.text == last.text:
            # What did not do before does not do now, whatever a gate would say of it at this point.
            return Judgement(reason=last.reason, problem=last.problem, detail=last.detail)
        item = attrs.evolve(item, prompt=asked.prompt)
        return judge(item, prepared.prompter, self.gates, repair=prepared.repair)
