"""Each suite passes a good toy and fails a broken one, law by law."""

import os

import pytest
from testing.toys import broken_laws, is_broken

KINDS = ("dataset", "prompter", "updater", "task", "generator", "gate", "executor", "tracker", "command")


@pytest.mark.parametrize("kind", KINDS)
def test_a_good_part_keeps_every_law(kind: str) -> None:
    assert broken_laws(kind) == set()


@pytest.mark.parametrize(
    ("flaw", "law"),
    [
        ("random", "reading-twice-gives-equal-data"),
        ("no json", "saving-and-loading-keeps-the-data"),
        ("dangling history", "every-reference-names-a-row"),
        ("dangling candidate", "every-reference-names-a-row"),
        ("dangling reader", "every-reference-names-a-row"),
        ("dangling text", "every-reference-names-a-row"),
        ("dangling interest", "every-reference-names-a-row"),
        ("null reference", "every-reference-names-a-row"),
        ("repeated news", "ids-name-one-row-each"),
        ("repeated reader", "ids-name-one-row-each"),
        ("one label", "labels-fit-the-candidates"),
        ("label of two", "labels-fit-the-candidates"),
        ("nothing shown", "every-impression-has-candidates"),
        ("generated", "generated-news-are-never-candidates"),
        ("no clicks", "clicks-count-the-original-history"),
        ("keeping what is no click", "kept-clicks-are-ascending-clicks"),
        ("keeping twice", "kept-clicks-are-ascending-clicks"),
        ("two widths", "vectors-of-a-field-have-one-width"),
        ("not finite", "vectors-of-a-field-have-one-width"),
        ("no name", "splits-are-not-empty"),
        ("no impressions", "splits-are-not-empty"),
        ("no data set", "reading-twice-gives-equal-data"),
    ],
)
def test_a_broken_data_set_is_told(flaw: str, law: str) -> None:
    assert is_broken(law, "dataset", flaw=flaw)


@pytest.mark.parametrize(
    ("flaw", "law"),
    [
        ("changing", "prompts-are-the-same-twice"),
        ("no prompts", "prompts-are-the-same-twice"),
        ("writing", "asking-leaves-the-data-set-as-it-is"),
        ("a list", "prompts-are-streamed"),
        ("miscounting", "the-count-is-the-number-of-prompts"),
        ("no draws", "every-prompt-is-about-something-else"),
        ("another task", "every-prompt-is-about-something-else"),
        ("stranger", "subjects-exist"),
        ("no schema", "schemas-are-valid-and-name-the-same-properties"),
        ("other properties", "schemas-are-valid-and-name-the-same-properties"),
        ("provenance", "schemas-are-valid-and-name-the-same-properties"),
        ("picky", "an-example-answer-becomes-a-record"),
        ("forgetful", "an-example-answer-becomes-a-record"),
        ("moody", "an-example-answer-becomes-a-record"),
        ("careless", "hostile-texts-are-refused-as-malformed"),
        ("credulous", "hostile-texts-are-refused-as-malformed"),
        ("careless", "damaged-answers-are-read-or-refused-as-malformed"),
    ],
)
@pytest.mark.parametrize("kind", ["prompter", "task"])
def test_a_broken_prompter_is_told(kind: str, flaw: str, law: str) -> None:
    assert is_broken(law, kind, flaw=flaw)


@pytest.mark.parametrize(
    ("flaw", "law"),
    [
        ("writing into it", "updating-leaves-the-old-data-set-as-it-is"),
        ("random", "updating-twice-gives-equal-data"),
        ("no data set", "updating-leaves-the-old-data-set-as-it-is"),
        ("reordering", "news-and-readers-are-only-appended"),
        ("reordering readers", "news-and-readers-are-only-appended"),
        ("replacing texts", "news-and-readers-are-only-appended"),
        ("replacing interests", "news-and-readers-are-only-appended"),
        ("cutting histories", "news-and-readers-are-only-appended"),
        ("dangling", "every-reference-names-a-row"),
        ("showing", "generated-news-are-never-candidates"),
        ("hiding", "impressions-stay-as-they-are"),
        ("counting", "clicks-and-segments-stay-as-they-are"),
        ("keeping", "kept-clicks-are-ascending-clicks"),
        ("idle", "records-change-the-data"),
        ("always", "no-records-change-nothing"),
        ("no version", "what-is-added-says-its-round-and-model"),
    ],
)
@pytest.mark.parametrize("kind", ["updater", "task"])
def test_a_broken_updater_is_told(kind: str, flaw: str, law: str) -> None:
    assert is_broken(law, kind, flaw=flaw)


@pytest.mark.parametrize(
    ("flaw", "law"),
    [
        ("picky", "a-round-makes-a-record-of-every-good-answer"),
        ("changing", "a-round-that-is-run-again-asks-for-nothing"),
        ("random", "a-round-that-is-run-again-asks-for-nothing"),
        ("careless ids", "a-second-round-of-another-name-builds-on-the-first"),
        ("no lineage", "a-second-round-of-another-name-builds-on-the-first"),
        ("no json", "what-a-round-made-can-be-saved-and-loaded"),
    ],
)
def test_a_broken_task_is_told(flaw: str, law: str) -> None:
    assert is_broken(law, "task", flaw=flaw)


@pytest.mark.parametrize(
    ("flaw", "law"),
    [
        ("random", "two-instances-have-equal-identities"),
        ("no json", "the-identity-can-be-written-as-json"),
        ("no model", "the-identity-can-be-written-as-json"),
        ("secret", "the-identity-holds-no-secret"),
        ("deaf", "a-prompt-with-a-schema-gets-an-answer-that-meets-it"),
        ("a text", "a-prompt-with-a-schema-gets-an-answer-that-meets-it"),
        ("refusing", "a-prompt-with-a-schema-gets-an-answer-that-meets-it"),
        ("speechless", "a-prompt-without-a-schema-gets-a-text"),
        ("one by one", "eight-prompts-at-once-are-answered"),
        ("fragile", "only-typed-errors-are-raised"),
        ("closing once", "closing-twice-is-harmless"),
    ],
)
def test_a_broken_generator_is_told(flaw: str, law: str) -> None:
    assert is_broken(law, "generator", flaw=flaw)


@pytest.mark.parametrize(
    ("flaw", "law"),
    [
        ("empty reason", "a-verdict-is-none-or-a-reason"),
        ("flag", "a-verdict-is-none-or-a-reason"),
        ("state of the module", "the-same-answers-in-the-same-order-get-the-same-verdicts"),
        ("writing", "judging-leaves-the-data-set-as-it-is"),
        ("editing", "judging-leaves-the-records-as-they-are"),
    ],
)
def test_a_broken_gate_is_told(flaw: str, law: str) -> None:
    assert is_broken(law, "gate", flaw=flaw)


@pytest.mark.parametrize(
    ("flaw", "law"),
    [
        ("reordering", "the-answers-are-those-of-an-engine-in-the-order-of-the-prompts"),
        ("repeating", "what-is-stored-is-handed-out-again-without-a-call"),
        ("forgetful", "what-is-stored-is-handed-out-again-without-a-call"),
        ("hasty", "an-answer-is-stored-before-it-is-handed-out"),
        ("silent", "stored-answers-are-told"),
        ("repeating", "equal-prompts-are-asked-once"),
        ("spendthrift", "the-budget-is-not-exceeded"),
        ("cheerful", "a-generator-that-cannot-go-on-ends-the-round"),
    ],
)
def test_a_broken_executor_is_told(flaw: str, law: str) -> None:
    assert is_broken(law, "executor", flaw=flaw)


@pytest.mark.parametrize(
    ("flaw", "law"),
    [
        ("hasty", "nothing-is-written-before-the-first-event"),
        ("counting epochs", "a-training-that-was-begun-elsewhere-goes-on"),
        ("counting epochs", "cells-may-run-side-by-side"),
        ("once", "finished-cells-are-told-again"),
        ("once", "a-run-that-stopped-goes-on"),
        ("complete", "a-run-may-fail-or-be-interrupted-at-any-event"),
        ("strict", "an-event-of-a-later-release-is-ignored"),
        ("numbers only", "a-whole-run-is-tracked"),
        ("rounding", "events-stay-as-they-are"),
    ],
)
def test_a_broken_tracker_is_told(flaw: str, law: str) -> None:
    assert is_broken(law, "tracker", flaw=flaw)


@pytest.mark.parametrize(
    ("name", "law"),
    [
        ("no-command", "the-target-is-a-click-command"),
        ("silent", "the-command-has-a-help-text"),
        ("helpless", "help-is-shown"),
    ],
)
def test_a_broken_command_is_told(name: str, law: str) -> None:
    assert is_broken(law, "command", name)


def test_a_rate_limit_is_waited_for() -> None:
    assert not broken_laws("generator", "limited")


@pytest.mark.parametrize("kind", ["dataset", "generator"])
def test_options_that_cannot_be_read_are_told(kind: str) -> None:
    assert is_broken("a-misspelt-option-is-told", kind, "unreadable")


def test_the_environment_is_left_as_it_was(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GENRE_TESTING_SECRET", "mine")
    broken_laws("generator")
    assert os.environ["GENRE_TESTING_SECRET"] == "mine"
