"""The report's pictures: gains with their intervals, learning curves, AUC by length of history."""

import textwrap
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Final

import attrs
from markupsafe import Markup

from genre.report.answer import significant
from genre.report.formatting import METRIC_NAMES, plain, probability, shortened, signed, signed_interval
from genre.report.run_folder import Curve, Gain, Run, SegmentFigure
from genre.report.svg import COLORS, VARIANT_COLORS, inline
from genre.untrusted import harmless

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_WIDE: Final = 880
_NARROW: Final = 340
_SMALL: Final = (340, 220)
_SMALL_BOX: Final = (46, 36, 332, 210)
_TEXT: Final = 12.5
_LABEL: Final = 26
_DASHES: Final = ("-", (0, (4, 2)), (0, (1, 1.5)))


def _label(text: str) -> str:
    return shortened(harmless(text), _LABEL)


# -- gains ------------------------------------------------------------------------------------------------------------


@attrs.frozen
class _Layout:
    """Where the parts of a forest plot stand, in points: a wide one has all on one line, a narrow one on two."""

    width: int
    left: int
    right: int
    row: int
    head: int
    narrow: bool


_LAYOUTS: Final = (
    _Layout(_WIDE, left=196, right=552, row=25, head=30, narrow=False),
    _Layout(_NARROW, left=8, right=332, row=44, head=34, narrow=True),
)


def forest(gains: Sequence[Gain], run: Run, *, key: str, title: str) -> Markup:
    """Gains by baseline with their intervals, for wide pages and for phones; the page's style shows one of the two.

    Args:
        gains: at least one, of one metric.
    """
    best = max(gains, key=lambda each: each.difference)
    description = (
        f"Differences of {METRIC_NAMES[gains[0].metric]} to {gains[0].reference} with intervals, for "
        f"{len(gains)} pairs of variant and baseline. The largest is {signed(best.difference)}, of {best.variant} with "
        f"{best.baseline}. The table below has all of them."
    )
    plots = [
        Markup('<div class="{}">{}</div>').format(
            "narrow" if layout.narrow else "wide",
            inline(
                _forest(gains, run, layout),
                key=f"{key}-{'narrow' if layout.narrow else 'wide'}",
                title=harmless(title),
                description=harmless(description),
            ),
        )
        for layout in _LAYOUTS
    ]
    return Markup("\n").join(plots)


def _forest(gains: Sequence[Gain], run: Run, layout: _Layout) -> "Figure":
    groups: dict[str, list[Gain]] = {}
    for each in gains:
        groups.setdefault(each.baseline, []).append(each)
    body = len(groups) * layout.head + len(gains) * layout.row
    top, bottom = (0, 34) if layout.narrow else (22, 34)
    figure, axes = _empty((layout.width, top + body + bottom), (layout.left, bottom, layout.right, bottom + body))
    low = min(0.0, *(each.low for each in gains))
    high = max(0.0, *(each.high for each in gains))
    margin = 0.04 * (high - low) or 0.01
    axes.set(xlim=(low - margin, high + margin), ylim=(body, 0))
    axes.axvline(0, color=COLORS["muted"], lw=1)
    _signed_ticks(axes, most=5 if layout.narrow else 6)
    place, middles = 0.0, []
    for baseline, members in groups.items():
        _text(axes, layout, -layout.left, place + layout.head - 10, _label(baseline), bold=True)
        place += layout.head
        for each in members:
            _write_gain(axes, each, run, layout, place)
            middles.append(place + (33 if layout.narrow else layout.row / 2))
            place += layout.row
    _draw_gains(axes, [each for members in groups.values() for each in members], middles, run)
    if not layout.narrow:
        for where, heading in ((570, "difference"), (640, f"{run.level:.0%} interval"), (796, "p, Holm")):
            _text(axes, layout, where - layout.left, -8, heading, color="muted", size=11)
    return figure


def _draw_gains(axes: "Axes", gains: Sequence[Gain], middles: Sequence[float], run: Run) -> None:
    """What the run could show at all as pale bars, intervals, and differences; all of one look at once."""
    lower, upper = axes.get_xlim()
    effects = [run.detectable_effect(each) for each in gains]
    bands = [(middle, effect) for middle, effect in zip(middles, effects, strict=True) if effect is not None]
    axes.hlines(
        [middle for middle, _ in bands],
        [max(-effect, lower) for _, effect in bands],
        [min(effect, upper) for _, effect in bands],
        colors=COLORS["band"], lw=9, zorder=1, clip_on=False,
    )  # fmt: skip
    looks: dict[tuple[str, bool, bool], list[tuple[float, Gain]]] = {}
    for middle, each in zip(middles, gains, strict=True):
        looks.setdefault((*_look(each, run), each.leaked), []).append((middle, each))
    for (color, shown, leaked), members in looks.items():
        places = [middle for middle, _ in members]
        lows, highs = [each.low for _, each in members], [each.high for _, each in members]
        axes.hlines(
            places, lows, highs, colors=COLORS[color], lw=2, linestyles=":" if leaked else "-", zorder=2, clip_on=False
        )
        axes.plot(
            [each.difference for _, each in members], places, ls="none", zorder=3, clip_on=False,
            marker="X" if leaked else "o", ms=7, mew=1.8,
            color=COLORS[color], mfc=COLORS[color] if shown else COLORS["paper"],
        )  # fmt: skip


def _look(gain: Gain, run: Run) -> tuple[str, bool]:
    """Colour of a gain, and whether it counts as shown."""
    shown = significant(gain, run) and not gain.leaked
    return ("gain" if gain.difference > 0 else "loss") if shown else "muted", shown


def _write_gain(axes: "Axes", gain: Gain, run: Run, layout: _Layout, place: float) -> None:
    """The variant's name and the figures of one row."""
    _, shown = _look(gain, run)
    name, ink = (f"{_label(gain.variant)} (LEAKED)", "alarm") if gain.leaked else (_label(gain.variant), "ink")
    interval = signed_interval(gain.low, gain.high)
    if layout.narrow:
        _text(axes, layout, -layout.left, place + 16, name, color=ink)
        figures = f"{signed(gain.difference)} ({interval})"
        _text(axes, layout, layout.right - layout.left, place + 16, figures, right=True, bold=shown, size=11.5)
        return
    baseline = place + layout.row / 2 + 4.5
    _text(axes, layout, 14 - layout.left, baseline, name, color=ink)
    _text(axes, layout, 570 - layout.left, baseline, signed(gain.difference), bold=shown)
    _text(axes, layout, 640 - layout.left, baseline, interval, color="ink" if shown else "muted")
    _text(axes, layout, 796 - layout.left, baseline, probability(gain.p_holm), color="ink" if shown else "muted")


def _text(
    axes: "Axes",
    layout: _Layout,
    x: float,
    y: float,
    text: str,
    *,
    color: str = "ink",
    size: float = _TEXT,
    bold: bool = False,
    right: bool = False,
) -> None:
    """Text at `x` points from the axes' left edge, on the row at `y`."""
    ground = {"facecolor": COLORS["paper"], "edgecolor": "none", "pad": 1} if right else None  # over lines of the grid
    axes.text(
        x / (layout.right - layout.left), y, text, transform=axes.get_yaxis_transform(), color=COLORS[color],
        fontsize=size, fontweight="bold" if bold else "normal", ha="right" if right else "left", va="baseline",
        bbox=ground,
    )  # fmt: skip


# -- small multiples --------------------------------------------------------------------------------------------------


def learning_curves(curves: Sequence[Curve], run: Run, *, key: str, title: str) -> Markup:
    """The trainings of one baseline: each seed a thin line, the mean of the seeds that came so far a thick one."""
    figure, axes = _empty(_SMALL, _SMALL_BOX)
    metric = watched(curves, run)
    for variant, members in _by_variant(curves, run).items():
        color, dash = variant_style(run, variant)
        points: dict[int, list[float]] = {}
        for curve in members:
            values = [(each.epoch, each.metrics[metric] if metric else each.loss) for each in curve.epochs]
            axes.plot(*zip(*values, strict=True), color=color, lw=0.8, alpha=0.45, ls=dash)
            for epoch, value in values:
                points.setdefault(epoch, []).append(value)
        complete = [(epoch, sum(at) / len(at)) for epoch, at in sorted(points.items()) if len(at) == len(members)]
        marker = "o" if len(complete) == 1 else None
        axes.plot(*zip(*complete, strict=True), color=color, lw=2.2, ls=dash, marker=marker, ms=5)
    _whole_ticks(axes)
    _value_ticks(axes)
    shown = "loss" if metric is None else METRIC_NAMES.get(metric, metric)
    description = f"{shown} after each epoch, by variant. The table has each training at its best epoch."
    return inline(figure, key=key, title=harmless(title), description=harmless(description))


def watched(curves: Sequence[Curve], run: Run) -> str | None:
    """The metric that chose the best epoch, or else AUC, or the first that every epoch has; None for the loss."""
    named = [set(each.metrics) for curve in curves for each in curve.epochs]
    common = sorted(set.intersection(*named)) if named else []
    return next((each for each in (run.stop_metric, "auc") if each in common), next(iter(common), None))


def by_history(figures: Sequence[SegmentFigure], run: Run, *, key: str, title: str) -> Markup:
    """AUC of one baseline by length of history, with intervals where there are some."""
    figure, axes = _empty(_SMALL, _SMALL_BOX)
    segments = list(dict.fromkeys(each.segment for each in figures))
    variants = [each for each in run.variants if any(figure.variant == each for figure in figures)]
    for number, variant in enumerate(variants):
        color, _ = variant_style(run, variant)
        shift = 0.6 / len(variants) * (number - (len(variants) - 1) / 2)
        members = [each for each in figures if each.variant == variant and each.values["auc"] is not None]
        places = [segments.index(each.segment) + shift for each in members]
        values = [each.values["auc"] or 0.0 for each in members]
        for place, each in zip(places, members, strict=True):
            if each.auc_low is not None and each.auc_high is not None:
                axes.plot([place, place], [each.auc_low, each.auc_high], color=color, lw=1.2, alpha=0.5)
        axes.plot(places, values, color=color, ls="none", marker="o", ms=4.5)
    names = [textwrap.fill(shortened(harmless(each), 24), 9, max_lines=2, placeholder="…") for each in segments]
    axes.set_xticks(range(len(segments)), names)
    axes.set_xlim(-0.5, len(segments) - 0.5)
    _value_ticks(axes)
    description = "AUC by number of clicks in the reader's history, by variant. The table has the figures."
    return inline(figure, key=key, title=harmless(title), description=description)


def variant_style(run: Run, variant: str) -> tuple[str, "str | tuple[int, tuple[float, ...]]"]:
    """Colour and dash of a variant. The reference is in the colour of text; past eight others, dashes differ."""
    if variant == run.reference:
        return COLORS["ink"], "-"
    number = variant_number(run, variant)
    return COLORS[f"v{number % VARIANT_COLORS}"], _DASHES[number // VARIANT_COLORS % len(_DASHES)]


def variant_number(run: Run, variant: str) -> int:
    """Number of a variant's colour, from 0; the reference has none."""
    return [each for each in run.variants if each != run.reference].index(variant)


def _by_variant(curves: Sequence[Curve], run: Run) -> Mapping[str, list[Curve]]:
    members = {name: [each for each in curves if each.variant == name and each.epochs] for name in run.variants}
    return {name: each for name, each in members.items() if each}


# -- axes -------------------------------------------------------------------------------------------------------------


def _empty(size: tuple[float, float], box: tuple[float, float, float, float]) -> "tuple[Figure, Axes]":
    """A figure of so many points, with axes in the box (left, bottom, right, top), and no more lines than needed."""
    from matplotlib.figure import Figure

    width, height = size
    left, bottom, right, top = box
    figure = Figure(figsize=(width / 72, height / 72), dpi=72)
    axes = figure.add_axes((left / width, bottom / height, (right - left) / width, (top - bottom) / height))
    axes.patch.set_visible(False)
    figure.patch.set_visible(False)
    axes.spines[:].set_visible(False)
    axes.tick_params(length=0, labelsize=11, labelcolor=COLORS["muted"], pad=6)
    axes.set_axisbelow(True)
    return figure, axes


def _signed_ticks(axes: "Axes", most: int) -> None:
    from matplotlib.ticker import FuncFormatter, MaxNLocator

    axes.xaxis.set_major_locator(MaxNLocator(most, steps=[1, 2, 2.5, 5, 10]))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: signed(value, 3) if round(value, 9) else "0"))
    axes.grid(axis="x", color=COLORS["rule"], lw=0.8)
    axes.set_yticks([])


def _value_ticks(axes: "Axes") -> None:
    from matplotlib.ticker import FuncFormatter, MaxNLocator

    axes.yaxis.set_major_locator(MaxNLocator(4, steps=[1, 2, 2.5, 5, 10]))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: plain(value, 3)))
    axes.grid(axis="y", color=COLORS["rule"], lw=0.8)


def _whole_ticks(axes: "Axes") -> None:
    from matplotlib.ticker import MaxNLocator

    axes.xaxis.set_major_locator(MaxNLocator(6, integer=True))
