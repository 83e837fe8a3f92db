"""A generator that keeps to the laws, or breaks one of them."""

import asyncio
import uuid

import attrs

from genre.options import Secret
from genre.parts import Completion, Fatal, Identity, Json, Prompt, RateLimited, Refused


@attrs.frozen
class ToyOptions:
    """Which law is broken; none. And a key."""

    flaw: str = ""
    api_key: Secret | None = None


class ToyGenerator:
    """Has one title for everything."""

    def __init__(self, options: ToyOptions) -> None:
        self.flaw = options.flaw
        self.in_flight = 0
        self.closed = False
        parameters: dict[str, Json] = {"flaw": self.flaw}
        if self.flaw == "random":
            parameters["instance"] = uuid.uuid4().hex
        if self.flaw == "secret" and options.api_key:
            parameters["headers"] = {"Authorization": f"Bearer {options.api_key.reveal()}"}
        if self.flaw == "no json":
            parameters["stop"] = {"###"}  # type: ignore[assignment]
        self.identity = Identity("" if self.flaw == "no model" else "toy", "here", parameters)

    async def complete(self, prompt: Prompt) -> Completion:
        self.in_flight += 1
        try:
            await asyncio.sleep(0)
            return self._answer(prompt)
        finally:
            self.in_flight -= 1

    def _answer(self, prompt: Prompt) -> Completion:
        content = prompt.messages[-1].content
        if self.flaw == "one by one" and self.in_flight > 1:
            raise RuntimeError("busy")
        if self.flaw == "fragile":
            content.splitlines()[-1].split()[0]
        if self.flaw == "refusing":
            raise Fatal("nobody is here")
        if self.flaw == "a text":
            return '{"title": "Rain"}'  # type: ignore[return-value]
        if self.flaw == "deaf":
            return Completion(text="Rain", model="toy-1")
        if len(content) > 100_000:
            raise Refused("too long")
        text = '{"title": "Rain"}' if prompt.schema or self.flaw != "speechless" else " "
        return Completion(text=text, model="toy-1")

    async def aclose(self) -> None:
        if self.flaw == "closing once" and self.closed:
            raise RuntimeError("closed already")
        self.closed = True


class Hanging(ToyGenerator):
    """Never answers."""

    async def complete(self, prompt: Prompt) -> Completion:
        await asyncio.Event().wait()
        raise AssertionError


class Limited(ToyGenerator):
    """Asks for a pause at its first call, and at every third one after that."""

    def __init__(self, options: ToyOptions) -> None:
        super().__init__(options)
        self.calls = 0

    async def complete(self, prompt: Prompt) -> Completion:
        self.calls += 1
        if self.calls % 3 == 1:
            raise RateLimited("slower", 0.01 if self.calls > 1 else None)
        return await super().complete(prompt)
