"""Asking again for an answer that cannot be used: the prompt, the answer, and what is wrong with it."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import attrs

from genre.errors import UsageError
from genre.generation.judging import WORTH_ASKING_AGAIN, Problem
from genre.generation.templates import ChatTemplate
from genre.parts import Json, Message, Prompt, canonical_json

LONGEST_QUOTE: Final = 1_000
"""Characters of an unusable answer that are shown to the model: what it said, not a megabyte of it."""
_TEMPLATE: Final = Path(__file__).parent / "ask_again.jinja"
_NOTHING: Final = "..."
"""Stands for an empty answer, which some providers refuse in a chat."""


@attrs.frozen
class AnswerOptions:
    """Options of every task: what is done about answers that cannot be used.

    Attributes:
        repair: read an answer that is no JSON once more with its syntax repaired.
        ask_again: how often an answer that is malformed, rejected by a gate, or cut off is asked for again, with the
            reason, before it goes to quarantine.
        ask_again_template: the words of that: a Jinja2 file with a block `user`, whose variables are `problem`
            (`malformed`, `rejected` or `truncated`), `reason`, `schema` and `form` (JSON, or empty) and `max_tokens`.
    """

    repair: bool = True
    ask_again: int = attrs.field(default=1, validator=[attrs.validators.ge(0), attrs.validators.le(10)])
    ask_again_template: Path = _TEMPLATE


@attrs.frozen(eq=False)
class AskAgain:
    """How often, and in which words.

    Attributes:
        times: how often a prompt is asked again at most.
        template: the words.
    """

    times: int
    template: ChatTemplate

    @classmethod
    def load(cls, options: AnswerOptions) -> "AskAgain":
        """
        Raises:
            UsageError: the template is missing or wrong; told before anything is asked.
        """
        template = ChatTemplate.load(options.ask_again_template)
        if template.roles != ("user",):
            raise UsageError(
                "a template for asking again has one block, `user`: the chat before it is that of the task",
                where=options.ask_again_template,
                remedy="remove the other blocks",
            )
        again = cls(options.ask_again, template)
        for problem in sorted(WORTH_ASKING_AGAIN):
            again.words(problem, "a reason", {}, 1)
        return again

    def prompt(self, prompt: Prompt, answer: str, problem: Problem, reason: str) -> Prompt:
        """The prompt with its unusable answer and the reason. All else stays, so its key depends on these words only.

        Args:
            prompt: as the prompter made it.
            answer: the last answer to it, as the store keeps it: fresh and read again it must make the same prompt.
        """
        words = self.words(problem, reason, prompt.schema, prompt.sampling.max_tokens)
        return attrs.evolve(prompt, messages=(*_with_answer(prompt.messages, answer), *words))

    def words(
        self, problem: Problem, reason: str, schema: Mapping[str, Json] | None, max_tokens: int
    ) -> tuple[Message, ...]:
        """What is said after the unusable answer.

        Raises:
            UsageError: the template cannot be rendered; names file and line.
        """
        return self.template.render(
            problem=problem,
            reason=reason,
            schema="" if schema is None else canonical_json(schema),
            form="" if schema is None else json.dumps(_form(schema)),
            max_tokens=max_tokens,
        )


def _with_answer(messages: tuple[Message, ...], answer: str) -> tuple[Message, ...]:
    """The chat up to the model's answer, which continues the beginning of one where the task's template gives it."""
    said = answer.strip()
    if len(said) > LONGEST_QUOTE:
        said = f"{said[:LONGEST_QUOTE]} {_NOTHING}"
    if messages and messages[-1].role == "assistant":
        return (*messages[:-1], Message("assistant", f"{messages[-1].content}{said}"))
    return (*messages, Message("assistant", said or _NOTHING))


def _form(schema: "Json | Mapping[str, Json]") -> Json:
    """What an answer looks like, which small models understand better than a schema."""
    if not isinstance(schema, Mapping):
        return _NOTHING
    properties, items = schema.get("properties"), schema.get("items")
    if isinstance(properties, Mapping):
        return {name: _form(definition) for name, definition in properties.items()}
    if schema.get("type") == "array":
        return [_form(items)]
    plain: Mapping[Json, Json] = {"integer": 1, "number": 1.5, "boolean": True}
    return plain.get(str(schema.get("type")), _NOTHING)
