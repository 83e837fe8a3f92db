"""Errors and settings are the same in another process, and no key in clear text leaves this one."""

import json
from pathlib import Path

import pytest

from genre.errors import GenreError, RunError, RunVetoed, UsageError
from genre.settings import Layer, Settings
from genre_executors.sent import error_of, failure_of, sent_layers, settings_from


@pytest.mark.parametrize("error", [UsageError("a", where="b", remedy="c"), RunError("a"), RunVetoed("no")])
def test_an_error_says_the_same_on_the_other_side(error: GenreError) -> None:
    again = error_of(failure_of(error))
    assert str(again) == str(error)
    assert again.exit_code == error.exit_code


def test_nothing_but_plugins_and_the_generators_that_are_asked_leaves_the_machine() -> None:
    said = {
        "plugins": {"disabled": ["task/x"]},
        "generators": {"asked": {"model": "m", "api_key": {"env": "KEY"}}, "other": {"api_key": "sk-in-clear-text"}},
        "tasks": {"t": {"template": "private"}},
    }
    [(origin, data, path)] = sent_layers(Settings((Layer("project", said),)), {"asked"})
    assert (origin, path) == ("project", None)
    assert data == {"plugins": said["plugins"], "generators": {"asked": said["generators"]["asked"]}}
    assert "sk-in" not in json.dumps(data)


def test_a_key_in_clear_text_that_a_higher_file_replaces_does_not_leave_the_machine() -> None:
    mine = Layer("user", {"generators": {"g": {"plugin": "litellm", "api_key": "sk-in-clear-text"}}})
    ours = Layer("project", {"generators": {"g": {"model": "m", "api_key": {"env": "KEY"}}}})
    settings = Settings((mine, ours))
    sent = sent_layers(settings, {"g"})
    assert "sk-in" not in json.dumps(sent)
    assert settings_from(sent).table("generators") == settings.table("generators")


def test_relative_paths_refer_to_the_same_file_on_the_other_side() -> None:
    settings = Settings((Layer("project", {"generators": {"g": {}}}, Path("/here/registry.toml")),))
    assert settings_from(sent_layers(settings, {"g"})) == settings
