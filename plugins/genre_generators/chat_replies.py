"""What a chat-completions reply says: an answer, or the typed error that it is."""

from collections.abc import Mapping

from genre.parts import Completion, Json, Refused, Transient, Usage
from genre_generators import quick_json
from genre_generators.chat_errors import error_message, status_error


def read_body(body: bytes, model: str, key: str | None = None) -> Completion:
    """The answer in the body of a reply with status 200.

    Args:
        model: the model that was asked, for replies that do not name theirs.
        key: the API key, which is taken out.

    Raises:
        GenerationError: as `read_reply`, and `Transient` when the body is not a JSON object.
    """
    reply = json_object(body, key)
    if reply is None:
        raise Transient("the server's reply is not a JSON object", may_be_billed=True)
    return read_reply(reply, model)


def read_reply(reply: Mapping[str, Json], model: str) -> Completion:
    """The answer in a chat completion.

    Raises:
        Refused: the provider's content filter, or the model itself, declined.
        Transient: not a chat completion, or an empty answer.
        GenerationError: the reply is an error (some gateways send it with status 200).
    """
    choices = reply.get("choices")
    if not choices and (error := reply.get("error")):
        code = error.get("code") if isinstance(error, dict) else None
        raise status_error(code if isinstance(code, int) else 500, error_message(reply))
    if not isinstance(choices, list) or not choices or not isinstance(choices[0], dict):
        raise Transient("the server's reply has no choices", may_be_billed=True)
    message = choices[0].get("message")
    if not isinstance(message, dict):
        raise Transient("the server's reply has no message", may_be_billed=True)
    finish = choices[0].get("finish_reason")
    if finish == "content_filter" or message.get("refusal"):
        raise Refused("the provider's content filter or the model declined to answer", may_be_billed=True)
    text = message.get("content")
    cut = finish == "length"
    if text is None and cut:  # a reasoning model that spent everything on its reasoning
        text = ""
    if not isinstance(text, str) or not (text.strip() or cut):
        raise Transient("the answer is empty", may_be_billed=True)
    name = reply.get("model")
    return Completion(
        text=text,
        model=name if isinstance(name, str) and name else model,
        finish="length" if cut else "stop",
        usage=_usage(reply.get("usage")),
    )


def json_object(body: bytes, key: str | None = None) -> dict[str, Json] | None:
    """The JSON object in a body, or None when there is none.

    Args:
        key: the API key, which is taken out.
    """
    try:
        value = without_key(quick_json.loads(body), key)
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None


def without_key(value: Json, key: str | None) -> Json:
    """What a server said, without the API key: it may repeat it in whatever it says, and what it says is stored.

    The bytes of a reply do not show all keys: JSON has several spellings of a character, and several encodings.
    """
    if not key:
        return value
    if isinstance(value, str):
        return value.replace(key, "***")
    if isinstance(value, dict):
        return {name: without_key(inner, key) for name, inner in value.items()}
    return [without_key(inner, key) for inner in value] if isinstance(value, list) else value


def _usage(value: Json) -> Usage:
    def count(name: str) -> int | None:
        number = value.get(name) if isinstance(value, dict) else None
        return number if isinstance(number, int) and not isinstance(number, bool) and number >= 0 else None

    return Usage(count("prompt_tokens"), count("completion_tokens"))
