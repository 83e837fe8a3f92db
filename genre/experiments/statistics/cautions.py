"""Warnings beside a run's figures: what a careful reader would ask about them."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final

import numpy as np

from genre.experiments.results import Cell
from genre.experiments.statistics.description import RunDescription, read_cell
from genre.experiments.statistics.figures import SplitFigures
from genre.experiments.statistics.gains import AUC
from genre.modeling.untrained import UNTRAINED
from genre.wording import listed

FEW_SEEDS: Final = 3
_SAID: Final = {
    "fields": "fields of the news",
    "tokenizers": "fields with a tokenizer of the model's own",
    "word_vectors": "pre-trained word vectors",
    "pretrained": "pre-trained weights",
    "history_length": "length of the history",
    "user_ids": "ids of users",
}
"""Inputs that should not differ between baselines. Whether interests are fused is the variant's matter."""


def run_warnings(folder: Path, figures: Sequence[SplitFigures], description: RunDescription | None) -> Iterator[str]:
    """Warnings of a run, one sentence or two each.

    Raises:
        UsageError: the `result.json` of some cell is damaged.
    """
    trained = {
        (variant, baseline): [Cell(variant, baseline, seed) for seed in cell.seeds]
        for split in figures[:1]
        for (variant, baseline), cell in split.cells.items()
        if cell.seeds
    }
    yield from _of_leaks(figures)
    yield from _of_seeds(trained)
    if description is not None:
        yield from _of_lengths(description)
        yield from _of_unread(figures, description)
    told = {cell: read_cell(folder, cell) for cells in trained.values() for cell in cells}
    yield from _of_inputs({cell: inputs for cell, (_, inputs) in told.items() if inputs})
    last = [cell.name for cell, (epochs, _) in told.items() if epochs and epochs.still_improved]
    if last:
        yield f"The last epoch was the best of {listed(last)}: with more epochs (`training.epochs`) it may get better."
    yield from _of_untrained(figures)


def _of_leaks(figures: Sequence[SplitFigures]) -> Iterator[str]:
    leaked = dict.fromkeys(name for split in figures for (name, _), cell in split.cells.items() if cell.leaked)
    if leaked:
        yield (
            f"Answers of {listed(list(leaked))} were made from more than the prompts say, and may know what was "
            "clicked. A gain measured there is no gain."
        )


def _of_seeds(trained: Mapping[tuple[str, str], Sequence[Cell]]) -> Iterator[str]:
    fewest = min((len(cells) for cells in trained.values()), default=FEW_SEEDS)
    if fewest == 1:
        yield (
            "There is one seed: intervals and p-values are about these trained models. Training again gives other "
            f"figures, by how much nothing here tells; train {FEW_SEEDS} seeds or more."
        )
    elif fewest < FEW_SEEDS:
        yield (
            f"There are {fewest} seeds: what other seeds would give is hardly known, which makes intervals wide and "
            f"p-values large; train {FEW_SEEDS} or more."
        )


def _of_lengths(description: RunDescription) -> Iterator[str]:
    texts = description.features.texts
    for field in texts:
        kept = {each.name: each.lengths.get(field, texts[field]) for each in description.variants}
        if len(set(kept.values())) > 1:
            said = ", ".join(f"{name} {length}" for name, length in kept.items())
            yield f"Variants keep different numbers of tokens of `{field}`: {said}. A gain may come from longer texts."


def _of_unread(figures: Sequence[SplitFigures], description: RunDescription) -> Iterator[str]:
    """Variants with rounds whose models rank every impression as those of a variant without any."""
    enriched = [each.name for each in description.variants if each.rounds]
    unread = [name for name in enriched if any(_same_cells(figures, name, plain) for plain in description.plain)]
    if unread:
        yield (
            f"Every figure of {listed(unread)} is that of a variant without rounds: models seem not to read what the "
            "rounds wrote. Readers' interests are read by a variant with `fusion = true`, rewritten texts by one whose "
            "`texts` are not `original`."
        )


def _same_cells(figures: Sequence[SplitFigures], variant: str, plain: str) -> bool:
    pairs = [
        (cell, split.cells[plain, baseline])
        for split in figures
        for (name, baseline), cell in split.cells.items()
        if name == variant and cell.seeds and len(cell.metrics) and (plain, baseline) in split.cells
    ]
    return bool(pairs) and all(
        cell.seeds == other.seeds and np.array_equal(cell.metrics, other.metrics) for cell, other in pairs
    )


def _of_inputs(inputs: Mapping[Cell, Mapping[str, object]]) -> Iterator[str]:
    """Where baselines on the same variant are given different things; told once."""
    for key, said in _SAID.items():
        for variant in dict.fromkeys(cell.variant for cell in inputs):
            given: dict[str, list[str]] = {}
            for cell, each in inputs.items():
                if cell.variant == variant and key in each:
                    names = given.setdefault(_shown(each[key]), [])
                    names += [cell.baseline] if cell.baseline not in names else []
            if len(given) > 1:
                sides = "; ".join(f"{', '.join(names)}: {value}" for value, names in given.items())
                yield f"Baselines see different inputs, {said}: {sides}. Compare each with itself across variants."
                break


def _of_untrained(figures: Sequence[SplitFigures]) -> Iterator[str]:
    for split in figures:
        if not len(split.impressions):
            continue
        auc = {place: float(cell.metrics[:, AUC].mean()) for place, cell in split.cells.items()}
        for untrained in UNTRAINED:
            beaten = [
                f"{baseline} on {variant} ({value:.4f} against {auc[variant, untrained]:.4f})"
                for (variant, baseline), value in auc.items()
                if split.cells[variant, baseline].seeds and value < auc.get((variant, untrained), 0.0)
            ]
            if beaten:
                yield f"On {split.split}, {untrained}, which is not trained, has a higher AUC than {listed(beaten)}."


def _shown(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, Mapping):
        return ", ".join(f"{name} ({length})" for name, length in value.items()) or "none"
    if isinstance(value, list):
        return ", ".join(map(str, value)) or "none"
    return str(value)
