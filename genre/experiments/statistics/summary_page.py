"""`summary.md`: a run's statistics for people."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final

from genre.experiments.statistics.bootstrap import LEVEL
from genre.experiments.statistics.gains import Comparison, Gain
from genre.experiments.statistics.summary import Summary
from genre.modeling.metrics import METRICS
from genre.untrusted import harmless

Row = Mapping[str, object]

_INTRODUCTION: Final = (
    f"Means over the seeds. In brackets: {LEVEL:.0%} bootstrap intervals over users, each with all of its impressions. "
    "Those of differences also hold what other seeds may give; those of single figures are of these trained models."
)
_BEYOND: Final = (
    ("diversity", "diversity"),
    ("category_diversity", "of categories"),
    ("coverage", "coverage"),
    ("category_coverage", "of categories"),
    ("novelty", "novelty (bits)"),
    ("personalisation", "personalisation"),
    ("inter_list_distance", "inter-list distance"),
    ("gini", "Gini"),
)


def as_markdown(name: str, summary: Summary) -> str:
    """The summary for people: warnings, then tables and findings for each split."""
    lines = [f"# {name}", "", _INTRODUCTION]
    if summary.warnings:
        lines += ["", "## Warnings", "", *(f"- {_safe(each)}" for each in summary.warnings)]
    for split in dict.fromkeys(str(row["split"]) for row in summary.rows):
        lines += ["", f"## {split}", ""]
        lines += _table(
            ("variant", "baseline", "readers", "auc", "interval", *METRICS[1:], "impressions", "seeds"),
            (_figures(row) for row in summary.rows if row["split"] == split),
        )
        lines += _gains(split, [gain for gain in summary.gains if gain.split == split])
        lines += _findings([each for each in summary.comparisons if each.split == split])
        lines += _segments([row for row in summary.segments if row["split"] == split])
        lines += _beyond([row for row in summary.beyond if row["split"] == split])
    return "\n".join(lines) + "\n"


def _gains(split: str, gains: Sequence[Gain]) -> Iterator[str]:
    if not gains:
        return
    counts = {gain.segment == "all": gain.family for gain in gains if gain.metric == METRICS[0]}
    yield from ("", f"### Gains over {gains[0].reference} on {split}", "")
    yield (
        "p: paired sign-flip test over users and seeds; Holm: p adjusted for all variants and trained baselines at "
        f"once, for each metric on this split ({counts.get(True, 0)} comparisons over all readers, and a family of "
        f"their own for new and warm ones, {counts.get(False, 0)}); untrained baselines and leaked variants are in "
        "none. Bold: significant at 5 % after that. Detectable: the smallest true difference that a test over so many "
        "users finds with a power of 80 %, by users alone: chance between seeds makes it larger."
    )
    yield ""
    yield from _table(
        ("variant", "baseline", "readers", "AUC gain", "interval", "p", "Holm", "detectable", "impressions", "users"),
        (_gain(gain) for gain in gains if gain.metric == METRICS[0] and not gain.equal),
    )
    equal = dict.fromkeys(f"{gain.baseline} ({gain.variant})" for gain in gains if _is_equal(gain))
    if equal:
        yield from ("", f"No difference for any user: {', '.join(equal)}.")
    others: dict[tuple[str, str], dict[str, Gain]] = {}
    for gain in gains:
        if gain.segment == "all" and gain.metric != METRICS[0] and not gain.equal:
            others.setdefault((_variant(gain), gain.baseline), {})[gain.metric] = gain
    yield from ("", "Other metrics, over all readers:", "")
    yield from _table(
        ("variant", "baseline", *(text for name in METRICS[1:] for text in (name, "Holm"))),
        (
            [*place, *(text for name in METRICS[1:] for text in _difference_and_p(of.get(name)))]
            for place, of in others.items()
        ),
    )


def _gain(gain: Gain) -> list[str]:
    return [
        _variant(gain),
        gain.baseline,
        gain.segment,
        _difference(gain),
        f"[{gain.difference.low:+.4f}, {gain.difference.high:+.4f}]",
        _p(gain.p),
        _p(gain.p_holm),
        "-" if gain.effect is None else f"{gain.effect:.4f}",
        f"{gain.impressions:,}",
        f"{gain.users:,}",
    ]


def _findings(comparisons: Sequence[Comparison]) -> Iterator[str]:
    for variant in dict.fromkeys(each.variant for each in comparisons):
        found = [each for each in comparisons if each.variant == variant]
        mark = " (leaked)" if found[0].leaked else ""
        yield from ("", f"{variant}{mark}, AUC over all readers:", "")
        yield from (f"- {each.sentence}" for each in sorted(found, key=lambda each: not each.told_apart))


def _segments(rows: Sequence[Row]) -> Iterator[str]:
    titles = {
        "history": "AUC by clicks in the original history",
        "category": "AUC by category of what was clicked",
        "popularity": "AUC by train clicks of what was clicked",
    }
    for by in dict.fromkeys(str(row["by"]) for row in rows):
        of_kind = [row for row in rows if row["by"] == by]
        variants = list(dict.fromkeys(str(row["variant"]) for row in of_kind))
        places: dict[tuple[str, str, str], dict[str, str]] = {}
        for row in of_kind:
            place = str(row["segment"]), f"{row['impressions']:,}", str(row["baseline"])
            places.setdefault(place, {})[str(row["variant"])] = _number(row["auc"])
        yield from ("", f"### {titles.get(by, by)}", "")
        yield from _table(
            (by, "impressions", "baseline", *variants),
            ([*place, *(auc.get(variant, "-") for variant in variants)] for place, auc in places.items()),
        )


def _beyond(rows: Sequence[Row]) -> Iterator[str]:
    for k in dict.fromkeys(row["k"] for row in rows):
        of_k = [row for row in rows if row["k"] == k]
        shown, total, pairs = (of_k[0][name] for name in ("impressions", "of", "pairs"))
        yield from ("", f"### Beyond accuracy, the first {k}", "")
        yield f"{shown:,} of {total:,} impressions have more than {k} candidates; {pairs:,} pairs share more than {k}."
        yield ""
        yield from _table(
            ("variant", "baseline", *(title for _, title in _BEYOND)),
            (
                [str(row["variant"]), str(row["baseline"]), *(_number(row[name], digits=3) for name, _ in _BEYOND)]
                for row in of_k
            ),
        )


def _figures(row: Row) -> list[str]:
    variant = f"{row['variant']} (leaked)" if row["leaked"] else str(row["variant"])
    figures = [_number(row[name]) for name in METRICS]
    low, high = row["auc_low"], row["auc_high"]
    interval = f"[{low:.4f}, {high:.4f}]" if low is not None else "-"
    counts = (f"{row['impressions']:,}", str(row["seeds"] or "-"))
    return [variant, str(row["baseline"]), str(row["segment"]), figures[0], interval, *figures[1:], *counts]


def _variant(gain: Gain) -> str:
    return f"{gain.variant} (leaked)" if gain.leaked else gain.variant


def _difference(gain: Gain) -> str:
    text = f"{gain.difference.mean:+.4f}"
    return f"**{text}**" if gain.is_significant else text


def _difference_and_p(gain: Gain | None) -> tuple[str, str]:
    return ("0", "-") if gain is None else (_difference(gain), _p(gain.p_holm))


def _is_equal(gain: Gain) -> bool:
    return gain.equal and gain.segment == "all" and gain.metric == METRICS[0]


def _p(value: float | None) -> str:
    if value is None:
        return "-"
    return "< 0.001" if value < 0.001 else f"{value:.3f}"


def _number(value: object, digits: int = 4) -> str:
    return f"{value:.{digits}f}" if isinstance(value, float) else "-"


def _table(head: Sequence[str], body: Iterable[list[str]]) -> Iterator[str]:
    yield _line(head)
    yield _line(["---"] * len(head))
    yield from (_line([_safe(cell) for cell in cells]) for cells in body)


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _safe(text: str) -> str:
    """Names of categories are data: what would end a cell, begin HTML or a link, or move a terminal is escaped."""
    said = harmless(" ".join(text.split())).replace("\\", "\\\\").replace("|", "\\|").replace("<", "&lt;")
    return said.replace("](", "]\\(")
