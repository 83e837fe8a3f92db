"""Chat templates: Jinja2 files with one block for each message, so that a prompt is data that a user can replace."""

import functools
import hashlib
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Final, Literal

import attrs
import jinja2
import jinja2.sandbox
from jinja2.exceptions import SecurityError
from jinja2.runtime import Context

from genre.errors import UsageError
from genre.parts import Message

ROLES: Final[tuple[Literal["system", "user", "assistant"], ...]] = ("system", "user", "assistant")


@attrs.frozen(eq=False)
class ChatTemplate:
    """A Jinja2 file with a block `user` and, optionally, blocks `system` and `assistant`.

    Attributes:
        path: where it came from, for messages.
        version: hash of its text.
    """

    path: Path
    version: str
    _template: jinja2.Template
    _reading: "_Reading" = attrs.field(init=False)

    @_reading.default
    def _begin_reading(self) -> "_Reading":
        return _Reading(self._template)

    @classmethod
    def load(cls, path: Path) -> "ChatTemplate":
        """Read and compile a template. It runs in a sandbox, and an unknown variable is an error.

        Raises:
            UsageError: the file is missing, not a template, or has no block `user`.
        """
        try:
            text = path.read_text(encoding="utf-8")
            template = _environment().from_string(text)
        except OSError as error:
            raise UsageError(f"the template cannot be read: {error.strerror}", where=path) from error
        except UnicodeDecodeError as error:
            raise UsageError("the template is not UTF-8 text", where=path) from error
        except jinja2.TemplateSyntaxError as error:
            raise UsageError(
                f"not a Jinja2 template: {error.message}", where=f"{path}:{error.lineno}", remedy="correct the line"
            ) from error
        except (RecursionError, MemoryError) as error:
            raise UsageError(
                "the template is nested too deep", where=path, remedy="write it in fewer levels"
            ) from error
        unknown = sorted(set(template.blocks) - set(ROLES))
        if "user" not in template.blocks or unknown:
            raise UsageError(
                f"unknown block {unknown[0]!r}" if unknown else "the template has no block 'user'",
                where=path,
                remedy="write {% block user %}...{% endblock %}, and {% block system %} before it if you like",
            )
        version = hashlib.blake2b(text.encode(), digest_size=8).hexdigest()
        return cls(path, version, template)

    @property
    def roles(self) -> tuple[str, ...]:
        """The roles of its messages, in their order."""
        return tuple(role for role in ROLES if role in self._template.blocks)

    def render(self, **variables: object) -> tuple[Message, ...]:
        """One message for each block, in the order system, user, assistant; surrounding blank space is removed.

        Raises:
            UsageError: the template asks for a variable that its task does not give, does what the sandbox forbids, or
                fails in any other way; names file and line.
        """
        context = self._reading.context(variables)
        try:
            return tuple(
                Message(role, "".join(self._template.blocks[role](context)).strip())
                for role in ROLES
                if role in self._template.blocks
            )
        except Exception as error:  # whatever it was: a template can run nothing but itself
            raise self._failure(error, sorted(variables)) from error

    def _failure(self, error: Exception, variables: Sequence[str]) -> UsageError:
        line = self._line(error.__traceback__)
        remedy = f"the variables of this task are: {', '.join(variables)}"
        if isinstance(error, SecurityError):
            remedy = f"a template may read its variables and nothing behind them; {remedy}"
        return UsageError(
            f"the template cannot be rendered: {str(error) or type(error).__name__}",
            where=f"{self.path}:{line}" if line else self.path,
            remedy=remedy,
        )

    def _line(self, traceback: TracebackType | None) -> int | None:
        """The template's line that was being rendered: the innermost frame of its compiled code, mapped back."""
        line = None
        while traceback is not None:
            if "__jinja_template__" in traceback.tb_frame.f_globals:
                line = self._template.get_corresponding_lineno(traceback.tb_lineno)
            traceback = traceback.tb_next
        return line


class _Reading(threading.local):
    """A thread's context of a template. Making one for each prompt would cost twice as much as all the rest."""

    def __init__(self, template: jinja2.Template) -> None:
        self._context = template.new_context({})
        self._globals = self._context.parent

    def context(self, variables: Mapping[str, object]) -> Context:
        """A context that holds these variables, and nothing of those before them."""
        self._context.parent = {**self._globals, **variables}
        return self._context


@functools.cache
def _environment() -> jinja2.Environment:
    environment = jinja2.sandbox.SandboxedEnvironment(
        undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True, autoescape=False
    )
    environment.filters["one_line"] = one_line
    return environment


def one_line(text: str) -> str:
    """The text on one line: news text must not be able to start a line of the prompt."""
    return " ".join(text.split())
