"""Laws of prompters: pure, streaming prompts, and answers that are read or refused."""

import itertools
from collections.abc import Iterator, Mapping

import attrs

from genre.generation.records import PROVENANCE
from genre.generation.rounds import first_subjects
from genre.generation.schemas import wrong_schema
from genre.parts import Json, MalformedOutput, Prompt, Prompter, Record
from genre.testing.check import Check, ConformanceError, checks_of, require, shown
from genre.testing.datasets import require_untouched
from genre.testing.hostile import HOSTILE_TEXTS, junk, mutations
from genre.testing.trial import Trial

JUNK = 300
"""Seeded junk texts, and as many mutations of an answer, that a prompter must be able to read or refuse."""


def prompter_laws(trial: Trial) -> list[Check]:
    """The laws, for the prompter of whatever is on trial."""
    return checks_of(_Laws(trial))


@attrs.frozen(eq=False)
class _Laws:
    trial: Trial

    def prompts_are_the_same_twice(self) -> None:
        dataset = self.trial.dataset()
        one = self.trial.prompter()
        first = self.trial.asked(one, dataset)
        for prompter in (one, self.trial.prompter()):
            again = self.trial.asked(prompter, dataset)
            odd = next((pair for pair in itertools.zip_longest(first, again) if pair[0] != pair[1]), None)
            require(
                odd is None,
                "the same data set gives the same prompts in the same order",
                found=shown(odd),
                remedy="keep no state between calls, sort what has no order, and draw from seeds only",
            )

    def asking_leaves_the_data_set_as_it_is(self) -> None:
        prompter = self.trial.prompter()
        require_untouched(self.trial.dataset(), lambda dataset: self.trial.asked(prompter, dataset), "asking")

    def prompts_are_streamed(self) -> None:
        prompts = self.trial.prompter().prompts(self.trial.dataset())
        require(
            isinstance(prompts, Iterator),
            "`prompts` is an iterator, so that no run holds all of them",
            found=type(prompts).__name__,
            remedy="yield one prompt at a time",
        )

    def the_count_is_the_number_of_prompts(self) -> None:
        dataset, prompter = self.trial.dataset(), self.trial.prompter()
        count = getattr(prompter, "count", None)
        if count is None:  # progress then has no total, which is allowed
            return
        prompts = self.trial.asked(prompter, dataset)
        subjects = len({prompt.subject for prompt in prompts})
        for limit in (None, 0, 1, 2, subjects, subjects + 1):
            said, made = count(dataset, limit), sum(1 for _ in first_subjects(prompts, limit))
            require(
                said == made,
                "`count(dataset, limit)` is the number of prompts about the first `limit` subjects",
                found=f"count(dataset, {limit}) is {said}, and there are {made}",
                remedy="count what `prompts` yields, all draws of a subject included",
            )

    def every_prompt_is_about_something_else(self) -> None:
        prompts = self.trial.asked(self.trial.prompter(), self.trial.dataset())
        seen: set[tuple[str, str, int]] = set()
        for prompt in prompts:
            key = (prompt.task, prompt.subject, prompt.draw)
            require(
                key not in seen,
                "task, subject and draw tell prompts apart",
                found=f"{key} twice",
                remedy="number the draws of one subject from 0",
            )
            seen.add(key)
        names = {prompt.task for prompt in prompts}
        task = self.trial.task or "conformance"
        require(
            names == {task},
            "a prompt names the task that its prompter was made for",
            found=f"{sorted(names)} for the task {task!r}",
            remedy="pass on the keyword `task` that the prompter is called with",
        )

    def subjects_exist(self) -> None:
        dataset = self.trial.dataset()
        known = {*dataset.news["id"], *dataset.readers["id"]}
        for prompt in self.trial.asked(self.trial.prompter(), dataset):
            require(
                prompt.subject in known,
                "a prompt's subject is the id of a news or of a reader",
                found=f"{prompt.subject!r}",
                remedy="take the id from dataset.news or dataset.readers",
            )

    def schemas_are_valid_and_name_the_same_properties(self) -> None:
        prompter = self.trial.prompter()
        properties = _properties(prompter.schema)
        clash = sorted(properties & set(PROVENANCE))
        require(
            not clash,
            "no property of an answer has the name of a column that says where a record comes from",
            found=f"the property {clash[0] if clash else ''!r}",
            remedy=f"name it otherwise than {', '.join(PROVENANCE)}",
        )
        for prompt in self.trial.asked(prompter, self.trial.dataset()):
            if prompt.schema is not None:
                require(
                    _properties(prompt.schema) == properties,
                    "a prompt's schema has the properties of the prompter's, which are the records' columns",
                    found=f"{sorted(_properties(prompt.schema))} and {sorted(properties)}",
                    remedy="let schemas differ in their values only",
                )

    def an_example_answer_becomes_a_record(self) -> None:
        prompter = self.trial.prompter()
        for prompt in self.trial.asked(prompter, self.trial.dataset()):
            text = self.trial.answer(prompt)
            record = _record(prompter, prompt, text)
            properties = _properties(prompt.schema or prompter.schema)
            require(
                record is not None and set(record) == properties,
                "an answer that meets the schema becomes a record with exactly the schema's properties",
                found=f"{shown(text)} became {shown(record)}",
                remedy="refuse only what the schema refuses, and keep every property",
            )
            require(
                _record(prompter, prompt, text) == record,
                "reading the same answer twice gives the same record",
                found=shown(text),
                remedy="keep no state in `parse`",
            )

    def hostile_texts_are_refused_as_malformed(self) -> None:
        prompter = self.trial.prompter()
        prompt = self.trial.asked(prompter, self.trial.dataset())[0]
        for text in itertools.chain(HOSTILE_TEXTS, junk(0, JUNK)):
            _require_record_or_refusal(prompter, prompt, text)

    def damaged_answers_are_read_or_refused_as_malformed(self) -> None:
        prompter = self.trial.prompter()
        prompt = self.trial.asked(prompter, self.trial.dataset())[0]
        for text in mutations(self.trial.answer(prompt), 1, JUNK):
            _require_record_or_refusal(prompter, prompt, text)

    def a_misspelt_option_is_told(self) -> None:
        self.trial.require_misspelling_is_told()


def _record(prompter: Prompter, prompt: Prompt, text: str) -> Record | None:
    """What `parse` makes of a text; None when it is refused as it should be."""
    law = "`parse` returns a record or raises MalformedOutput, and nothing else"
    try:
        record = prompter.parse(prompt, text)
    except MalformedOutput:
        return None
    except Exception as error:
        raise ConformanceError(
            law,
            f"{shown(text)} ended in {type(error).__name__}: {shown(str(error))}",
            "parse with genre.generation.parse_answer, and turn errors of your own into MalformedOutput",
        ) from error
    require(isinstance(record, Mapping), law, found=shown(record), remedy="return a dict of the answer's properties")
    return record


def _require_record_or_refusal(prompter: Prompter, prompt: Prompt, text: str) -> None:
    record = _record(prompter, prompt, text)
    schema = prompt.schema or prompter.schema
    needed = schema.get("required")
    required = {str(name) for name in needed} if isinstance(needed, list) else set()
    require(
        record is None or required <= set(record) <= _properties(schema),
        "a text becomes a record with the schema's properties or is refused as MalformedOutput",
        found=f"{shown(text)} became {shown(record)}",
        remedy="parse with genre.generation.parse_answer",
    )


def _properties(schema: Mapping[str, Json]) -> set[str]:
    law = "a schema is a valid JSON schema of an object with properties"
    if (problem := wrong_schema(schema)) is not None:
        raise ConformanceError(law, shown(problem), "see json-schema.org, draft 2020-12")
    properties = schema.get("properties")
    if schema.get("type") != "object" or not isinstance(properties, dict) or not properties:
        raise ConformanceError(law, shown(schema), 'write {"type": "object", "properties": {...}, ...}')
    return set(properties)
