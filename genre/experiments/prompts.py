"""Prompts on real rows: which task asks what, how it reads, and what a generator answers, without a whole round."""

import hashlib
import heapq
import itertools
from collections.abc import Iterable, Mapping, Sequence
from contextlib import aclosing, closing
from pathlib import Path

import attrs

from genre.dataset import Dataset
from genre.errors import GenreError, UsageError, nearest
from genre.experiments.loop import run_to_end
from genre.experiments.observer import Observer
from genre.generation import (
    AnswerStore,
    ChatTemplate,
    Engine,
    PreparedRound,
    RoundProgress,
    RoundSpec,
    StoredAnswer,
    generator_pool,
    prepare_round,
)
from genre.generation.engine import Answered
from genre.generation.judging import Judgement, judge
from genre.options import option_names
from genre.parts import AnswersStored, Prompt, Record, RunPlan, Task
from genre.registry import Registry
from genre.settings import Layer, Settings


@attrs.frozen
class TaskPrompt:
    """How a task asks under the settings of this project.

    Attributes:
        template: its chat template; None when its prompter has no option of that name.
        version: hash of the template's content.
        generator: who answers unless a round says otherwise.
        gates: names of the gates that answers pass.
        problem: why the task cannot be used as it is configured; None when it can.
    """

    task: str
    summary: str
    prompter: str
    template: Path | None = None
    version: str | None = None
    generator: str | None = None
    gates: tuple[str, ...] = ()
    problem: str | None = None


@attrs.frozen(eq=False)
class PromptSample:
    """One version of a task's prompt, rendered for a few subjects.

    Attributes:
        template: the chat template; None when the prompter has no such option.
        prompts: all prompts of the subjects that were drawn, in the prompter's order.
        prepared: the round that they belong to.
    """

    template: Path | None
    prompts: tuple[Prompt, ...]
    prepared: PreparedRound

    @property
    def version(self) -> str:
        """Hash of the template, as lineage and store keep it."""
        return self.prompts[0].version


@attrs.frozen(eq=False)
class Trial:
    """A prompt, and what a generator answered.

    Attributes:
        answer: None when the generator has no answer and was told to leave such prompts out.
        reused: the answer was in the store, or another prompt asked the same.
        record: the parsed answer; None when it cannot be parsed.
        reason: why the answer cannot be used, gates included; None when it can.
        gates: what each gate said: None when it accepts. Gates after one that rejects are not asked.
    """

    prompt: Prompt
    answer: StoredAnswer | None
    reused: bool
    record: Record | None
    reason: str | None
    gates: Mapping[str, str | None]

    @property
    def text(self) -> str | None:
        """The raw answer; None when the model gave none."""
        answer = self.answer
        return answer.completion.text if answer is not None and answer.state in ("ok", "truncated") else None

    @property
    def usable(self) -> bool:
        """Whether a round would make a record of it."""
        return self.record is not None and self.reason is None


@attrs.frozen
class VersionSummary:
    """What one version of a prompt came to.

    Attributes:
        answers: prompts that have an answer, usable or not.
        calls: answers that were not in the store.
        mean_length: mean number of characters of the raw answers; None without any.
        property: first property of the answers' schema.
        distinct: its distinct values among usable answers; upper and lower case are alike.
    """

    template: Path | None
    version: str
    answers: int
    calls: int
    usable: int
    mean_length: float | None
    property: str
    distinct: int


def list_prompts(registry: Registry) -> list[TaskPrompt]:
    """Every enabled task, with how it asks. One that cannot be used says why and leaves the others listed."""
    return [_task_prompt(registry, registry.task(entry.part.name)) for entry in registry.parts("task") if entry.enabled]


def sample_prompts(
    registry: Registry,
    dataset: Dataset,
    task: str,
    *,
    templates: Sequence[Path] = (),
    options: Mapping[str, object] | None = None,
    sample: int = 5,
    subject: str | None = None,
    seed: int = 0,
    generator: str | None = None,
) -> list[PromptSample]:
    """Render a task's prompts for a few subjects; nothing is asked.

    Every prompt of the data set is rendered on the way, so a template that fails on some row is found.

    Args:
        templates: versions of the prompt, each rendered for the same subjects; default: the task's own.
        options: options of the task; relative paths refer to the working directory.
        sample: how many subjects are drawn.
        subject: instead of drawing, this news or reader, or the readers of this user.
        seed: seed of the draw.
        generator: who would be asked; default: the task's.

    Raises:
        UsageError: an unknown task or option, a template that does not render, or nobody to ask about.
    """
    given = dict(options or {})
    if templates and "template" in given:
        raise UsageError("the template is named twice", where="command line", remedy="name it by --template alone")
    samples = []
    for template in templates or (None,):
        chosen = given if template is None else {**given, "template": str(template.absolute())}
        spec = RoundSpec(task=task, generator=generator, options=chosen)
        prepared = prepare_round(registry, spec, where="command line")
        asked = prepared.prompter.prompts(dataset)
        prompts = draw_subjects(asked, sample, seed) if subject is None else _prompts_about(asked, subject)
        if not prompts:
            raise _nobody(prepared, dataset, subject)
        samples.append(PromptSample(_template(registry, prepared.task, chosen), tuple(prompts), prepared))
    return samples


def draw_subjects(prompts: Iterable[Prompt], size: int, seed: int) -> list[Prompt]:
    """All prompts of `size` subjects, drawn uniformly, in their own order: one pass, and memory for `size` subjects.

    The reservoir keeps the subjects with the smallest hashes of (seed, id). So the draw depends on nothing else, and
    every version of a prompt is shown for the same subjects.
    """
    kept: dict[str, list[tuple[int, Prompt]]] = {}
    largest: list[tuple[int, str]] = []
    for number, prompt in enumerate(prompts):
        name = prompt.subject
        if name not in kept:
            rank = _rank(seed, name)
            if len(largest) < size:
                heapq.heappush(largest, (-rank, name))
            elif rank < -largest[0][0]:
                _, dropped = heapq.heapreplace(largest, (-rank, name))
                del kept[dropped]
            else:
                continue
            kept[name] = []
        kept[name].append((number, prompt))
    return [prompt for _, prompt in sorted(itertools.chain(*kept.values()), key=lambda each: each[0])]


def try_prompts(
    registry: Registry,
    dataset: Dataset,
    samples: Sequence[PromptSample],
    *,
    store: Path,
    observer: Observer | None = None,
) -> list[list[Trial]]:
    """Ask for the prompts of each version; answers go into the store and are never paid twice.

    Args:
        dataset: what the prompts were made from; gates read it, too.
        store: the answer store's file.

    Raises:
        UsageError: there is no such generator, or an option of it is wrong.
        RunVetoed: a plugin objects, before the first call.
        RunError: the generator cannot go on; answers so far are stored.
    """
    watcher = observer or Observer()
    names = [_label(sample) for sample in samples]
    first = samples[0].prepared
    rounds = [
        (name, each.prepared.task.name, each.prepared.generator_name) for name, each in zip(names, samples, strict=True)
    ]
    registry.announce_plan(RunPlan(name=f"prompts of {first.task.name}", rounds=rounds))

    def tell(event: AnswersStored) -> None:
        registry.announce("genre_answers_stored", event=event)

    async def ask(answers: AnswerStore) -> list[list[Trial]]:
        trials: list[list[Trial]] = []
        async with generator_pool(registry, watcher.on_message) as pool:
            engine = Engine(answers, tell)
            for name, sample in zip(names, samples, strict=True):
                routing = pool.get(sample.prepared.generator_name)
                gates = {gate: make(dataset) for gate, make in sample.prepared.gates.items()}
                answered = engine.answers(sample.prompts, routing)
                mine: list[Trial] = []
                trials.append(mine)
                async with aclosing(answered):  # no call may outlive the generator
                    async for item in answered:
                        judgement = judge(item, sample.prepared.prompter, gates, repair=sample.prepared.repair)
                        mine.append(_trial(item, judgement))
                        watcher.on_round(name, _progress(sample, mine))
        return trials

    with closing(AnswerStore(store)) as answers:
        return run_to_end(ask(answers))


def summarize_version(sample: PromptSample, trials: Sequence[Trial]) -> VersionSummary:
    """The figures by which versions of a prompt are compared."""
    answered = [trial for trial in trials if trial.answer is not None]
    raw = [trial.text for trial in answered if trial.text is not None]
    properties = sample.prepared.prompter.schema.get("properties")
    first = next(iter(properties), "") if isinstance(properties, Mapping) else ""
    values = {str(trial.record.get(first)).lower() for trial in trials if trial.record is not None and trial.usable}
    return VersionSummary(
        template=sample.template,
        version=sample.version,
        answers=len(answered),
        calls=sum(not trial.reused for trial in answered),
        usable=sum(trial.usable for trial in trials),
        mean_length=sum(map(len, raw)) / len(raw) if raw else None,
        property=first,
        distinct=len(values),
    )


def _task_prompt(registry: Registry, task: Task) -> TaskPrompt:
    known = TaskPrompt(task.name, task.summary, task.prompter)
    try:
        known = attrs.evolve(known, template=_template(registry, task, {}))
        if known.template is not None:
            known = attrs.evolve(known, version=ChatTemplate.load(known.template).version)
        prepared = prepare_round(registry, RoundSpec(task=task.name), where=f"task {task.name}")
    except GenreError as error:
        return attrs.evolve(known, problem=str(error))
    return attrs.evolve(known, generator=prepared.generator_name, gates=tuple(prepared.gates))


def _template(registry: Registry, task: Task, options: Mapping[str, object]) -> Path | None:
    """The file that a task's template comes from: its own, that of registry.toml, or that of the options."""
    cls = registry.options_class("prompter", task.prompter)
    if cls is None or "template" not in option_names(cls):
        return None
    own = Layer(f"task {task.name}", {"tasks": {task.name: task.defaults}})
    mine = Layer("command line", {"tasks": {task.name: options}})
    named = Settings((own, *registry.settings.layers, mine)).located(cls, "tasks", task.name).get("template")
    return Path(named) if isinstance(named, str) else None


def _rank(seed: int, subject: str) -> int:
    return int.from_bytes(hashlib.blake2b(f"{seed}\0{subject}".encode(), digest_size=8).digest())


def _prompts_about(prompts: Iterable[Prompt], subject: str) -> list[Prompt]:
    """The prompts about a subject, or about every reader of a user. A subject's prompts follow one another."""
    found: list[Prompt] = []
    for prompt in prompts:
        if subject in (prompt.subject, prompt.user):
            found.append(prompt)
        elif found and found[-1].subject == subject:
            break
    return found


def _nobody(prepared: PreparedRound, dataset: Dataset, subject: str | None) -> UsageError:
    task = prepared.task.name
    remedy = "change its options (-o), or take another data set"
    if subject is None:
        return UsageError(f"the task {task!r} asks about nothing in this data set", remedy=remedy)
    readers = dataset.readers
    if subject in dataset.news["id"] or subject in readers["id"] or subject in readers["user"]:
        return UsageError(f"the task {task!r} does not ask about {subject!r}", where="--subject", remedy=remedy)
    # An id that cannot be printed is no advice.
    asked = {each.subject for each in prepared.prompter.prompts(dataset) if each.subject.isprintable()}
    return UsageError(
        f"there is no news, reader or user {subject!r}", where="--subject", remedy=nearest(subject, asked)
    )


def _label(sample: PromptSample) -> str:
    return f"{sample.template.name if sample.template else sample.prepared.task.name} {sample.version}".strip()


def _progress(sample: PromptSample, trials: Sequence[Trial]) -> RoundProgress:
    return RoundProgress(
        name=sample.prepared.name,
        generator=sample.prepared.generator_name,
        done=len(trials),
        total=len(sample.prompts),
        reused=sum(trial.reused for trial in trials),
        quarantined=sum(trial.reason is not None for trial in trials),
    )


def _trial(item: Answered, judgement: Judgement) -> Trial:
    reason = judgement.reason
    if item.answer is None:
        reason = "left out: the generator has no answer for it"
    elif item.answer.state in ("refused", "failed"):
        reason = f"{item.answer.state}: {item.answer.completion.text}"
    return Trial(item.prompt, item.answer, item.reused, judgement.record, reason, judgement.gates)
