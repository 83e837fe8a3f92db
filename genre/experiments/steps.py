"""The steps of the command line as functions: import, enrich."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import cast

from genre.dataset import (
    Dataset,
    check_dataset_folder,
    load_dataset,
    read_vectors,
    save_dataset,
    split_impressions,
)
from genre.errors import UsageError
from genre.experiments.enrichment import Enriched, enrich_variants, rehearse_rounds
from genre.experiments.observer import Observer
from genre.experiments.plan import Halve
from genre.experiments.rounds import rounds_of_tasks
from genre.experiments.run_lock import run_lock
from genre.parts import RunPlan
from genre.registry import Registry
from genre.settings import Layer, Settings


def read_dataset(
    registry: Registry,
    reader: str,
    options: Mapping[str, object],
    *,
    vectors: Mapping[str, Path] | None = None,
    halve: Halve | None = None,
    path: Path | None = None,
) -> Dataset:
    """Read a data set with a registered reader.

    Args:
        reader: the reader's name, such as `mind`.
        options: its options.
        vectors: files of dense vectors of news, by field.
        halve: cut a split into two.
        path: the file that says the options and the vectors; relative paths in them refer to its folder.

    Raises:
        UsageError: no such reader, a wrong option, or files that are not as they should be.
    """
    cls = registry.options_class("dataset", reader)
    layer = Layer("experiment" if path else "command line", {"options": options}, path)
    located = Settings((layer,)).located(cls, "options") if cls else dict(options)
    where = f"{path}, dataset.options" if path else f"data set {reader}"
    dataset = cast(Dataset, registry.create("dataset", reader, located, where=where))
    for field, file in (vectors or {}).items():
        dataset = _with_vectors(dataset, field, (path.parent if path else Path()) / file)
    if halve is not None:
        dataset = split_impressions(dataset, split=halve.split, into=halve.into, share=halve.share, seed=halve.seed)
    return dataset


def import_dataset(
    registry: Registry,
    reader: str,
    options: Mapping[str, object],
    *,
    out: Path,
    vectors: Mapping[str, Path] | None = None,
    halve: Halve | None = None,
) -> Dataset:
    """Read a data set and save it in the folder `out`.

    Raises:
        UsageError: as `read_dataset`, there is no news or no impression in it, or it cannot be saved there.
    """
    dataset = read_dataset(registry, reader, options, vectors=vectors, halve=halve)
    for what, rows in (("news", dataset.news), ("impressions", dataset.impressions)):
        if rows.is_empty():
            raise UsageError(
                f"the reader {reader!r} found no {what}", remedy="see whether its options name the files that are meant"
            )
    save_dataset(dataset, out)
    return dataset


def _with_vectors(dataset: Dataset, field: str, path: Path) -> Dataset:
    ids, matrix = read_vectors(path)
    # Named without its folder, which differs between machines.
    grown = dataset.with_vectors(field, ids, matrix, source=path.name)
    if grown.vectors.height == dataset.vectors.height:
        raise UsageError(
            f"none of the {len(ids)} ids names a news of the data set (the first is {ids[0]!r})",
            where=path,
            remedy="take the vectors of these news",
        )
    return grown


def enrich_folder(
    registry: Registry,
    folder: Path,
    tasks: Sequence[str],
    *,
    out: Path,
    store: Path,
    generator: str | None = None,
    limit: int | None = None,
    options: Mapping[str, object] | None = None,
    observer: Observer | None = None,
    budget: float | None = None,
    executor: str | None = None,
    retry_quarantined: bool = False,
) -> Enriched:
    """Run tasks one after another over the data set in `folder`, and save the result in `out`.

    Args:
        options: go to each task that has them; `gates` goes to all.
        store: the answer store's file.
        budget: US dollars that the calls may cost; None for no limit.
        executor: where prompts are answered; None for the default of registry.toml.
        retry_quarantined: ask anew for what an earlier call with the same `out` left in quarantine; all else comes from
            the store. An answer that is replaced stays in the store, see `genre.generation.superseded`.

    Raises:
        UsageError: an unknown task, generator, executor or option, no quarantine to retry, or another call writes to
            `out`.
        RunVetoed: a plugin objects.
        RunError: a generator cannot go on; the same call goes on from there.
    """
    out = out.resolve()
    dataset = load_dataset(folder)
    rounds = rounds_of_tasks(registry, tasks, generator=generator, limit=limit, options=options)
    plan = RunPlan(name=out.name, rounds=[(out.name, each.task.name, each.generator_name) for each in rounds])
    registry.announce_plan(plan)
    rehearse_rounds(registry, dataset, {out.name: rounds}, executor=executor)
    check_dataset_folder(out)
    place = out.with_name(f"{out.name}-rounds")
    with run_lock(place):  # two calls would read each other's records
        enriched = enrich_variants(
            registry,
            dataset,
            {out.name: rounds},
            store=store,
            folder=place,
            observer=observer or Observer(),
            budget=budget,
            executor=executor,
            retry_quarantined=retry_quarantined,
        )[out.name]
        save_dataset(enriched.dataset, out)
    return enriched
