"""A run as one HTML page that needs nothing else: no network, no script, no other file."""

import functools
import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final

import attrs
import jinja2
from markupsafe import Markup

from genre.dataset import load_dataset
from genre.errors import UsageError
from genre.modeling.metrics import METRICS, SEGMENTS
from genre.report import formatting, plots, tables
from genre.report.answer import answer
from genre.report.changes import Changes, changes_of
from genre.report.examples import (
    ReaderExample,
    Rewritten,
    authors,
    changed_readers,
    chosen_readers,
    chosen_texts,
    rewritten_texts,
)
from genre.report.run_folder import Curve, Run, read_run
from genre.report.svg import VARIANT_COLORS, drawing
from genre.staging import check_place, staged_file
from genre.untrusted import harmless
from genre.version import __version__
from genre.wording import counted

REPORT: Final = "report.html"
_HERE: Final = Path(__file__).parent


def write_report(folder: Path | str, out: Path | str | None = None) -> Path:
    """Write the report of a run folder: one HTML file.

    Equal folders have equal reports, byte for byte.

    Args:
        folder: what `genre run` wrote.
        out: the file; by default `report.html` in the folder.

    Returns:
        The file.

    Raises:
        UsageError: there is no run folder, a file of it is damaged, matplotlib is not installed, or the report cannot
            be written there.
    """
    folder = Path(folder)
    path = folder / REPORT if out is None else Path(out)
    run = read_run(folder)
    check_place(path, "report")
    page = render(run)
    with staged_file(path, "report") as staging:
        staging.write_text(page, encoding="utf-8")
    return path


def render(run: Run) -> str:
    """The page of a run.

    Raises:
        UsageError: a file of the run folder is damaged, or matplotlib is not installed.
    """
    main = "test" if "test" in run.splits else run.splits[0]
    shown = _read_shown(run, main)
    with drawing():
        return (
            environment()
            .get_template("page.html.jinja")
            .render(
                run=run,
                main=main,
                answer=answer(run, main),
                described=_described(run, shown.counts),
                texts=chosen_texts(shown.texts),
                readers=chosen_readers(shown.readers),
                changes=shown.changes,
                problems=shown.problems,
                lineages=shown.lineages,
                experiment=_as_text(run.experiment),
                tables=tables,
                formatting=formatting,
                counted=counted,
                metrics=[name for name in METRICS if any(each.values[name] is not None for each in run.figures)],
                segments=SEGMENTS,
                pictures=_Pictures(run),
                style=Markup((_HERE / "report.css").read_text(encoding="utf-8")),  # noqa: S704  our own
                version=__version__,
            )
        )


# -- what the data sets show ------------------------------------------------------------------------------------------


@attrs.define(eq=False)
class _Shown:
    """What is shown of the data sets, which are read one after another: they may be large.

    Attributes:
        counts: those of the reference's data set.
        lineages: variant, fingerprint and steps of each.
        problems: why some of it is missing.
    """

    counts: Mapping[str, int | float] = attrs.field(factory=dict)
    texts: list[Sequence[Rewritten]] = attrs.field(factory=list)
    readers: list[Sequence[ReaderExample]] = attrs.field(factory=list)
    changes: Sequence[Changes] = ()
    lineages: list[tuple[str, str, list[str]]] = attrs.field(factory=list)
    problems: list[str] = attrs.field(factory=list)


def _read_shown(run: Run, split: str) -> _Shown:
    shown = _Shown()
    for variant in run.variants:
        if variant not in run.datasets:
            shown.problems.append(f"The folder does not keep the data set of {variant}.")
            continue
        try:
            dataset = load_dataset(run.datasets[variant])
        except UsageError as error:
            shown.problems.append(f"The data set of {variant} cannot be shown: {error.message}.")
            continue
        shown.texts.append(rewritten_texts(variant, dataset))
        shown.readers.append(changed_readers(variant, dataset))
        steps = [f"{step.operation}: {_as_line(step.details)}" for step in dataset.lineage]
        shown.lineages.append((variant, dataset.fingerprint, steps))
        if variant == run.reference:
            shown.counts = dataset.stats()
            shown.changes = changes_of(run, split, dataset)
    return shown


def _as_line(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)


def _as_text(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, indent=2)


def _described(run: Run, counts: Mapping[str, int | float]) -> list[tuple[str, str]]:
    """What the run was, in a few words each; what the folder does not tell is left out."""
    spec = run.experiment.get("dataset")
    reader = spec.get("reader") if isinstance(spec, Mapping) else None
    seeds = sorted({curve.seed for curve in run.curves})
    sizes = {split: tables.sizes(run, split) for split in run.splits}
    news = counts.get("news")
    found = [
        ("Data set", reader if isinstance(reader, str) else ""),
        ("News", f"{news:,}" if news else ""),
        ("Readers", f"{counts['readers']:,} ({counts['new_readers']:,} new)" if news else ""),
        (
            "Impressions",
            "; ".join(
                f"{split} {of.get('all', 0):,} ({of.get('new', 0):,} of new readers)" for split, of in sizes.items()
            ),
        ),
        ("Seeds", ", ".join(map(str, seeds))),
        ("Baselines", ", ".join(run.trained) or "none trained"),
        ("Variants", ", ".join(run.variants)),
    ]
    return [(term, text) for term, text in found if text]


# -- pictures ---------------------------------------------------------------------------------------------------------


@attrs.define(eq=False)
class _Pictures:
    """Draws what the page asks for; each picture has ids of its own."""

    run: Run
    _count: int = 0

    def _key(self) -> str:
        self._count += 1
        return f"p{self._count}"

    def forest(self, split: str, segment: str, metric: str) -> Markup:
        """Gains of a metric."""
        gains = self.run.gains_of(split, segment, metric)
        title = f"Gains in {formatting.METRIC_NAMES.get(metric, metric)} on {split}, {formatting.READERS[segment]}"
        return plots.forest(gains, self.run, key=self._key(), title=title)

    def curves(self, baseline: str) -> Markup:
        """The trainings of a baseline."""
        title = f"Learning curves of {baseline}"
        return plots.learning_curves(self.curves_of(baseline), self.run, key=self._key(), title=title)

    def curves_of(self, baseline: str) -> list[Curve]:
        """The trainings of a baseline that have an epoch, in the order of the variants."""
        curves = [each for each in self.run.curves if each.baseline == baseline and each.epochs]
        return sorted(curves, key=lambda each: (self.run.variants.index(each.variant), each.seed))

    def watched(self, baseline: str) -> str:
        """What its curves are of."""
        metric = plots.watched(self.curves_of(baseline), self.run)
        return "loss" if metric is None else formatting.METRIC_NAMES.get(metric, metric)

    def history(self, split: str, baseline: str) -> Markup:
        """AUC by length of history."""
        rows = [
            each
            for each in self.run.segments or ()
            if (each.split, each.baseline, each.by) == (split, baseline, "history")
        ]
        return plots.by_history(rows, self.run, key=self._key(), title=f"AUC of {baseline} by length of history")

    def legend(self) -> Iterator[tuple[str, str]]:
        """Each variant with the class of its colour."""
        for variant in self.run.variants:
            reference = variant == self.run.reference
            number = None if reference else plots.variant_number(self.run, variant)
            dash = "" if number is None else f" d{min(number // VARIANT_COLORS, 2)}"
            yield variant, "ink" if number is None else f"v{number % VARIANT_COLORS}{dash}"


# -- jinja ------------------------------------------------------------------------------------------------------------


@functools.cache
def environment() -> jinja2.Environment:
    """Every value is made harmless and escaped on its way into the page, whichever template shows it."""
    made = jinja2.Environment(
        loader=jinja2.FileSystemLoader(_HERE),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        finalize=_finalize,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters["metric"] = lambda name: formatting.METRIC_NAMES.get(name, name)
    made.filters["readers"] = lambda segment: formatting.READERS[segment]
    made.filters["authors"] = authors
    made.filters["brief"] = lambda model: formatting.shortened(model, 40)
    made.filters["quoted"] = lambda title: f"“{formatting.shortened(title, 90)}”"
    made.tests["compared"] = lambda metric, run, split: bool(run.gains_of(split, "all", metric))
    made.tests["compared_readers"] = lambda segment, run, split: bool(run.gains_of(split, segment))
    return made


def _finalize(value: object) -> object:
    return value if isinstance(value, Markup) else "\n".join(harmless(line) for line in str(value).split("\n"))
