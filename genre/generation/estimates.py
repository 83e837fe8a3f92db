"""What a round would ask and cost: its prompts are looked up in the store as by the engine, and nobody is asked."""

import itertools
from collections.abc import AsyncGenerator, Callable, Iterable, Sequence
from typing import Final, Literal, TypeAlias

import attrs

from genre.generation.asking import LONGEST_QUOTE
from genre.generation.budget import most_tokens
from genre.generation.costs import NOTHING, Cost, CostSum
from genre.generation.engine import LOOK_UP_CHUNK, Answered
from genre.generation.judging import WORTH_ASKING_AGAIN
from genre.generation.keys import SameAgain
from genre.generation.lengths import answer_lengths
from genre.generation.prepare import PreparedRound
from genre.generation.routing import Addressing, Question, Routing
from genre.generation.store import AnswerStore, StoredAnswer
from genre.generation.tokens import BYTES_A_TOKEN, message_bytes
from genre.parts import Completion, Generator, Price, Prompt, Sampling, canonical_json

ASSUMED: Final = "assumed by an estimate"
"""Stands for the model's name where an answer is made up."""
COUNTED_PROMPTS: Final = 200
"""Prompts that a generator's own tokenizer counts; the others have as many tokens a byte."""
_REASON: Final = 200
"""Characters of the reason that a model is told when it is asked again; most have fewer."""

PromptTokens: TypeAlias = Literal["provider", "tokenizer", "bytes / 4"]
"""How tokens of prompts were counted: by the provider, in stored answers of this round; by a tokenizer; not at all."""
AnswerTokens: TypeAlias = Literal["stored answers", "max_tokens"]
"""What tokens of answers are expected: the mean of the task's stored answers, or the most that is allowed."""


@attrs.frozen
class RouteEstimate:
    """What one generator would be asked in a round.

    Attributes:
        calls: prompts that it is the first choice for.
        prompt_tokens, completion_tokens: expected, with how they were counted.
        measured: stored answers that the completion tokens are the mean of.
        cost: expected, if every answer can be used.
        most: the most that they can cost: every prompt a token a byte, every answer as long as it may be, by the
            dearest generator that may be asked, and asked again as often as the round allows. Attempts that fail and
            are billed all the same come on top.
    """

    generator: str
    model: str
    price: Price | None
    calls: int
    prompt_tokens: int
    prompt_tokens_by: PromptTokens
    completion_tokens: int
    completion_tokens_by: AnswerTokens
    measured: int
    cost: Cost
    most: Cost


@attrs.frozen
class RoundEstimate:
    """What a round would ask. `stored + repeated + calls - asked_again == prompts` where `problem` is None.

    Attributes:
        prompts: what the round asks for.
        stored: prompts whose answer is in the store.
        repeated: prompts that ask the same as an earlier one, of this round or of another, and are paid there.
        calls: what is left to ask.
        asked_again: calls that ask once more because the stored answer cannot be used.
        routes: the calls by generator, the first choice of each.
        unpriced: generators of the round whose price is not known; a run with a budget is refused.
        assumptions: what is assumed of answers that the round depends on and that are not made yet; without any its
            prompts are those of a run, and its calls too, if every answer can be used.
        problem: why the round cannot be estimated.
    """

    variant: str
    name: str
    task: str
    generator: str
    prompts: int = 0
    stored: int = 0
    repeated: int = 0
    calls: int = 0
    asked_again: int = 0
    routes: tuple[RouteEstimate, ...] = ()
    unpriced: tuple[str, ...] = ()
    assumptions: tuple[str, ...] = ()
    problem: str | None = None

    @property
    def cost(self) -> Cost:
        """What the calls are expected to cost."""
        return Cost.sum(route.cost for route in self.routes)

    @property
    def most(self) -> Cost:
        """The most that the calls can cost."""
        return Cost.sum(route.most for route in self.routes)


@attrs.frozen
class Again:
    """How often a prompt may be asked again, and by how many bytes it grows with the answer and the reason at most."""

    times: int
    size: int

    @classmethod
    def of(cls, prepared: PreparedRound) -> "Again":
        """What the round says; the answer has as many bytes as a quote of it can have."""
        asked = Prompt("", "", 0, (), Sampling(max_tokens=1_000_000, temperature=0), prepared.prompter.schema)
        said, reason = "\U0010ffff" * (LONGEST_QUOTE + 1), "x" * _REASON
        longest = max(
            most_tokens(prepared.again.prompt(asked, said, problem, reason))[0] for problem in WORTH_ASKING_AGAIN
        )
        return cls(prepared.again.times, longest - most_tokens(asked)[0])


class StoredAsker:
    """Answers a round's prompts from the store alone, and counts what a run would have to ask.

    Args:
        store: where answers are looked up.
        again: how often prompts may be asked again.
        planned: keys of the answers that rounds before this one would ask for; grows by those of this one.
        imagine: makes an answer up where there is none, for rounds that come after, or leaves the prompt out.

    Attributes:
        imagined: answers that were made up.
        missing: prompts that were left out.
        assuming: whether the answer handed out last was made up.
    """

    def __init__(
        self, store: AnswerStore, again: Again, planned: set[bytes], imagine: Callable[[Prompt], str | None]
    ) -> None:
        self.imagined = 0
        self.missing = 0
        self.assuming = False
        self._store = store
        self._again = again
        self._planned = planned
        self._imagine = imagine
        self._stored = 0
        self._repeated = 0
        self._asked_again = 0
        self._passes = 0
        self._routing: Routing | None = None
        self._meters: dict[str, _Meter] = {}

    async def answers(self, prompts: Iterable[Prompt], routing: Routing) -> AsyncGenerator[Answered, None]:
        """Every prompt with its stored answer, or one that is made up, or none; in the order of the prompts."""
        self._passes += 1
        self._routing = routing
        addressing = Addressing(routing)
        for name, (generator, _) in routing.routes.items():
            self._meters.setdefault(name, _Meter(generator))
        reading = iter(prompts)
        while chunk := [addressing.question(prompt) for prompt in itertools.islice(reading, LOOK_UP_CHUNK)]:
            stored = self._store.look_up([key for question in chunk for key in question.keys.answers])
            for question in chunk:
                found = question.answer_in(stored)
                if found is None:
                    self._plan(question)
                    yield Answered(question.prompt, self._made_up(question), reused=True)
                else:
                    self._count_stored(question, found)
                    self.assuming = False
                    yield Answered(question.prompt, found, reused=True)

    def estimate(self, variant: str, name: str, task: str, prompts: int) -> RoundEstimate:
        """What was counted.

        Args:
            prompts: of the round, as its report counts them.
        """
        assert self._routing is not None
        lengths = {each.generator: (each.answers, each.completion_tokens) for each in answer_lengths(self._store, task)}
        routes = []
        for route, meter in self._meters.items():
            known = lengths.get(route) or tuple(map(sum, zip(*lengths.values(), strict=True))) or (0, 0)
            if meter.calls or len(self._meters) == 1:
                routes.append(meter.estimate(route, *known))
        return RoundEstimate(
            variant=variant,
            name=name,
            task=task,
            generator=self._routing.name,
            prompts=prompts,
            stored=self._stored,
            repeated=self._repeated,
            calls=sum(meter.calls for meter in self._meters.values()),
            asked_again=self._asked_again,
            routes=tuple(routes),
            unpriced=tuple(name for name, meter in self._meters.items() if meter.price is None),
        )

    def _count_stored(self, question: Question, found: StoredAnswer) -> None:
        self._stored += self._passes == 1
        name = question.names[question.keys.answers.index(found.key)]
        self._meters[name].count_stored(question.prompt, found.completion)

    def _plan(self, question: Question) -> None:
        if not self._planned.isdisjoint(question.keys.answers):
            self._repeated += self._passes == 1
            return
        self._planned.add(question.keys.answers[0])
        self._asked_again += self._passes > 1
        prices = [self._meters[name].price for name in question.names]
        left = max(0, self._again.times - (self._passes - 1))
        self._meters[question.names[0]].count_call(question.prompt, prices, attrs.evolve(self._again, times=left))

    def _made_up(self, question: Question) -> StoredAnswer | None:
        prompt = question.prompt
        text = self._imagine(prompt)
        self.assuming = text is not None
        if text is None:
            self.missing += 1
            return None
        self.imagined += 1
        completion = Completion(text, ASSUMED)
        return StoredAnswer(
            key=question.keys.answers[0],
            state="ok",
            completion=completion,
            task=prompt.task,
            subject=prompt.subject,
            draw=prompt.draw,
            generator=question.names[0],
            endpoint="",
            template=prompt.version,
        )


class _Meter:
    """Counts the calls of one generator, and what is known of its tokens."""

    def __init__(self, generator: Generator) -> None:
        self.calls = 0
        self.price: Price | None = getattr(generator, "price", None)
        self._model = generator.identity.model
        self._count: Callable[[Prompt], int | None] = getattr(generator, "count_tokens", lambda _: None)
        self._bytes = 0
        self._most_answers = 0
        self._most = CostSum()
        self._schema = SameAgain(canonical_json)
        self._provider = _Ratio()
        self._tokenizer = _Ratio()

    def count_stored(self, prompt: Prompt, completion: Completion) -> None:
        """A stored answer tells how many tokens the prompt had."""
        self._provider.add(completion.usage.prompt_tokens, self._size(prompt))

    def count_call(self, prompt: Prompt, prices: Sequence[Price | None], again: Again) -> None:
        """A prompt that would be asked, the prices of all who may answer it, and how often it may be asked again."""
        self.calls += 1
        self._bytes += self._size(prompt)
        self._most_answers += prompt.sampling.max_tokens
        asked, answered = most_tokens(prompt)
        asked, answered = asked + again.times * (asked + again.size), answered * (1 + again.times)
        known = [price.of(asked, answered) for price in prices if price is not None]
        if known:
            self._most.add(max(known))
        if len(known) < len(prices):
            self._most.add(None)
        if self.calls <= COUNTED_PROMPTS:
            self._tokenizer.add(self._count(prompt), self._size(prompt))

    def estimate(self, name: str, measured: int, tokens: int) -> RouteEstimate:
        """What was counted.

        Args:
            measured, tokens: stored answers of the task, and their tokens together.
        """
        asked, asked_by = self._prompt_tokens()
        answered = min(round(self.calls * tokens / measured), self._most_answers) if measured else self._most_answers
        return RouteEstimate(
            generator=name,
            model=self._model,
            price=self.price,
            calls=self.calls,
            prompt_tokens=asked,
            prompt_tokens_by=asked_by,
            completion_tokens=answered,
            completion_tokens_by="stored answers" if measured else "max_tokens",
            measured=measured,
            cost=self._cost(asked, answered),
            most=self._most.result,
        )

    def _prompt_tokens(self) -> tuple[int, PromptTokens]:
        if self._provider.size:
            return round(self._bytes * self._provider.value), "provider"
        if self._tokenizer.size:
            return round(self._bytes * self._tokenizer.value), "tokenizer"
        return -(-self._bytes // BYTES_A_TOKEN), "bytes / 4"

    def _size(self, prompt: Prompt) -> int:
        """Bytes of the messages and of the schema, which providers count too where they take one."""
        return message_bytes(prompt) + (
            len(self._schema(prompt.schema).encode("utf-8", "replace")) if prompt.schema is not None else 0
        )

    def _cost(self, asked: int, answered: int) -> Cost:
        if not self.calls:
            return NOTHING
        return Cost(None, self.calls) if self.price is None else Cost(self.price.of(asked, answered))


class _Ratio:
    """Tokens a byte, of prompts whose tokens somebody counted."""

    def __init__(self) -> None:
        self.size = 0
        self._tokens = 0

    def add(self, tokens: int | None, size: int) -> None:
        """A prompt of so many bytes and its tokens; None when nobody counted them."""
        if tokens:
            self._tokens += tokens
            self.size += size

    @property
    def value(self) -> float:
        """The mean."""
        return self._tokens / self.size
