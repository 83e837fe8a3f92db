"""The suites of a model's parts pass a good toy and fail a broken one, law by law."""

from collections.abc import Iterator

import pytest
import torch
from testing.toys import REGISTRY, broken_laws, is_broken

from genre.testing import checks
from genre.testing.suites import SUITES

MODELS = ("field-encoder", "news-encoder", "user-encoder", "interaction", "baseline")
GOOD = [*[(kind, "toy") for kind in MODELS], ("field-encoder", "sharing"), ("user-encoder", "aware")]


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    """Models of this size are faster on one core than on two."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.mark.parametrize(("kind", "name"), GOOD)
def test_a_good_part_keeps_every_law(kind: str, name: str) -> None:
    assert broken_laws(kind, name) == set()


@pytest.mark.parametrize(
    ("name", "flaw", "law"),
    [
        ("toy", "reversed", "a-field-changes-its-own-news-alone"),
        ("sharing", "reversed", "vectors-stand-in-the-order-of-the-fields"),
        ("toy", "first news first", "a-field-that-a-news-lacks-changes-no-other-news"),
        ("toy", "unmasked", "padding-changes-nothing"),
        ("sharing", "reading what is not there", "padding-changes-nothing"),
    ],
)
def test_a_broken_field_encoder_is_told(name: str, flaw: str, law: str) -> None:
    assert is_broken(law, "field-encoder", name, flaw)


def test_a_news_encoder_that_reads_one_field_only_is_told() -> None:
    assert is_broken("every-field-that-a-news-has-counts", "news-encoder", flaw="first field")


@pytest.mark.parametrize(
    ("name", "flaw", "law"),
    [
        ("toy", "deaf", "other-clicks-change-the-vector"),
        ("toy", "lossy", "weights-survive-a-file"),
        ("toy", "peeping", "the-vector-depends-on-the-candidate-as-declared"),
        ("aware", "deaf", "other-clicks-change-the-vector"),
        ("aware", "fake", "the-vector-depends-on-the-candidate-as-declared"),
        ("aware", "crowded", "the-vector-depends-on-the-candidate-as-declared"),
        ("aware", "crowded", "candidates-do-not-see-each-other"),
    ],
)
def test_a_broken_user_encoder_is_told(name: str, flaw: str, law: str) -> None:
    assert is_broken(law, "user-encoder", name, flaw)


@pytest.mark.parametrize(
    ("flaw", "law"),
    [
        ("centred", "candidates-do-not-see-each-other"),
        ("lossy", "weights-survive-a-file"),
        ("asserting", "it-returns-the-declared-shape"),
    ],
)
def test_a_broken_interaction_is_told(flaw: str, law: str) -> None:
    assert is_broken(law, "interaction", flaw=flaw)


@pytest.mark.parametrize(
    ("name", "law"),
    [
        ("deaf", "another-history-changes-its-reader-s-scores-alone"),
        ("lossy", "a-model-survives-its-folder"),
    ],
)
def test_a_broken_baseline_is_told(name: str, law: str) -> None:
    assert is_broken(law, "baseline", name)


def test_a_law_that_does_not_apply_is_not_listed() -> None:
    listed = {kind: [str(check) for check in checks(kind, "toy", registry=REGISTRY)] for kind in MODELS}
    with_padding = [kind for kind, names in listed.items() if "padding-changes-nothing" in names]
    assert with_padding == ["field-encoder", "user-encoder", "interaction"]


@pytest.mark.parametrize("kind", SUITES)
def test_torch_s_random_state_is_left_as_it_was(kind: str) -> None:
    before = torch.random.get_rng_state()
    broken_laws(kind)
    assert torch.equal(torch.random.get_rng_state(), before)
