"""The answer that a run gives, in sentences that its figures decide."""

from collections.abc import Iterator, Sequence

import attrs

from genre.generation.costs import Cost, money
from genre.report.formatting import HOLM, NONE, probability, signed, signed_interval
from genre.report.run_folder import Gain, Run
from genre.wording import counted, listed


@attrs.frozen
class Fact:
    """One figure of the answer, with what it is and what belongs to it."""

    label: str
    value: str
    note: str


@attrs.frozen
class Answer:
    """What a run says of its enrichments, by AUC on one split."""

    sentences: tuple[str, ...]
    facts: tuple[Fact, ...]


def answer(run: Run, split: str) -> Answer:
    """The answer for a split."""
    gains = _claimable(run, split, "all")
    if not gains:
        return Answer((_why_not(run, split),), (_price(run),))
    sentences = (
        *_shown_to_help(gains, split, run),
        _largest(gains, run),
        *_not_told_apart(gains, run),
        *_for_whom(run, split),
    )
    return Answer(sentences, tuple(_facts(gains, run, split)))


def _claimable(run: Run, split: str, segment: str) -> list[Gain]:
    """Gains in AUC that have a say. Leaked variants have none: a gain measured there is no gain."""
    return [each for each in run.gains_of(split, segment) if not each.leaked]


def significant(gain: Gain, run: Run) -> bool:
    """Whether a difference stands after Holm's correction; without one, nothing does."""
    return gain.p_holm is not None and gain.p_holm < 1 - run.level - 1e-12


def name(gain: Gain) -> str:
    """What a gain is of, in a sentence."""
    return f"{gain.variant} with {gain.baseline}"


def _why_not(run: Run, split: str) -> str:
    if len(run.variants) == 1:
        return f"This run has one variant, {run.variants[0]}: there is nothing to compare it with."
    if run.gains is None:
        return (
            "The folder's summary compares no variants with each other: it was written by an earlier version. "
            "Whether an enrichment helps cannot be told from means alone."
        )
    return f"On {split} there is no comparison that could tell whether an enrichment helps."


def _shown_to_help(gains: Sequence[Gain], split: str, run: Run) -> Iterator[str]:
    shown = sorted((each for each in gains if significant(each, run)), key=lambda each: -each.difference)
    helps = [name(each) for each in shown if each.difference > 0]
    harms = [name(each) for each in reversed(shown) if each.difference < 0]
    against = f"{counted(len(gains), 'comparison')} with {gains[0].reference}"
    if not helps:
        yield f"On {split}, no enrichment is shown to help: of {against}, no gain in AUC stands after {HOLM}."
    else:
        yield (
            f"On {split}, {listed(helps)} {'gains' if len(helps) == 1 else 'gain'} in AUC over {gains[0].reference}: "
            f"{len(helps)} of {counted(len(gains), 'comparison')} "
            f"{'stands' if len(helps) == 1 else 'stand'} after {HOLM}."
        )
    if harms:
        yield f"{listed(harms)} {'loses' if len(harms) == 1 else 'lose'} significantly."


def _largest(gains: Sequence[Gain], run: Run) -> str:
    best = max(gains, key=lambda each: each.difference)
    figures = f"{signed(best.difference)} ({run.level:.0%} interval {signed_interval(best.low, best.high)})"
    if best.difference <= 0:
        return f"Nothing measured above {best.reference}; nearest comes {name(best)}, {figures}."
    verdict = "cannot be told from no gain"
    if significant(best, run):
        verdict = "is significant"
    elif best.low > 0:
        verdict = "looks like one by itself, but does not stand among all comparisons"
    return f"The largest gain measured, {name(best)}, is {figures}, which {verdict}."


def _not_told_apart(gains: Sequence[Gain], run: Run) -> Iterator[str]:
    unclear = [each for each in gains if not significant(each, run)]
    if not unclear:
        return
    found = f"{len(unclear)} of {counted(len(gains), 'comparison')} could not be told apart from no effect"
    yield f"{found}."
    if effects := [effect for each in gains if (effect := run.detectable_effect(each)) is not None]:
        raised = [
            *(["chance between seeds"] if any(each.seeds for each in gains) else []),
            *([HOLM] if len(gains) > 1 else []),
        ]
        verb = "makes" if len(raised) == 1 else "make"
        yield (
            f"A single comparison of so many users sees a difference of about {_range(effects)} four times in five"
            f"{f'; {listed(raised)} {verb} it larger' if raised else ''}."
        )


def _for_whom(run: Run, split: str) -> Iterator[str]:
    """Which of new and warm readers gain; nothing where one of the two was not measured."""
    measured = [_claimable(run, split, segment) for segment in ("new", "warm")]
    if not all(measured):
        return
    new, warm = (
        listed([name(each) for each in gains if significant(each, run) and each.difference > 0]) for gains in measured
    )
    if new and warm:
        yield f"New readers are shown to gain by {new}; warm readers by {warm}."
    elif new or warm:
        yield f"Only {'new' if new else 'warm'} readers are shown to gain, by {new or warm}."
    else:
        yield "Neither new nor warm readers by themselves are shown to gain."


def _facts(gains: Sequence[Gain], run: Run, split: str) -> Iterator[Fact]:
    best = max(gains, key=lambda each: each.difference)
    yield Fact(
        "Largest gain in AUC",
        signed(best.difference),
        f"{name(best)}; {signed_interval(best.low, best.high)}; Holm p {probability(best.p_holm)}",
    )
    helps = sum(significant(each, run) and each.difference > 0 for each in gains)
    yield Fact("Significant gains", f"{helps} of {len(gains)}", f"all readers, after {HOLM}")
    if new := _claimable(run, split, "new"):
        first = max(new, key=lambda each: each.difference)
        note = f"{name(first)}; {signed_interval(first.low, first.high)}; Holm p {probability(first.p_holm)}"
        yield Fact("Largest gain, new readers", signed(first.difference), note)
    if effects := [effect for each in gains if (effect := run.detectable_effect(each)) is not None]:
        note = f"difference of AUC, 80 % power, by users alone: before chance between seeds, and {HOLM}"
        yield Fact("Smallest effect, at best", _range(effects, between=NONE), note)
    yield _price(run)


def _price(run: Run) -> Fact:
    """What it takes to make one variant: with what stored answers cost when they were paid, or a second run is free."""
    label = "Price of a variant"
    rounds = {variant: reports for variant, reports in run.rounds.items() if reports}
    if not rounds:
        return Fact(label, NONE, "no round is told of in this folder")
    prices = [
        Cost.sum(cost for each in reports for cost in (each.cost, each.reused_cost)) for reports in rounds.values()
    ]
    low, high = money(min(prices, key=_known)), money(max(prices, key=_known))
    if any(each.unknown for each in prices):
        value = money(Cost(max(map(_known, prices)) or None, 1))
    else:
        value = low if low == high else f"{low}{NONE}{high}"
    every = [each for reports in rounds.values() for each in reports]
    calls, paid = counted(sum(each.calls for each in every), "call"), money(Cost.sum(each.cost for each in every))
    return Fact(label, value, f"stored answers at what they cost; this run: {calls}, {paid}")


def _known(cost: Cost) -> float:
    return cost.usd or 0.0


def _range(effects: Sequence[float], between: str = " to ") -> str:
    low, high = f"{min(effects):.3f}", f"{max(effects):.3f}"
    return low if low == high else f"{low}{between}{high}"
