"""What a change costs, for every built-in task: one more row one call, another template only what it asks otherwise."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import attrs
import pytest
from at_scale.projects import number_for, openai_compatible, registry_toml
from command_line import Genre
from fake_llm import by_schema
from servers import ChatServer, Reply, Request
from small_data import small_dataset

from genre.dataset import save_dataset
from genre.parts import Prompt, Sampling
from genre.registry import Registry
from genre_tasks.task_records import genre_tasks

TASKS: Final = [task.name for task in genre_tasks()]
OF_NEWS: Final = {"news-summarizer", "book-describer"}
WITH_DRAWS: Final = {"news-generator", "chain-generator", "book-generator"}
LONG: Final = ("N6", "N5", "N4", "N3", "N2", "N1")
"""A history that no reader has, long enough to be compressed."""
SHORT: Final = ("N6", "N4")
CONDITIONS: Final = {
    "news-summarizer": ('category == "sports"', 2),
    "book-describer": ('category == "sports"', 2),
    "user-profiler": ("history | length == 3", 1),
    "book-profiler": ("history | length == 3", 1),
    "news-generator": ("history | length == 3", 1),
    "chain-generator": ("history | length == 3", 1),
    "book-generator": ("history | length == 3", 1),
    "history-compressor": ('history | map(attribute="title") | first == "The last wild coast"', 1),
}
"""Under which condition the changed template says something else, and of how many subjects that is true."""


def by_question(request: Request) -> Reply:
    """An answer that meets the schema and depends on the question alone."""
    schema = request.body["response_format"]["json_schema"]["schema"]
    question = str(number_for(json.dumps(request.body["messages"])))
    return Reply.answer(by_schema(Prompt("t", question, request.body["seed"], (), Sampling(max_tokens=1), schema)))


@attrs.frozen
class Project:
    """A folder with a data set and a server."""

    genre: Genre
    folder: Path
    server: ChatServer
    task: str

    @property
    def tasks(self) -> tuple[str, ...]:
        """The task, after the one whose answers it reads."""
        return ("user-profiler", self.task) if self.task == "chain-generator" else (self.task,)

    def enrich(self, *, more_news: int = 0, histories: Sequence[Sequence[str]] = (LONG,)) -> int:
        """Enrich the small data set with so much more in it; the number of calls that the server saw."""
        save_dataset(small_dataset(more_news, histories), self.folder / "small")
        before = len(self.server.requests)
        draws = ("-o", "draws=1") if self.task in WITH_DRAWS else ()
        rounds = [word for task in self.tasks for word in ("--task", task)]
        outcome = self.genre("enrich", "small", *rounds, "--out", "rich", "--json", *draws)
        assert outcome.code == 0, outcome.err
        reports = json.loads(outcome.out)
        assert all(report["quarantined"] == {} for report in reports)
        calls = len(self.server.requests) - before
        assert sum(report["calls"] for report in reports) == calls
        return calls


@pytest.fixture(params=TASKS)
def project(request: pytest.FixtureRequest, genre: Genre, tmp_path: Path) -> Any:
    """A project for each task."""
    with ChatServer(by_question) as server:
        registry_toml(tmp_path, {"server": openai_compatible(server.base_url)})
        yield Project(genre, tmp_path, server, request.param)


def test_the_same_again_costs_nothing(project: Project) -> None:
    assert project.enrich() >= 1
    assert project.enrich() == 0


def test_one_added_row_costs_exactly_one_call_a_round(project: Project) -> None:
    project.enrich()
    if project.task in OF_NEWS:
        assert project.enrich(more_news=1) == 1
    else:
        added = ("N2", *LONG) if project.task == "history-compressor" else SHORT
        assert project.enrich(histories=(LONG, added)) == len(project.tasks)


def test_a_changed_template_costs_only_the_calls_whose_messages_changed(project: Project) -> None:
    first = project.enrich()
    condition, changed = CONDITIONS[project.task]
    original = Path(str(Registry.load().task(project.task).defaults["template"])).read_text(encoding="utf-8")
    block = "{% block user %}\n"
    assert block in original
    text = original.replace(block, f"{block}{{% if {condition} %}}Take care. {{% endif %}}")
    (project.folder / "mine.jinja").write_text(text, encoding="utf-8")
    with (project.folder / "registry.toml").open("a") as file:
        file.write(f'\n[tasks.{project.task}]\ntemplate = "mine.jinja"\n')
    assert changed < first
    assert project.enrich() == changed
    asked = [request.body["messages"][-1]["content"] for request in project.server.requests]
    assert all("Take care." in text for text in asked[first:])


def test_every_built_in_task_has_a_condition() -> None:
    assert set(CONDITIONS) == set(TASKS)
