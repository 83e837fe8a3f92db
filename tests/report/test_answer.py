"""The sentences of the answer say what the figures say, and no more."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from small_run import change_json, write_small_run

from genre.report.answer import Answer, answer
from genre.report.formatting import HOLM
from genre.report.run_folder import read_run


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return write_small_run(tmp_path / "run")


def answer_of(folder: Path) -> Answer:
    return answer(read_run(folder), "dev")


def change_gains(folder: Path, change: Callable[[dict[str, object]], dict[str, object]]) -> None:
    gains = json.loads((folder / "summary.json").read_text())["gains"]
    change_json(folder / "summary.json", gains=[{**gain, **change(gain)} for gain in gains])


def test_a_significant_gain_is_named_with_its_interval(folder: Path) -> None:
    first, second, *_ = answer_of(folder).sentences
    assert first == f"On dev, titles with dcn gains in AUC over original: 1 of 4 comparisons stands after {HOLM}."
    figures = "+0.0300 (95% interval +0.0100 to +0.0500)"
    assert second == f"The largest gain measured, titles with dcn, is {figures}, which is significant."


def test_what_cannot_be_told_apart_is_said_with_what_could_have_been_seen(folder: Path) -> None:
    assert answer_of(folder).sentences[2:4] == (
        "3 of 4 comparisons could not be told apart from no effect.",
        "A single comparison of so many users sees a difference of about 0.025 four times in five; "
        f"chance between seeds and {HOLM} make it larger.",
    )


def test_what_could_have_been_seen_knows_no_seeds_where_nothing_is_trained(folder: Path) -> None:
    change_gains(folder, lambda gain: {"seeds": 0})
    assert any(each.endswith(f"four times in five; {HOLM} makes it larger.") for each in answer_of(folder).sentences)


def test_the_smallest_effect_is_told_as_a_lower_bound(folder: Path) -> None:
    [fact] = [each for each in answer_of(folder).facts if each.value == "0.025"]
    assert fact.label == "Smallest effect, at best"
    assert fact.note.endswith(f"by users alone: before chance between seeds, and {HOLM}")


def test_only_new_readers_gain(folder: Path) -> None:
    assert "Only new readers are shown to gain, by titles with dcn." in answer_of(folder).sentences


def test_new_and_warm_readers_gain(folder: Path) -> None:
    gain_of = {("dcn", "new"): 0.01, ("nrms", "warm"): 0.01}
    change_gains(
        folder,
        lambda gain: {
            "difference": 0.03,
            "p_holm": gain_of.get((str(gain["baseline"]), str(gain["segment"])), 1.0)
            if gain["variant"] == "titles"
            else 1.0,
        },
    )
    said = "New readers are shown to gain by titles with dcn; warm readers by titles with nrms."
    assert answer_of(folder).sentences[-1] == said


def test_neither_new_nor_warm_readers_gain(folder: Path) -> None:
    change_gains(folder, lambda gain: {"p_holm": 0.2})
    assert answer_of(folder).sentences[-1] == "Neither new nor warm readers by themselves are shown to gain."


def test_nobody_is_said_to_gain_alone_where_the_others_were_not_measured(folder: Path) -> None:
    gains = json.loads((folder / "summary.json").read_text())["gains"]
    change_json(folder / "summary.json", gains=[gain for gain in gains if gain["segment"] != "warm"])
    assert not any("readers" in sentence for sentence in answer_of(folder).sentences)


def test_a_leaked_gain_of_warm_readers_does_not_hide_that_only_new_ones_gain(folder: Path) -> None:
    change_gains(
        folder,
        lambda gain: {"leaked": True, "difference": 0.2, "p_holm": 0.001} if gain["variant"] == "everything" else {},
    )
    assert "Only new readers are shown to gain, by titles with dcn." in answer_of(folder).sentences


def test_a_p_value_of_exactly_the_level_is_not_below_it(folder: Path) -> None:
    change_gains(folder, lambda gain: {"p_holm": 0.05})
    assert answer_of(folder).facts[1].value == "0 of 4"


def test_without_significance_nothing_helps(folder: Path) -> None:
    change_gains(folder, lambda gain: {"p_holm": 0.2})
    sentences = answer_of(folder).sentences
    assert sentences[0].startswith("On dev, no enrichment is shown to help: of 4 comparisons with original")
    assert sentences[1].endswith("which looks like one by itself, but does not stand among all comparisons.")


def test_without_corrected_p_values_nothing_is_significant(folder: Path) -> None:
    change_gains(folder, lambda gain: {"p_holm": None})
    assert "no enrichment is shown to help" in answer_of(folder).sentences[0]


def test_a_significant_loss_is_told(folder: Path) -> None:
    change_gains(folder, lambda gain: {"difference": -0.03, "low": -0.05, "high": -0.01} if gain["p"] == 0.001 else {})
    sentences = answer_of(folder).sentences
    assert "titles with dcn loses significantly." in sentences
    assert sentences[2].startswith("Nothing measured above original; nearest comes")


def test_a_leaked_variant_has_no_say(folder: Path) -> None:
    change_gains(folder, lambda gain: {"leaked": True} if gain["variant"] == "titles" else {})
    found = answer_of(folder)
    assert not any("titles" in sentence for sentence in found.sentences)
    assert found.facts[1].value == "0 of 2"


def test_one_variant_has_nothing_to_be_compared_with(folder: Path) -> None:
    rows = json.loads((folder / "results.json").read_text())["rows"]
    change_json(folder / "results.json", rows=[row for row in rows if row["variant"] == "original"])
    (folder / "summary.json").unlink()
    [sentence] = answer_of(folder).sentences
    assert sentence == "This run has one variant, original: there is nothing to compare it with."


def test_an_older_run_gives_no_answer_that_means_alone_cannot_give(folder: Path) -> None:
    change_json(folder / "summary.json", gains=None)
    [sentence] = answer_of(folder).sentences
    assert "cannot be told from means alone" in sentence


def test_the_price_of_a_variant_has_what_stored_answers_cost(folder: Path) -> None:
    price = answer_of(folder).facts[-1]
    assert price.value == "$0.6000\N{EN DASH}$1.20"
    assert price.note == "stored answers at what they cost; this run: 12 calls, $1.50"


def test_a_price_that_is_known_in_part_is_a_lower_bound(folder: Path) -> None:
    described = json.loads((folder / "experiment.json").read_text())
    described["rounds"]["titles"][0]["cost"] = {"usd": 0.5, "unknown": 1}
    change_json(folder / "experiment.json", rounds=described["rounds"])
    assert answer_of(folder).facts[-1].value == "at least $1.20"


def test_an_unknown_price_is_not_zero(folder: Path) -> None:
    described = json.loads((folder / "experiment.json").read_text())
    for report in (each for reports in described["rounds"].values() for each in reports):
        report["cost"] = report["reused_cost"] = {"usd": None, "unknown": 4}
    change_json(folder / "experiment.json", rounds=described["rounds"])
    assert answer_of(folder).facts[-1].value == "unknown"


def test_an_untrained_baseline_does_not_decide_where_something_is_trained(folder: Path) -> None:
    change_gains(folder, lambda gain: {"seeds": 0} if gain["baseline"] == "dcn" else {})
    assert "no enrichment is shown to help: of 2 comparisons" in answer_of(folder).sentences[0]
