"""A prompter and an updater that keep to the laws, or break one of them."""

import itertools
import json
import uuid
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import attrs
import polars as pl

from genre.dataset import Dataset
from genre.generation import parse_answer
from genre.parts import Json, MalformedOutput, Message, Prompt, Record, Sampling

_numbers = itertools.count()


@attrs.frozen
class ToyOptions:
    """Which law is broken; none."""

    flaw: str = ""


class ToyPrompter:
    """Asks for a title and some words about each original news."""

    def __init__(self, options: ToyOptions, task: str) -> None:
        self.flaw = options.flaw
        self.task = "another" if self.flaw == "another task" else task
        self.parsed = 0

    @property
    def schema(self) -> Mapping[str, Json]:
        properties: dict[str, Json] = {
            "title": {"type": "string", "minLength": 1, "maxLength": 80},
            "words": {"type": "array", "items": {"type": "string"}, "minItems": 2, "uniqueItems": True},
        }
        if self.flaw == "provenance":
            properties["model"] = {"type": "string"}
        required: list[Json] = list(properties)
        kind = "nonsense" if self.flaw == "no schema" else "object"
        return {"type": kind, "properties": properties, "required": required, "additionalProperties": False}

    def count(self, dataset: Dataset, limit: int | None) -> int:
        number = dataset.news.filter(pl.col("origin") == "original").height
        return number if limit is None or self.flaw == "miscounting" else min(number, limit)

    def prompts(self, dataset: Dataset) -> Iterator[Prompt]:
        if self.flaw == "writing":
            dataset.news[0, "url"] = "written"
        if self.flaw == "no prompts":
            return iter(())
        return list(self._prompts(dataset)) if self.flaw == "a list" else self._prompts(dataset)  # type: ignore[return-value]

    def _prompts(self, dataset: Dataset) -> Iterator[Prompt]:
        prefix = f"{next(_numbers)} " if self.flaw == "changing" else ""
        for subject in dataset.news.filter(pl.col("origin") == "original")["id"]:
            schema = self.schema
            if self.flaw == "other properties":
                schema = {**schema, "properties": {"headline": {"type": "string"}}, "required": []}
            yield Prompt(
                task=self.task,
                subject="N99" if self.flaw == "stranger" and subject == "N1" else subject,
                draw=0,
                messages=(Message("user", f"{prefix}A title and words for {subject}"),),
                sampling=Sampling(max_tokens=50),
                schema=schema,
            )
            if self.flaw == "no draws":
                yield Prompt(self.task, subject, 0, (Message("user", "again"),), Sampling(max_tokens=50), schema)

    def parse(self, prompt: Prompt, text: str) -> Record:
        self.parsed += 1
        if self.flaw == "careless":
            return json.loads(text)  # type: ignore[no-any-return]
        if self.flaw == "credulous":
            return {"title": text, "words": [], "raw": text}
        try:
            record: dict[str, Json] = dict(parse_answer(text, prompt.schema or self.schema))
        except RecursionError as error:
            raise MalformedOutput("nested too deep") from error
        if self.flaw == "picky":
            raise MalformedOutput("not to my taste")
        if self.flaw == "forgetful":
            del record["words"]
        if self.flaw == "moody":
            record["title"] = f"{record['title']} {self.parsed}"
        return record


class ToyUpdater:
    """Adds the title as a version."""

    def __init__(self, options: ToyOptions) -> None:
        self.flaw = options.flaw

    def update(self, dataset: Dataset, records: pl.LazyFrame) -> Dataset:
        if self.flaw == "idle":
            return dataset
        if self.flaw == "no data set":
            return dataset.news  # type: ignore[return-value]
        if self.flaw == "writing into it":
            dataset.readers[0, "user"] = "written"
        new = dataset.with_texts(self._rows(dataset, records))
        if self.flaw == "always":
            new = attrs.evolve(new, news=pl.concat([new.news, new.news.tail(1).with_columns(id=pl.lit("G99"))]))
        if self.flaw == "careless ids":
            new = self._generated(new, records)
        if self.flaw == "no json":
            new = new.with_lineage("toy", folder=Path("data"))
        if self.flaw == "no lineage":
            new = attrs.evolve(new, lineage=())
        return attrs.evolve(new, **self._spoilt(new))

    def _rows(self, dataset: Dataset, records: pl.LazyFrame) -> pl.DataFrame:
        positions = dataset.news.select(subject="id").with_row_index("news").lazy()
        rows = records.join(positions, on="subject", how="inner", maintain_order="left").collect()
        text = pl.lit(uuid.uuid4().hex) if self.flaw == "random" else pl.col("title")
        version = pl.lit("original") if self.flaw == "no version" else pl.col("version")
        news = pl.lit(99) if self.flaw == "dangling" else pl.col("news")
        return rows.select(news.alias("news"), version.alias("version"), "model", field=pl.lit("title"), text=text)

    def _generated(self, dataset: Dataset, records: pl.LazyFrame) -> Dataset:
        rows = records.select("version", "model", "title", id="G" + pl.col("subject"), reader=pl.lit(0)).collect()
        return dataset.with_generated_news(rows)

    def _spoilt(self, new: Dataset) -> dict[str, Any]:
        generated = new.news.with_row_index("row").filter(pl.col("origin") == "generated")["row"].to_list()
        spoilt: dict[str, dict[str, pl.DataFrame]] = {
            "reordering": {"news": new.news.reverse()},
            "reordering readers": {"readers": new.readers.reverse()},
            "replacing texts": {"texts": new.texts.filter(pl.col("version") != "original")},
            "replacing interests": {"interests": new.interests.clear()},
            "cutting histories": {"readers": new.readers.with_columns(history=pl.col("history").list.head(1))},
            "showing": {
                "impressions": new.impressions.with_columns(
                    candidates=pl.lit(generated[:1], dtype=pl.List(pl.UInt32)), labels=pl.lit([1], pl.List(pl.UInt8))
                )
            },
            "hiding": {"impressions": new.impressions.head(2)},
            "keeping": {"readers": new.readers.with_columns(kept=pl.lit([6], pl.List(pl.UInt32)))},
            "counting": {"readers": new.readers.with_columns(clicks=pl.col("history").list.len().cast(pl.UInt32) + 5)},
        }
        return spoilt.get(self.flaw, {})
