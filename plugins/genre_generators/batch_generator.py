"""A generator over a provider's batch API, whatever the provider."""

import functools
from collections.abc import Callable, Mapping

from genre.generation.keys import answer_key
from genre.parts import Completion, Identity, Price, Prompt
from genre_generators.batch_index import attempt_key
from genre_generators.batch_options import BatchOptions, batch_limits
from genre_generators.batch_prices import listed_batch_price
from genre_generators.batch_service import BatchService
from genre_generators.batches import Batches


class BatchGenerator:
    """Answers prompts half a day later, for half the price.

    Args:
        options: of the generator.
        identity: who answers.
        connect: makes the provider's batch API.
        listed_as: the model in litellm's list of prices; None when it is not there.

    Attributes:
        on_message: told what becomes of the batches, a line at a time.
    """

    def __init__(
        self,
        options: BatchOptions,
        identity: Identity,
        connect: Callable[[], BatchService],
        *,
        listed_as: str | None,
    ) -> None:
        self.on_message: Callable[[str], None] = lambda _: None
        self._options = options
        self._identity = identity
        self._connect = connect
        self._listed_as = listed_as
        self._batches: Batches | None = None

    @property
    def identity(self) -> Identity:
        """Who answers."""
        return self._identity

    @property
    def default_limits(self) -> Mapping[str, object]:
        """Limits where registry.toml has none."""
        return batch_limits(self._options)

    @functools.cached_property
    def price(self) -> Price | None:
        """What tokens cost in a batch; None when neither the options nor litellm's list say."""
        if self._options.price is not None or self._listed_as is None:
            return self._options.price
        return listed_batch_price(self._listed_as)

    async def complete(self, prompt: Prompt) -> Completion:
        """Answer one prompt, when its batch is over.

        Raises:
            GenerationError: there is no answer.
            UsageError: there is no key.
            RunError: the journal of batches cannot be used.
        """
        if self._batches is None:
            self._batches = self._open()
        key = answer_key(prompt, self._identity).hex()
        return await self._batches.answer(attempt_key(key, prompt.retry), prompt)

    def answers_are_stored(self) -> None:
        """Write down that the answers which were taken need not be fetched again: who asks once more means a new one.

        Raises:
            RunError: the journal of batches cannot be used.
        """
        if self._batches is not None:
            self._batches.forget_taken()

    async def aclose(self) -> None:
        """Stop looking after the batches. They go on; the next process finds them in the journal."""
        batches, self._batches = self._batches, None
        if batches is not None:
            await batches.aclose()

    def _open(self) -> Batches:
        from genre_generators.batch_follower import Follower
        from genre_generators.batch_journal import Journal
        from genre_generators.batch_patience import Patience
        from genre_generators.batch_sender import Sender

        options = self._options
        service = self._connect()
        journal = Journal(options.journal, service.name)
        patience = Patience(
            options.poll_seconds,
            max(options.poll_seconds, options.longest_poll_seconds),
            options.longest_hours * 3_600,
        )
        sender = Sender(service, journal, patience, self._tell)
        follower = Follower(service, journal, sender, patience, self._tell)
        return Batches(
            service, journal, sender, follower, size=options.batch_size, collect_seconds=options.collect_seconds
        )

    def _tell(self, text: str) -> None:
        self.on_message(text)
