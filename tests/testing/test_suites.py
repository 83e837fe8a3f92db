"""`checks`: looked up by kind, cheap to list, and strict about what it is given."""

import subprocess
import sys

import attrs
import pytest
from small_data import small_dataset
from testing.toys import REGISTRY, broken_laws

import genre.testing
from genre.errors import UsageError
from genre.parts import Message
from genre.testing import Check, ConformanceError, checks
from genre.testing.generators import EXAMPLE_PROMPT
from genre.testing.suites import SUITES


def test_every_public_name_can_be_imported() -> None:
    for name in genre.testing.__all__:
        assert getattr(genre.testing, name) is not None


def test_no_suite_imports_pytest() -> None:
    modules = sorted({target.partition(":")[0] for target in SUITES.values()})
    code = (
        f"import importlib, sys\nfor name in {modules}: importlib.import_module(name)\nprint('pytest' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert done.stdout == "False\n"


def test_an_unknown_kind_is_told_with_the_nearest() -> None:
    with pytest.raises(UsageError, match="did you mean 'generator'"):
        checks("generater", "toy", registry=REGISTRY)


def test_an_unknown_part_is_told_with_the_nearest() -> None:
    with pytest.raises(UsageError, match="did you mean 'toy'"):
        checks("dataset", "toys", registry=REGISTRY)


def test_an_unknown_input_is_told_with_the_nearest() -> None:
    with pytest.raises(UsageError, match="did you mean 'dataset'"):
        checks("task", "toy", registry=REGISTRY, datasets=small_dataset())


def test_a_part_is_looked_up_among_what_is_installed() -> None:
    assert checks("command", "toy", registry=REGISTRY)
    with pytest.raises(UsageError, match="no command 'toy'"):
        checks("command", "toy")


def test_listing_builds_nothing() -> None:
    for kind in SUITES:
        if REGISTRY.parts(kind):
            assert checks(kind, "toy", options={"no such option": 1}, registry=REGISTRY)


def test_the_names_of_a_part_s_checks_differ() -> None:
    for kind in SUITES:
        if REGISTRY.parts(kind):
            names = [str(check) for check in checks(kind, "toy", registry=REGISTRY)]
            assert len(set(names)) == len(names)


def test_wrong_options_are_told_when_a_check_is_called() -> None:
    check = checks("dataset", "toy", options={"flow": ""}, registry=REGISTRY)[0]
    with pytest.raises(ConformanceError, match="did you mean 'flaw'"):
        check()


def test_a_check_that_passes_returns_nothing_and_one_that_fails_is_an_assertion_error() -> None:
    def broken() -> None:
        raise KeyError("gone")

    Check("law", lambda: None)()
    with pytest.raises(AssertionError, match="KeyError: 'gone'"):
        Check("law", broken)()
    assert str(Check("law", broken)) == "law"


def test_an_assertion_of_the_part_s_own_is_told_with_the_law() -> None:
    def asserting() -> None:
        raise AssertionError("three heads")

    with pytest.raises(ConformanceError, match="AssertionError: three heads") as caught:
        Check("law", asserting)()
    assert "law" in caught.value.law
    assert caught.value.remedy


def test_a_prompter_that_no_task_uses_is_tested_alone() -> None:
    assert broken_laws("prompter", "unused") == set()


def test_an_updater_that_no_task_uses_is_told() -> None:
    with pytest.raises(UsageError, match="no task uses the updater 'unused'"):
        checks("updater", "unused", registry=REGISTRY)


def test_a_task_that_uses_another_part_is_told() -> None:
    with pytest.raises(UsageError, match="does not use the prompter 'unused'"):
        checks("prompter", "unused", registry=REGISTRY, task="toy")


def test_a_data_set_and_answers_of_one_s_own_are_taken() -> None:
    def answer(_: object) -> str:
        return '{"title": "Rain", "words": ["a", "b"]}'

    assert broken_laws("task", dataset=small_dataset(), answer=answer) == set()


def test_a_bad_example_answer_of_one_s_own_is_told() -> None:
    assert "an-example-answer-becomes-a-record" in broken_laws("prompter", answer=lambda _: "nonsense")


def test_a_prompt_of_one_s_own_is_taken() -> None:
    prompt = attrs.evolve(EXAMPLE_PROMPT, messages=(Message("user", "Say it"),))
    assert broken_laws("generator", prompt=prompt) == set()


def test_a_generator_that_never_answers_is_told() -> None:
    assert "eight-prompts-at-once-are-answered" in broken_laws("generator", "hanging", timeout=0.01)
