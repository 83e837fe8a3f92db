"""Laws of commands: click commands that say what they do."""

from typing import cast

import attrs
import click
from click.testing import CliRunner

from genre.discovery import load_import_string
from genre.parts import Part
from genre.testing.check import Check, checks_of, require, shown
from genre.testing.subject import Subject


def command_checks(subject: Subject) -> list[Check]:
    """The suite of a command. Takes no inputs."""
    return checks_of(_Laws(subject))


@attrs.frozen(eq=False)
class _Laws:
    subject: Subject

    def the_target_is_a_click_command(self) -> None:
        self._command()

    def the_command_has_a_help_text(self) -> None:
        require(
            bool((self._command().help or "").strip()),
            "a command has a help text",
            found="none",
            remedy="write a docstring, or help=... of click.command",
        )

    def help_is_shown(self) -> None:
        outcome = CliRunner().invoke(self._command(), ["--help"], prog_name=f"genre {self.subject.name}")
        require(
            outcome.exit_code == 0 and "Usage:" in outcome.output,
            "`--help` shows a page and exits with 0",
            found=f"exit code {outcome.exit_code}, {shown(outcome.exception)}, {shown(outcome.output)}",
            remedy="leave --help to click, and do nothing while options are declared",
        )

    def _command(self) -> click.Command:
        part = self.subject.registry.get("command", self.subject.name)
        target = load_import_string(cast(Part, part).target)
        require(
            isinstance(target, click.Command),
            "the target of a command is a click.Command",
            found=f"{type(target).__name__} at {cast(Part, part).target}",
            remedy="decorate the function with click.command(), and name what that returns",
        )
        return cast(click.Command, target)
