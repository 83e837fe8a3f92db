"""A whole run: variants are enriched, every cell is trained and evaluated, and results and a summary are written."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

import attrs

from genre.dataset import Dataset, check_dataset_folder, save_dataset
from genre.errors import UsageError, nearest
from genre.experiments.cells import CellJob, find_job_executor, run_cell, run_cells_at_once
from genre.experiments.enrichment import enrich_variants, rehearse_rounds
from genre.experiments.models import (
    CellPlan,
    build_model,
    check_override,
    overridden,
    overridden_training,
    releases,
)
from genre.experiments.observer import Announcer, Observer
from genre.experiments.plan import BaselineOverride, Experiment, VariantSpec, load_experiment, registry_under
from genre.experiments.results import (
    EXPERIMENT_JSON,
    RESULTS_JSON,
    Cell,
    UntrainedCell,
    finished_cell,
    impressions_file,
    result_rows,
    write_json,
)
from genre.experiments.rounds import rounds_of_experiment
from genre.experiments.run_lock import run_lock
from genre.experiments.statistics.summary_files import write_summary
from genre.experiments.steps import read_dataset
from genre.experiments.tracking import find_trackers, make_trackers, tracked
from genre.generation import PreparedRound, RoundReport
from genre.generation.instances import Instance
from genre.modeling import FeatureSettings, TrainingSettings, summarize
from genre.modeling.devices import chosen_device
from genre.modeling.untrained import evaluate_untrained, news_documents, train_clicks
from genre.parts import Baseline, CellFinished, Kind, RunFinished, RunPlan, TrackedRun
from genre.registry import Registry
from genre.settings import read_toml
from genre.staging import staged_file

QUICKSTART: Final = Path(__file__).with_name("quickstart.toml")
RUNS: Final = Path("runs")


@attrs.frozen(eq=False)
class RunResult:
    """What a run came to.

    Attributes:
        folder: the run folder.
        rows: the rows of `results.json`.
        rounds: what each round of each variant did.
        reused_cells: cells that were finished before and not trained again.
    """

    folder: Path
    rows: Sequence[Mapping[str, object]]
    rounds: Mapping[str, Sequence[RoundReport]]
    reused_cells: int


@attrs.frozen(eq=False)
class _Plan:
    """An experiment whose every name and option was looked up."""

    experiment: Experiment
    registry: Registry
    rounds: Mapping[str, Sequence[PreparedRound]]
    baselines: Mapping[str, tuple[Baseline, TrainingSettings]]
    trackers: Mapping[str, Instance]

    def features(self, variant: VariantSpec) -> FeatureSettings:
        """What the variant's encoders see."""
        features = self.experiment.features
        return attrs.evolve(features, text_version=variant.texts, texts={**features.texts, **variant.lengths})

    def cells(self, variant: VariantSpec) -> list[CellPlan]:
        """The trainings of a variant: every baseline with every seed."""
        features = self.features(variant)
        return [
            CellPlan(
                cell=Cell(variant.name, name, seed),
                baseline=baseline,
                features=features,
                training=training,
                fusion=variant.fusion,
                report=self.experiment.report,
                releases=releases(self.registry, baseline),
            )
            for name, (baseline, training) in self.baselines.items()
            if variant.baselines is None or name in variant.baselines
            for seed in self.experiment.seeds
        ]


def run_experiment(
    experiment: Experiment,
    registry: Registry,
    *,
    folder: Path | None = None,
    store: Path,
    cache: Path | None = None,
    observer: Observer | None = None,
    budget: float | None = None,
    executor: str | None = None,
    jobs: int = 1,
    trackers: Sequence[str] = (),
) -> RunResult:
    """Run an experiment. Called again, it makes no call that was answered and trains no cell that was finished.

    Args:
        folder: the run folder; default `runs/NAME`.
        store: the answer store's file.
        cache: folder for prepared features.
        budget: US dollars that the calls may cost; None for no limit.
        executor: where prompts are answered, and cells run if several run at once; None for the default of
            registry.toml.
        jobs: cells that run at once, each in a process of its own; 1 for one after the other, in this process. A script
            that asks for more has to guard its own call by `if __name__ == "__main__"`.
        trackers: names of where figures are shown, beside those of the experiment.

    Raises:
        UsageError: something in the experiment is wrong, or another run writes into the folder; told before the first
            call.
        RunVetoed: a plugin objects, before the first call.
        RunError: a generator cannot go on, a training diverged, or a tracker failed. The same call goes on from there.
    """
    folder = folder or RUNS / experiment.name
    plan = _plan(experiment, registry, trackers)
    if jobs > 1:
        find_job_executor(plan.registry, executor)  # told before the first call
    planned = RunPlan(
        name=experiment.name,
        rounds=[
            (variant, each.task.name, each.generator_name) for variant, rounds in plan.rounds.items() for each in rounds
        ],
        baselines=experiment.baselines,
        seeds=experiment.seeds,
        experiment=experiment.described(),
    )
    plan.registry.announce_plan(planned)
    spec = experiment.dataset
    dataset = read_dataset(
        plan.registry, spec.reader, spec.options, vectors=spec.vectors, halve=spec.halve, path=experiment.path
    )
    _check_splits(plan, dataset)
    rehearse_rounds(plan.registry, dataset, plan.rounds, executor=executor)
    made = make_trackers(plan.registry, plan.trackers, TrackedRun(experiment.name, folder))
    _rehearse(plan, dataset, cache)
    for variant in experiment.variants:
        check_dataset_folder(folder / "datasets" / variant.name)
    with run_lock(folder), tracked(made, planned, observer or Observer()) as watcher:
        return _run(
            plan, dataset, folder, store, watcher=watcher, cache=cache, budget=budget, executor=executor, jobs=jobs
        )


def _run(
    plan: _Plan,
    dataset: Dataset,
    folder: Path,
    store: Path,
    *,
    watcher: Observer,
    cache: Path | None,
    budget: float | None,
    executor: str | None,
    jobs: int,
) -> RunResult:
    """Everything that takes long and leaves something on disk."""
    experiment = plan.experiment
    enriched = enrich_variants(
        plan.registry,
        dataset,
        plan.rounds,
        store=store,
        folder=folder / "rounds",
        observer=watcher,
        budget=budget,
        executor=executor,
    )
    datasets = {name: each.dataset for name, each in enriched.items()}
    rows, reused = _run_cells(plan, datasets, folder, cache=cache, observer=watcher, at_once=jobs, executor=executor)
    reports = {name: each.reports for name, each in enriched.items()}
    write_json(folder / EXPERIMENT_JSON, _describe(experiment, reports))
    write_json(folder / RESULTS_JSON, {"rows": rows})
    write_summary(folder, experiment.name, rows)
    finished = RunFinished(experiment.name, folder, rows)
    plan.registry.announce("genre_run_finished", event=finished)
    watcher.on_finished(finished)
    return RunResult(folder, rows, reports, reused)


def quickstart(
    registry: Registry,
    *,
    folder: Path | None = None,
    store: Path,
    cache: Path | None = None,
    changes: Sequence[str] = (),
    observer: Observer | None = None,
    generator: str | None = None,
) -> RunResult:
    """The experiment of the README: the sample, each of the paper's enrichments, NRMS and DCN.

    Args:
        generator: the instance of `[generators.NAME]` that answers in every round; by default the one that
            registry.toml gives each task, which is the embedded LLM unless somebody says otherwise.
    """
    experiment = load_experiment(QUICKSTART, changes)
    if generator is not None:
        experiment = attrs.evolve(
            experiment, variants=tuple(_answered_by(generator, variant) for variant in experiment.variants)
        )
    return run_experiment(experiment, registry, folder=folder, store=store, cache=cache, observer=observer)


def _answered_by(generator: str, variant: VariantSpec) -> VariantSpec:
    return attrs.evolve(variant, rounds=tuple(attrs.evolve(each, generator=generator) for each in variant.rounds))


def _plan(experiment: Experiment, registry: Registry, trackers: Sequence[str]) -> _Plan:
    registry = registry_under(experiment, registry)
    source = str(experiment.path or experiment.name)
    rounds = rounds_of_experiment(experiment, registry)
    _check_names(experiment, registry, source)
    found = find_trackers(registry, experiment.trackers, where=f"{source}, trackers")
    found |= find_trackers(registry, trackers)
    baselines = {}
    for name in experiment.baselines:
        override = experiment.overrides.get(name, BaselineOverride())
        where = f"{source}, overrides.{name}"
        training = overridden_training(experiment.training, override, f"{where}.training")
        check_override(override, experiment.features, where)
        baseline = overridden(registry.baseline(name), override)
        _check_parts(registry, baseline, override, where)
        chosen_device(training.device)
        baselines[name] = (baseline, training)
    return _Plan(experiment, registry, rounds, baselines, found)


def _check_names(experiment: Experiment, registry: Registry, source: str) -> None:
    """Whether there is something to train, and every override is of something that is trained."""
    if experiment.baselines and not experiment.seeds:
        raise UsageError(
            "there is no seed, and baselines are trained once a seed",
            where=f"{source}, seeds",
            remedy="name one or more, such as seeds = [0]",
        )
    # A change on the command line may leave out baselines of the file; their overrides stay there, and do no harm.
    said = read_toml(experiment.path).get("baselines") if experiment.path and experiment.path.is_file() else None
    trained = {*experiment.baselines, *(map(str, said) if isinstance(said, list) else ())}
    for name in experiment.overrides:
        where = f"{source}, overrides.{name}"
        registry.get("baseline", name, where=where)
        if name not in trained:
            raise UsageError(
                f"the experiment trains no baseline {name!r}, which it overrides",
                where=where,
                remedy=f"add it to `baselines`, or leave the table out; {nearest(name, trained)}",
            )


def _check_parts(registry: Registry, baseline: Baseline, override: BaselineOverride, where: str) -> None:
    """Look up what an override says, where it says so."""
    for field, encoder in override.field_encoders.items():
        registry.get("field-encoder", encoder, where=f"{where}.field_encoders.{field}")
    for encoder in override.field_options:
        place = f"{where}.field_options.{encoder}"
        if encoder not in baseline.field_encoders.values():
            raise UsageError(
                f"options for the field encoder {encoder!r}, which reads no field",
                where=place,
                remedy=nearest(encoder, baseline.field_encoders.values()),
            )
        registry.structure_options("field-encoder", encoder, baseline.field_options[encoder], where=place)
    parts: tuple[tuple[Kind, str, str], ...] = (
        ("news-encoder", "news_encoder", "news_options"),
        ("user-encoder", "user_encoder", "user_options"),
        ("interaction", "interaction", "interaction_options"),
    )
    for kind, part, options in parts:
        if getattr(override, part) is not None:
            registry.get(kind, getattr(override, part), where=f"{where}.{part}")
        if getattr(override, options):
            given = getattr(baseline, options)
            registry.structure_options(kind, getattr(baseline, part), given, where=f"{where}.{options}")


def _check_splits(plan: _Plan, dataset: Dataset) -> None:
    """Name a missing split now, not after hours of calls."""
    experiment = plan.experiment
    wanted = [(split, "report") for split in experiment.report]
    for name, (_, training) in plan.baselines.items():
        said = experiment.overrides[name].training if name in experiment.overrides else {}
        for option, split in (("train_split", training.train_split), ("stop_split", training.stop_split)):
            if split is not None:
                table = f"overrides.{name}.training" if option in said else "training"
                wanted.append((split, f"{table}.{option}"))
    for split, key in wanted:
        if split not in dataset.splits:
            raise UsageError(
                f"the data set has no split {split!r}",
                where=f"{experiment.path or experiment.name}, {key}",
                remedy=f"its splits are {', '.join(dataset.splits)}; change `{key}`, or cut one with `dataset.halve`",
            )


def _rehearse(plan: _Plan, dataset: Dataset, cache: Path | None) -> None:
    """Build every model once on the data set as it is: a wrong option is told before the first call is paid."""
    for variant in plan.experiment.variants:
        names = {"original", "latest", *(each.name for each in plan.rounds[variant.name])}
        if variant.texts not in names:
            raise UsageError(
                f"the variant {variant.name!r} reads texts of {variant.texts!r}, which none of its rounds writes",
                where=plan.experiment.path or plan.experiment.name,
                remedy=nearest(variant.texts, names),
            )
        for cell in plan.cells(variant):
            if cell.cell.seed == plan.experiment.seeds[0]:
                features = attrs.evolve(cell.features, text_version="original")
                build_model(plan.registry, dataset, attrs.evolve(cell, features=features), cache=cache)
        if plan.experiment.untrained:
            features = attrs.evolve(plan.features(variant), text_version="original")
            train_clicks(dataset, features.train_split)
            news_documents(dataset, features)


def _run_cells(
    plan: _Plan,
    datasets: Mapping[str, Dataset],
    folder: Path,
    *,
    cache: Path | None,
    observer: Observer,
    at_once: int,
    executor: str | None,
) -> tuple[list[Mapping[str, object]], int]:
    """The rows of all cells, and how many of them were finished before."""
    rows: dict[str, list[dict[str, object]]] = {}
    jobs: dict[str, list[CellJob]] = {}
    for variant in plan.experiment.variants:
        dataset, data = datasets[variant.name], folder / "datasets" / variant.name
        save_dataset(dataset, data)
        rows[variant.name] = _run_untrained(plan, variant, dataset, folder / "cells", observer)
        jobs[variant.name] = [
            CellJob(cell, cell.key(dataset), data, folder / "cells" / cell.cell.name, cache)
            for cell in plan.cells(variant)
        ]
    open_jobs: list[CellJob] = []
    for job in (job for each in jobs.values() for job in each):
        if job.finished() is None:
            open_jobs.append(job)
        else:
            observer.on_cell(job.plan.cell.name, finished_cell(job.plan.cell, job.folder, reused=True))
    # By all cells, so that what is left of an interrupted run has as many threads as what is done.
    at_once = min(at_once, sum(map(len, jobs.values())))
    if at_once > 1 and open_jobs:
        run_cells_at_once(plan.registry, open_jobs, observer, at_once=at_once, executor=executor)
    else:
        for job in open_jobs:
            run_cell(plan.registry, job, datasets[job.plan.cell.variant], Announcer(plan.registry, observer))
    found = [row for name, each in jobs.items() for row in (*rows[name], *(row for job in each for row in job.rows()))]
    return list(found), sum(map(len, jobs.values())) - len(open_jobs)


def _run_untrained(
    plan: _Plan, variant: VariantSpec, dataset: Dataset, folder: Path, observer: Observer
) -> list[dict[str, object]]:
    """The rows of a variant's untrained baselines, which take seconds and are made again in every run."""
    rows: list[dict[str, object]] = []
    for name in plan.experiment.untrained:
        cell = UntrainedCell(variant.name, name)
        evaluations = evaluate_untrained(name, dataset, plan.features(variant), plan.experiment.report)
        of_cell: list[dict[str, object]] = []
        for split, evaluation in evaluations.items():
            with staged_file(folder / cell.name / impressions_file(split), "figures of the impressions") as staging:
                evaluation.scored_impressions.write_parquet(staging)
            of_cell.extend(result_rows(cell, split, summarize(evaluation.impressions), leaked=dataset.leaked))
        observer.on_cell(cell.name, CellFinished(cell.variant, cell.baseline, cell.seed, of_cell))
        rows.extend(of_cell)
    return rows


def _describe(experiment: Experiment, reports: Mapping[str, Sequence[RoundReport]]) -> dict[str, object]:
    return {
        "experiment": experiment.described(),
        "rounds": {name: [attrs.asdict(report) for report in each] for name, each in reports.items()},
    }
