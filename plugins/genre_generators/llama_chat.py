"""A client of llama.cpp's server in which a prompt's texts are texts only, whatever strangers wrote into them."""

from genre.parts import Completion, Prompt
from genre_generators.chat_client import ChatClient
from genre_generators.chat_http import ChatHttp
from genre_generators.control_tokens import ControlTokens
from genre_generators.http_failures import Failures


class LlamaChat:
    """Asks a server that speaks `/v1/chat/completions` and tells tokens at `/tokenize`.

    Args:
        address: of the server.
        failures: of this server.
        model: the model to ask for.
    """

    def __init__(self, address: str, failures: Failures, model: str) -> None:
        self._chat = ChatClient(ChatHttp(f"{address}/v1", failures), failures, model)
        self._control = ControlTokens(ChatHttp(address, failures, path="/tokenize"), failures)

    async def complete(self, prompt: Prompt) -> Completion:
        """Answer one prompt; no text in it ends a message or begins one.

        Raises:
            GenerationError: one of its subclasses.
        """
        return await self._chat.complete(await self._control.broken(prompt))

    async def aclose(self) -> None:
        """Close the connections; a later call opens new ones."""
        await self._chat.aclose()
        await self._control.aclose()
