"""What cannot be used is asked for again with the reason, and ends as a record or in quarantine."""

import json
from pathlib import Path

import attrs
import polars as pl
import pytest
from fake_llm import FakeLLM, by_schema
from generation.rounds_asked_again import (
    assert_adds_up,
    better_when_asked_again,
    never,
    run,
    summarize,
    times_asked,
)

from genre.errors import RunError, UsageError
from genre.generation import (
    RoundProgress,
    RoundSpec,
    prepare_round,
    records,
    reports,
)
from genre.generation.asking import LONGEST_QUOTE
from genre.parts import Completion, Fatal, Message, Prompt, Record, Refused, Sampling, Skipped
from genre.registry import Registry
from genre.settings import Layer, load_settings


@pytest.fixture(scope="module")
def registry() -> Registry:
    return Registry.load()


def test_a_malformed_answer_is_asked_for_again_and_becomes_a_record(registry: Registry, tmp_path: Path) -> None:
    outcome = summarize(registry, better_when_asked_again, tmp_path)
    report = outcome.report
    assert (report.prompts, report.calls, report.asked_again, report.records) == (6, 8, 2, 6)
    assert report.quarantined == {}
    assert_adds_up(report)


def test_the_model_sees_its_answer_and_what_is_wrong_with_it(registry: Registry, tmp_path: Path) -> None:
    outcome = summarize(registry, better_when_asked_again, tmp_path)
    first, second = outcome.asked("N1")
    assert second.messages[:2] == first.messages
    answer, words = second.messages[2:]
    assert answer == Message("assistant", "Gladly.")
    assert (words.role, "not JSON" in words.content, '"maxLength":120' in words.content) == ("user", True, True)
    assert attrs.evolve(second, messages=first.messages) == first


def test_the_form_of_the_answer_is_shown(registry: Registry, tmp_path: Path) -> None:
    words = tmp_path / "words.jinja"
    words.write_text("{% block user %}{{ form }}{% endblock %}")
    again = {"ask_again_template": str(words)}
    for task, form in (
        ("news-summarizer", '{"title": "..."}'),
        ("user-profiler", '{"topics": ["..."], "regions": ["..."]}'),
        ("history-compressor", '{"titles": [1]}'),
    ):
        prepared = prepare_round(registry, RoundSpec(task, options=again))
        [message] = prepared.again.words("malformed", "not JSON", prepared.prompter.schema, 9)
        assert message.content == form


def test_records_are_in_the_order_of_the_prompts(registry: Registry, tmp_path: Path) -> None:
    outcome = summarize(registry, better_when_asked_again, tmp_path)
    table = pl.read_parquet(outcome.folder / "records" / "*.parquet")
    assert table["subject"].to_list() == [f"N{number}" for number in range(1, 7)]


def test_records_of_many_files_are_put_in_order(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(records, "PART_ROWS", 3)
    prompts = [Prompt("task", f"S{number}", 0, (), Sampling(max_tokens=9)) for number in range(20)]
    late = [0, 5, 6, 7, 19]
    with records.RecordSink(tmp_path, {"type": "object", "properties": {"n": {"type": "integer"}}}, "round") as sink:
        for numbers in ([n for n in range(20) if n not in late], late):
            for number in numbers:
                sink.add(number, prompts[number], "model", {"n": number})
        rows = sink.scan().collect()
    assert rows["n"].to_list() == list(range(20))
    assert rows.columns == ["subject", "draw", "version", "model", "repaired", "n"]


@pytest.mark.parametrize("times", [0, 1, 2, 3])
def test_it_is_asked_so_many_times_and_then_goes_to_quarantine(registry: Registry, tmp_path: Path, times: int) -> None:
    outcome = summarize(registry, never, tmp_path, ask_again=times)
    assert outcome.report.calls == 6 * (1 + times)
    assert outcome.report.quarantined == {"malformed: not JSON": 6}
    assert {row["asked"] for row in outcome.quarantine} == {1 + times}
    assert [row["subject"] for row in outcome.quarantine] == [f"N{number}" for number in range(1, 7)]
    assert outcome.quarantine[0]["earlier"] == ["malformed: not JSON"] * times
    assert_adds_up(outcome.report)


def test_each_time_only_the_last_answer_is_shown(registry: Registry, tmp_path: Path) -> None:
    outcome = summarize(registry, never, tmp_path, ask_again=3)
    assert [len(prompt.messages) for prompt in outcome.asked("N1")] == [2, 4, 4, 4]
    texts = [prompt.messages[2].content for prompt in outcome.asked("N1")[1:]]
    assert len(set(texts)) == 3
    assert outcome.quarantine[0]["text"] not in texts


def test_the_same_answer_again_is_not_asked_for_a_third_time(registry: Registry, tmp_path: Path) -> None:
    outcome = summarize(registry, lambda _: "Always this.", tmp_path, ask_again=5)
    assert outcome.report.calls == 12
    assert {row["asked"] for row in outcome.quarantine} == {2}
    assert_adds_up(outcome.report)


def test_the_same_answer_again_stays_rejected_whatever_a_gate_says_by_then(registry: Registry, tmp_path: Path) -> None:
    prepared = attrs.evolve(
        prepare_round(registry, RoundSpec("news-summarizer")), gates={"first-time": lambda _: RejectsTheFirst()}
    )
    outcome = run(prepared, by_schema, tmp_path)
    assert outcome.report.quarantined == {"rejected by first-time: the first": 1}


@attrs.define(eq=False)
class RejectsTheFirst:
    """A gate that rejects one answer and no other."""

    seen: list[tuple[str, int]] = attrs.field(factory=list)

    def reject(self, prompt: Prompt, record: Record) -> str | None:
        self.seen.append((prompt.subject, len(prompt.messages)))
        return "the first" if len(self.seen) == 1 else None


def test_gates_see_first_answers_in_their_order_and_then_the_second_ones(registry: Registry, tmp_path: Path) -> None:
    gate = RejectsTheFirst()
    prepared = attrs.evolve(prepare_round(registry, RoundSpec("news-summarizer")), gates={"spy": lambda _: gate})

    def answer(prompt: Prompt) -> str:
        if times_asked(prompt) == 2:
            return '{"title": "second"}'
        return "no" if prompt.subject == "N3" else by_schema(prompt)

    outcome = run(prepared, answer, tmp_path)
    assert gate.seen == [(f"N{number}", 2) for number in (1, 2, 4, 5, 6, 1, 3)]
    assert outcome.dataset.text("title").to_list()[:3] == ["second", "title of N2 0", "second"]


def test_what_a_gate_rejects_is_asked_for_again_with_its_reason(registry: Registry, tmp_path: Path) -> None:
    def answer(prompt: Prompt) -> str:
        return '{"title": "Deja vu"}' if times_asked(prompt) == 1 else by_schema(prompt)

    outcome = summarize(registry, answer, tmp_path, gates={"distinct": {"property": "title"}})
    assert (outcome.report.asked_again, outcome.report.records) == (5, 6)
    assert "title of an earlier answer" in outcome.asked("N2")[1].messages[-1].content


def test_what_max_tokens_cut_off_is_asked_for_again_shorter(
    registry: Registry, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def complete(self: FakeLLM, prompt: Prompt) -> Completion:
        self.prompts.append(prompt)
        if times_asked(prompt) == 1:
            return Completion("x" * 5000, "fake-1", finish="length")
        return Completion(by_schema(prompt), "fake-1")

    monkeypatch.setattr(FakeLLM, "complete", complete)
    outcome = summarize(registry, by_schema, tmp_path)
    assert (outcome.report.asked_again, outcome.report.records) == (6, 6)
    *_, answer, words = outcome.asked("N1")[1].messages
    assert LONGEST_QUOTE <= len(answer.content) < LONGEST_QUOTE + 10
    assert "cut off after 96 tokens" in words.content


def test_refused_and_failed_calls_are_not_asked_again_in_the_round(registry: Registry, tmp_path: Path) -> None:
    outcome = summarize(registry, lambda _: Refused("no"), tmp_path, ask_again=3)
    assert (outcome.report.calls, outcome.report.asked_again) == (6, 0)
    assert outcome.report.quarantined == {"refused": 6}


def test_a_refusal_to_answer_again_is_the_last_word(registry: Registry, tmp_path: Path) -> None:
    outcome = summarize(registry, lambda prompt: "hm" if times_asked(prompt) == 1 else Refused("no"), tmp_path)
    assert outcome.report.quarantined == {"refused": 6}
    assert outcome.quarantine[0]["earlier"] == ["malformed: not JSON"]
    assert_adds_up(outcome.report)


def test_a_generator_that_leaves_out_the_second_question_leaves_the_first_answer(
    registry: Registry, tmp_path: Path
) -> None:
    seen: list[RoundProgress] = []
    prepared = prepare_round(registry, RoundSpec("news-summarizer"))
    outcome = run(prepared, lambda prompt: "hm" if times_asked(prompt) == 1 else Skipped("none"), tmp_path, seen)
    assert (outcome.report.skipped, outcome.report.asked_again) == (0, 0)
    assert outcome.report.quarantined == {"malformed: not JSON": 6}
    assert (outcome.quarantine[0]["text"], outcome.quarantine[0]["asked"]) == ("hm", 1)
    assert (seen[-1].done, seen[-1].quarantined) == (6, 6)
    assert_adds_up(outcome.report)


def test_an_empty_answer_is_shown_as_something(registry: Registry, tmp_path: Path) -> None:
    outcome = summarize(registry, lambda prompt: " " if times_asked(prompt) == 1 else by_schema(prompt), tmp_path)
    assert outcome.asked("N1")[1].messages[2] == Message("assistant", "...")


def test_an_answer_that_cannot_be_encoded_makes_the_same_second_question_when_it_comes_from_the_store(
    registry: Registry, tmp_path: Path
) -> None:
    def answer(prompt: Prompt) -> str:
        return "\udc80 \0 hm" if times_asked(prompt) == 1 else by_schema(prompt)

    first = summarize(registry, answer, tmp_path)
    second = summarize(registry, answer, tmp_path)
    assert (first.report.calls, second.report.calls, second.report.reused) == (12, 0, 12)


def test_a_beginning_of_the_answer_in_the_task_s_template_is_continued(registry: Registry, tmp_path: Path) -> None:
    template = tmp_path / "prefilled.jinja"
    template.write_text('{% block user %}{{ title }}{% endblock %}{% block assistant %}{"title": {% endblock %}')
    outcome = summarize(registry, lambda _: '"a"', tmp_path, template=str(template))
    roles = [message.role for message in outcome.asked("N1")[1].messages]
    assert roles == ["user", "assistant", "user"]
    assert outcome.asked("N1")[1].messages[1].content == '{"title":"a"'


def test_a_second_run_asks_nothing_and_gives_the_same(registry: Registry, tmp_path: Path) -> None:
    def answer(prompt: Prompt) -> str:
        return never(prompt) if prompt.subject == "N2" else better_when_asked_again(prompt)

    first = summarize(registry, answer, tmp_path, ask_again=2)
    second = summarize(registry, answer, tmp_path, ask_again=2)
    assert not second.generator.prompts
    assert (second.report.reused, second.report.asked_again) == (10, 4)
    assert (second.dataset.fingerprint, second.dataset.lineage) == (first.dataset.fingerprint, first.dataset.lineage)
    assert second.quarantine == first.quarantine


def test_one_more_time_costs_only_what_was_not_asked_yet(registry: Registry, tmp_path: Path) -> None:
    summarize(registry, never, tmp_path, ask_again=1)
    assert summarize(registry, never, tmp_path, ask_again=2).report.calls == 6


def test_an_interrupted_round_goes_on_where_it_was(registry: Registry, tmp_path: Path) -> None:
    calls: list[Prompt] = []

    def broken(prompt: Prompt) -> str | Exception:
        calls.append(prompt)
        return Fatal("out of order") if len(calls) == 8 else better_when_asked_again(prompt)

    with pytest.raises(RunError, match="out of order"):
        summarize(registry, broken, tmp_path)
    assert not list(tmp_path.rglob("*waiting*"))
    outcome = summarize(registry, better_when_asked_again, tmp_path)
    assert (outcome.report.records, outcome.report.calls) == (6, 1)


def test_a_round_that_is_interrupted_keeps_the_quarantine_of_the_one_before(registry: Registry, tmp_path: Path) -> None:
    before = summarize(registry, never, tmp_path, ask_again=0).quarantine
    with pytest.raises(RunError):
        summarize(registry, lambda _: Fatal("out of order"), tmp_path, max_length=99)
    folder = tmp_path / "rounds" / "00-news-summarizer"
    assert [json.loads(line) for line in (folder / "quarantine.jsonl").read_text().splitlines()] == before
    assert not list(folder.glob(".*"))


def test_progress_ends_when_the_last_prompt_has_its_end(
    registry: Registry, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reports, "REPORT_SECONDS", 0.0)
    seen: list[RoundProgress] = []
    run(prepare_round(registry, RoundSpec("news-summarizer")), better_when_asked_again, tmp_path, seen)
    done = [progress.done for progress in seen]
    assert done == [0, 0, 1, 2, 2, 3, 4, 5, 6, 6]
    assert seen[-1].total == 6


def test_how_often_and_in_which_words_is_in_the_lineage(registry: Registry, tmp_path: Path) -> None:
    words = tmp_path / "words.jinja"
    words.write_text("{% block user %}Once more, for {{ problem }}: {{ reason }}.{% endblock %}")
    outcome = summarize(registry, better_when_asked_again, tmp_path, ask_again=2, ask_again_template=str(words))
    assert outcome.asked("N1")[1].messages[-1].content == "Once more, for malformed: not JSON."
    details = outcome.dataset.lineage[-1].details
    prepared = prepare_round(registry, RoundSpec("news-summarizer"))
    assert details["asked_again"] == 2
    assert isinstance(details["ask_again"], dict)
    assert details["ask_again"]["times"] == 2
    assert details["ask_again"]["template"] != prepared.again.template.version


def test_the_number_is_a_task_s_option_like_others(registry: Registry, tmp_path: Path) -> None:
    assert prepare_round(registry, RoundSpec("news-summarizer")).again.times == 1
    (tmp_path / "registry.toml").write_text("[tasks.news-summarizer]\nask_again = 3\nrepair = false\n")
    configured = Registry.load(load_settings(tmp_path))
    prepared = prepare_round(configured, RoundSpec("news-summarizer"))
    assert (prepared.again.times, prepared.repair) == (3, False)
    assert prepare_round(configured, RoundSpec("news-summarizer", options={"ask_again": 0})).again.times == 0
    layered = registry.with_settings(
        registry.settings.over(Layer("x", {"tasks": {"news-generator": {"ask_again": 2}}}))
    )
    assert prepare_round(layered, RoundSpec("news-generator")).again.times == 2


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"ask_again": -1}, "ask_again"),
        ({"ask_again": 11}, "ask_again"),
        ({"ask_again": True}, "ask_again"),
        ({"ask_agian": 1}, "did you mean 'ask_again'?"),
        ({"repair": "yes"}, "repair"),
        ({"ask_again_template": "none.jinja"}, "none.jinja: the template cannot be read"),
    ],
)
def test_a_wrong_option_is_an_error_before_anything_is_asked(
    registry: Registry, options: dict[str, object], message: str
) -> None:
    with pytest.raises(UsageError) as caught:
        prepare_round(registry, RoundSpec("news-summarizer", options=options))
    assert message in str(caught.value)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{% block user %}{{ reson }}{% endblock %}", "'reson' is undefined"),
        ("{% block system %}s{% endblock %}{% block user %}u{% endblock %}", "one block, `user`"),
    ],
)
def test_a_wrong_template_is_an_error_before_anything_is_asked(
    registry: Registry, tmp_path: Path, text: str, message: str
) -> None:
    (tmp_path / "words.jinja").write_text(text)
    with pytest.raises(UsageError) as caught:
        prepare_round(
            registry, RoundSpec("news-summarizer", options={"ask_again_template": str(tmp_path / "words.jinja")})
        )
    assert message in str(caught.value)


def test_a_repaired_answer_is_marked(registry: Registry, tmp_path: Path) -> None:
    def fenced(prompt: Prompt) -> str:
        return f"```json\n{by_schema(prompt)}\n```" if prompt.subject < "N3" else by_schema(prompt)

    outcome = summarize(registry, fenced, tmp_path)
    assert (outcome.report.records, outcome.report.repaired, outcome.report.calls) == (6, 2, 6)
    assert outcome.report.models[0].repaired == 2
    assert outcome.dataset.lineage[-1].details["repaired"] == 2
    table = pl.read_parquet(outcome.folder / "records" / "*.parquet")
    assert table["repaired"].to_list() == [True, True, False, False, False, False]


def test_without_repair_almost_json_is_malformed(registry: Registry, tmp_path: Path) -> None:
    outcome = summarize(registry, lambda prompt: by_schema(prompt)[:-1] + ",}", tmp_path, repair=False, ask_again=0)
    assert outcome.report.quarantined == {"malformed: not JSON": 6}


def test_a_repaired_answer_still_has_to_meet_the_schema(registry: Registry, tmp_path: Path) -> None:
    outcome = summarize(registry, lambda _: "```\n{'titel': 'a'}\n```", tmp_path, ask_again=0)
    assert outcome.report.quarantined == {"malformed: schema: additionalProperties": 6}
