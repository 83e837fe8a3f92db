"""Asks an HTTP service for a headline. The service is made up; `tests/service.py` is a small one."""

import json
from collections.abc import Mapping

import aiohttp
import attrs
from genre.options import Secret
from genre.parts import Completion, Fatal, GenerationError, Identity, Json, Prompt, RateLimited, Refused, Transient

LARGEST = 1 << 16
"""Bytes of a reply after which no more are read."""


@attrs.frozen
class HeadlinesGeneratorOptions:
    """Options of the generator `headlines`.

    Attributes:
        address: of the service, such as `https://headlines.example`.
        api_key: the service's key.
        longest: characters that an answer has at most.
        timeout: seconds for one call.
    """

    address: str = attrs.field(validator=attrs.validators.matches_re("https?://[^/@?#]+/?"))
    api_key: Secret
    longest: int = attrs.field(default=120, validator=attrs.validators.ge(1))
    timeout: float = attrs.field(default=30.0, validator=attrs.validators.gt(0))


class HeadlinesGenerator:
    """Posts `{"text", "longest", "seed"}` to `/headline`, which replies `{"headline", "engine"}`.

    A prompt with a schema gets the headline as each text that the schema asks for.
    """

    def __init__(self, options: HeadlinesGeneratorOptions) -> None:
        self._options = options
        self._key = options.api_key.reveal()
        self.identity = Identity("headlines", options.address, {"longest": options.longest})
        self._session: aiohttp.ClientSession | None = None

    async def complete(self, prompt: Prompt) -> Completion:
        """Answer one prompt.

        Raises:
            GenerationError: `Refused` also where the schema asks for something else than texts, before it is asked.
        """
        if prompt.schema is not None:
            _filled(prompt.schema, "")
        text = prompt.messages[-1].content
        status, retry_after, body = await self._post(
            {"text": text, "longest": self._options.longest, "seed": prompt.seed}
        )
        if status != 200:
            raise _failure(status, retry_after)
        headline, engine = _read(body)
        line = headline[: self._options.longest]
        answer = line if prompt.schema is None else json.dumps(_filled(prompt.schema, line))
        return Completion(text=answer, model=engine)

    async def aclose(self) -> None:
        """Close the connections; a later call opens new ones."""
        session, self._session = self._session, None
        if session is not None:
            await session.close()

    async def _post(self, question: Mapping[str, Json]) -> tuple[int, str, bytes]:
        """Status, `Retry-After` and body."""
        if self._session is None:  # here, because it belongs to the running event loop
            timeout = aiohttp.ClientTimeout(total=self._options.timeout)
            self._session = aiohttp.ClientSession(timeout=timeout, headers={"X-Key": self._key})
        url = f"{self._options.address.rstrip('/')}/headline"
        try:  # a redirect is not followed: the key goes to the configured service only
            async with self._session.post(url, json=question, allow_redirects=False) as reply:
                body = b""
                while len(body) < LARGEST and (part := await reply.content.readany()):
                    body += part
                return reply.status, reply.headers.get("Retry-After", ""), body
        except (aiohttp.ClientError, TimeoutError) as error:
            raise Transient(f"no reply: {type(error).__name__}", may_be_billed=True) from error


def _failure(status: int, retry_after: str) -> GenerationError:
    if status == 429:
        return RateLimited("the service asks for fewer calls", float(retry_after) if retry_after.isdecimal() else None)
    if status in (401, 403):
        return Fatal("the service does not take the key; set the variable that `api_key` names")
    if status == 408 or status >= 500:
        return Transient(f"the service failed with status {status}")
    return Refused(f"the service refuses this text with status {status}")


def _read(body: bytes) -> tuple[str, str]:
    """The headline, and what made it."""
    try:
        said = json.loads(body)
        headline, engine = said["headline"], said["engine"]
    except (ValueError, LookupError, TypeError, RecursionError) as error:
        raise Transient("the reply is not what the service promises", may_be_billed=True) from error
    if not (isinstance(headline, str) and headline.strip() and isinstance(engine, str) and engine):
        raise Transient("the reply has no headline", may_be_billed=True)
    return headline.strip(), engine


def _filled(schema: Mapping[str, Json], line: str) -> dict[str, str]:
    """The line as each property of the schema."""
    properties = schema.get("properties")
    filled = {}
    for name, wanted in properties.items() if isinstance(properties, dict) else ():
        if not isinstance(wanted, dict) or wanted.get("type") != "string" or "enum" in wanted:
            raise Refused(f"the schema asks for something else than a text: {name}")
        most = wanted.get("maxLength")
        filled[name] = line[:most] if isinstance(most, int) else line
    return filled
