"""An estimate tells what a run would ask, and asks nobody: each is compared with the run that it is about."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import attrs
import pytest
from fake_llm import by_schema
from servers import ChatServer, Reply, Request
from small_data import small_dataset
from stored_answers import answers_by_state

import genre
from genre.dataset import save_dataset
from genre.errors import RunError, UsageError
from genre.experiments import Estimate, estimate_experiment, estimate_folder, load_experiment
from genre.generation import AnswerStore, GeneratorPool, RoundReport, RoundSpec, prepare_round
from genre.generation.budget import most_tokens
from genre.generation.costs import Cost
from genre.generation.estimates import Again, RoundEstimate
from genre.generation.judging import WORTH_ASKING_AGAIN, Problem
from genre.parts import Price, Prompt, Sampling
from genre.registry import Registry
from genre.settings import Layer, load_settings

REGISTRY = """
[generators.one]
plugin = "openai-compatible"
base_url = "{url}"
model = "one"
price = {{ prompt = 1000.0, completion = 2000.0 }}
api_key = {{ env = "A_KEY_THAT_IS_NOT_SET" }}
[generators.two]
plugin = "openai-compatible"
base_url = "{url}"
model = "two"
price = {{ prompt = 10000.0, completion = 20000.0 }}
[generators.mystery]
plugin = "openai-compatible"
base_url = "{url}"
model = "mystery"
[generators.both]
plugin = "mix"
routes = {{ one = 1, two = 1 }}
[generators.unsure]
plugin = "mix"
routes = {{ one = 1, mystery = 1 }}
[tasks.user-profiler]
with_regions = false
[defaults]
generator = "two"
"""
EXPERIMENT = """
name = "e"
[dataset]
reader = "sample"
options = {{ news = 60, users = 40, train = 60, dev = 20, test = 20 }}
{variants}
"""


def answered(request: Request) -> Reply:
    """The smallest answer to the schema; 7 and 3 tokens."""
    schema = request.body["response_format"]["json_schema"]["schema"]
    prompt = Prompt("t", str(request.number), 0, (), Sampling(max_tokens=1), schema)
    return Reply.answer(by_schema(prompt))


@attrs.frozen(eq=False)
class Project:
    """A folder with a data set and generators at a server that counts."""

    folder: Path
    registry: Registry
    server: ChatServer

    @property
    def store(self) -> Path:
        return self.folder / "answers.sqlite"

    def estimate(self, *tasks: str, generator: str = "two", **more: object) -> Estimate:
        asked = len(self.server.requests)
        made = estimate_folder(
            self.registry, self.folder / "small", tasks, store=self.store, generator=generator, **more
        )  # type: ignore[arg-type]
        assert len(self.server.requests) == asked
        return made

    def enrich(self, *tasks: str, generator: str = "two", **more: object) -> tuple[RoundReport, ...]:
        made = genre.enrich_folder(
            self.registry,
            self.folder / "small",
            tasks,
            out=self.folder / "out",
            store=self.store,
            generator=generator,
            **more,
        )  # type: ignore[arg-type]
        return made.reports


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Project]:
    monkeypatch.delenv("A_KEY_THAT_IS_NOT_SET", raising=False)
    monkeypatch.chdir(tmp_path)
    save_dataset(small_dataset(), tmp_path / "small")
    with ChatServer(answered) as server:
        (tmp_path / "registry.toml").write_text(REGISTRY.format(url=server.base_url))
        yield Project(tmp_path, Registry.load(load_settings(tmp_path)), server)


def counts(each: RoundEstimate) -> tuple[int, int, int, int]:
    return (each.prompts, each.stored, each.repeated, each.calls)


def test_nothing_is_asked_and_nothing_is_written(project: Project) -> None:
    before = sorted(project.folder.rglob("*"))
    [each] = project.estimate("news-summarizer").rounds
    assert counts(each) == (6, 0, 0, 6)
    assert not project.server.requests
    assert sorted(project.folder.rglob("*")) == before


def test_what_is_stored_is_subtracted(project: Project) -> None:
    project.enrich("news-summarizer", limit=4)
    assert counts(project.estimate("news-summarizer").rounds[0]) == (6, 4, 0, 2)
    project.enrich("news-summarizer")
    done = project.estimate("news-summarizer")
    assert (counts(done.rounds[0]), done.cost, done.most) == ((6, 6, 0, 0), Cost(0.0), Cost(0.0))


def test_the_calls_of_a_run_are_those_of_its_estimate(project: Project) -> None:
    for tasks in (("user-profiler", "chain-generator"), ("news-summarizer", "user-profiler", "news-generator")):
        estimated = [each.calls for each in project.estimate(*tasks).rounds]
        assert [report.calls for report in project.enrich(*tasks)] == estimated


def test_a_key_that_is_not_set_is_not_needed(project: Project) -> None:
    assert project.estimate("news-summarizer", generator="one").calls == 6
    with pytest.raises(UsageError, match="A_KEY_THAT_IS_NOT_SET"):
        project.enrich("news-summarizer", generator="one")


def test_a_mix_is_estimated_by_its_routes_and_finds_each_one_s_answers(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    [before] = project.estimate("news-summarizer", generator="both").rounds
    by_route = {route.generator: route.calls for route in before.routes}
    monkeypatch.setenv("A_KEY_THAT_IS_NOT_SET", "k")
    project.enrich("news-summarizer", generator="both")
    models = [request.body["model"] for request in project.server.requests]
    assert by_route == {name: models.count(name) for name in ("one", "two")}
    assert counts(project.estimate("news-summarizer", generator="both").rounds[0]) == (6, 6, 0, 0)
    # What one of the two answered in another round counts as well, whoever would have been asked.
    project.enrich("user-profiler", generator="two")
    assert counts(project.estimate("user-profiler", generator="both").rounds[0]) == (3, 3, 0, 0)


def test_costs_are_those_of_the_tokens(project: Project) -> None:
    estimate = project.estimate("news-summarizer")
    [route] = estimate.rounds[0].routes
    assert (route.prompt_tokens_by, route.completion_tokens_by) == ("bytes / 4", "max_tokens")
    assert route.completion_tokens == 6 * 96
    assert route.cost.usd == pytest.approx(Price(1e4, 2e4).of(route.prompt_tokens, route.completion_tokens))
    assert route.most.usd is not None
    assert route.cost.usd is not None
    assert route.most.usd > route.cost.usd
    assert (estimate.cost, estimate.most) == (route.cost, route.most)


def test_stored_answers_tell_how_many_tokens_the_others_have(project: Project) -> None:
    project.enrich("news-summarizer", limit=4)
    [route] = project.estimate("news-summarizer").rounds[0].routes
    assert (route.prompt_tokens_by, route.completion_tokens_by, route.measured) == ("provider", "stored answers", 4)
    assert route.completion_tokens == 2 * 3
    assert route.prompt_tokens == pytest.approx(2 * 7, abs=1)


def test_tokens_of_stored_answers_speak_for_the_route_that_gave_them(project: Project) -> None:
    project.enrich("user-profiler", "news-generator", limit=1, generator="two")
    [each] = project.estimate("news-generator", generator="both", options={"draws": 40}).rounds
    assert each.stored == 2
    assert {route.generator: route.prompt_tokens_by for route in each.routes} == {"one": "bytes / 4", "two": "provider"}


def test_no_call_costs_more_than_the_most_even_when_it_is_asked_again(project: Project) -> None:
    project.server.script = lambda request: Reply.of(
        {
            "model": "two",
            "choices": [{"finish_reason": "stop", "message": {"content": "\U0001f600" * 1_100}}],
            # As many tokens as bytes, which no tokenizer exceeds.
            "usage": {
                "prompt_tokens": sum(len(each["content"].encode()) for each in request.body["messages"]),
                "completion_tokens": 96,
            },
        }
    )
    most = project.estimate("news-summarizer").most.usd
    [report] = project.enrich("news-summarizer")
    assert report.asked_again == 6
    assert most is not None
    assert report.cost.usd is not None
    assert 0.8 * most < report.cost.usd <= most


@pytest.mark.parametrize("problem", sorted(WORTH_ASKING_AGAIN))
def test_the_most_of_asking_again_has_its_messages_markup(project: Project, problem: Problem) -> None:
    prepared = prepare_round(project.registry, RoundSpec(task="news-summarizer"))
    prompt = next(prepared.prompter.prompts(small_dataset()))
    longest = prepared.again.prompt(prompt, "\U0001f600" * 1_100, problem, "r" * 200)
    assert most_tokens(longest)[0] <= most_tokens(prompt)[0] + Again.of(prepared).size


def test_a_stored_answer_that_cannot_be_used_is_asked_for_again(project: Project) -> None:
    project.server.script = lambda _: Reply.answer("no JSON")
    project.enrich("news-summarizer", limit=2, options={"ask_again": 0})
    [each] = project.estimate("news-summarizer").rounds
    assert (counts(each), each.asked_again) == ((6, 2, 0, 6), 2)
    project.server.script = answered
    [report] = project.enrich("news-summarizer")
    assert report.calls == 6


def test_an_unknown_price_is_unknown_and_a_sum_with_it_a_lower_bound(project: Project) -> None:
    alone = project.estimate("news-summarizer", generator="mystery")
    assert (alone.cost, alone.most, alone.unpriced) == (Cost(None, 6), Cost(None, 6), ("mystery",))
    assert alone.enough(1e9) == "unknown"
    mixed = project.estimate("news-summarizer", generator="unsure")
    shares = {route.generator: route.calls for route in mixed.rounds[0].routes}
    assert mixed.cost.unknown == shares["mystery"]
    assert mixed.cost.usd == mixed.rounds[0].routes[0].cost.usd
    assert mixed.most.unknown == 6  # each may fall back on the one whose price is not known


def test_a_budget_is_enough_for_the_worst_case_for_what_is_expected_or_not(project: Project) -> None:
    estimate = project.estimate("news-summarizer")
    assert estimate.cost.usd is not None
    assert estimate.most.usd is not None
    assert estimate.enough(estimate.most.usd) == "worst case"
    assert estimate.enough(estimate.cost.usd) == "expected"
    assert estimate.enough(estimate.cost.usd * 0.99) == "no"


def test_a_round_that_reads_answers_not_made_yet_says_what_it_assumes(project: Project) -> None:
    profiles, chain = project.estimate("user-profiler", "chain-generator").rounds
    assert profiles.assumptions == ()
    [assumption] = chain.assumptions
    assert "the 3 answers that the round 'user-profiler' lacks are all usable" in assumption
    assert counts(chain) == (4, 0, 0, 4)


def test_a_chain_half_stored_finds_what_depends_on_the_stored_half(project: Project) -> None:
    project.enrich("user-profiler", "chain-generator", limit=1)
    profiles, chain = project.estimate("user-profiler", "chain-generator").rounds
    assert counts(profiles) == (3, 1, 0, 2)
    assert counts(chain) == (4, 2, 0, 2)
    assert "the 2 answers that the round 'user-profiler' lacks" in chain.assumptions[0]


def test_a_chain_whose_first_round_is_stored_is_exact(project: Project) -> None:
    project.enrich("user-profiler")
    profiles, chain = project.estimate("user-profiler", "chain-generator").rounds
    assert (counts(profiles), counts(chain), chain.assumptions) == ((3, 3, 0, 0), (4, 0, 0, 4), ())
    before = len(project.server.requests)
    _, report = project.enrich("user-profiler", "chain-generator")
    assert len(project.server.requests) - before == report.calls == 4


def test_a_round_that_reads_originals_only_assumes_nothing(project: Project) -> None:
    _, profiles = project.estimate("news-summarizer", "user-profiler").rounds
    assert profiles.assumptions == ()


def test_gates_judge_stored_answers_and_not_those_that_are_made_up(project: Project) -> None:
    short = 'options = { gates = { length = { property = "title", max_characters = 8 } } }'
    rounds = f'{{ task = "news-summarizer", limit = 4, {short} }}, {{ task = "user-profiler" }}'
    variants = f'[[variants]]\nname = "a"\nrounds = [{rounds}]'
    before = experiment(project, variants).rounds[0]
    assert (counts(before), before.asked_again) == ((4, 0, 0, 4), 0)
    # The same prompts, answered with titles that are longer than the gate allows.
    path = project.folder / "plain.toml"
    path.write_text(EXPERIMENT.format(variants=variants.replace(short, "options = { ask_again = 0 }")))
    genre.run_experiment(
        load_experiment(path, ["baselines=[]", "untrained=['random']"]),
        project.registry,
        folder=project.folder / "run",
        store=project.store,
    )
    after = experiment(project, variants).rounds[0]
    assert (counts(after), after.asked_again) == ((4, 4, 0, 4), 4)


def test_answers_that_cannot_be_made_up_are_left_out_and_said_to_be(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("genre.experiments.estimate.imagined_answer", lambda _prompt, prompter: None)
    _, chain = project.estimate("user-profiler", "chain-generator").rounds
    assert chain.problem is not None
    assert "the data set has none" in chain.problem
    assert "3 answers that the round 'user-profiler' lacks are left out" in chain.assumptions[0]


def experiment(project: Project, variants: str, *changes: str) -> Estimate:
    path = project.folder / "e.toml"
    path.write_text(EXPERIMENT.format(variants=variants))
    return estimate_experiment(load_experiment(path, changes), project.registry, store=project.store)


TWICE = """
[[variants]]
name = "original"
[[variants]]
name = "a"
rounds = [{ task = "news-summarizer", limit = 10 }]
[[variants]]
name = "b"
rounds = [{ task = "news-summarizer", limit = 12 }, { task = "news-generator" }]
"""


def test_equal_prompts_of_several_variants_are_paid_once(project: Project) -> None:
    first, second, third = experiment(project, TWICE).rounds
    assert (first.variant, second.variant, third.variant) == ("a", "b", "b")
    assert (counts(first), counts(second)) == ((10, 0, 0, 10), (12, 0, 10, 2))


def test_changes_of_the_experiment_count(project: Project) -> None:
    change = 'variants = [{ name = "a", rounds = [{ task = "news-summarizer", limit = 3, generator = "mystery" }] }]'
    [only] = experiment(project, TWICE, change).rounds
    assert (only.calls, only.unpriced) == (3, ("mystery",))
    [cheap] = experiment(project, TWICE, change, "generators.mystery.price={prompt=0, completion=0}").rounds
    assert (cheap.cost, cheap.unpriced) == (Cost(0.0), ())


def test_a_misspelt_generator_of_the_last_round_is_an_error(project: Project) -> None:
    wrong = TWICE.replace('task = "news-generator" }', 'task = "news-generator", generator = "tow" }')
    with pytest.raises(UsageError, match="no generator 'tow'"):
        experiment(project, wrong)


def test_a_failed_call_counts_as_a_call(project: Project) -> None:
    registry = project.registry
    settings = registry.settings.over(Layer("test", {"generators": {"two": {"limits": {"attempts": 1}}}}))
    failing = attrs.evolve(project, registry=registry.with_settings(settings))
    failing.server.script = lambda _: Reply.error(500)
    with pytest.raises(RunError, match="failed at all 6 prompts"):
        failing.enrich("news-summarizer")
    with closing(AnswerStore(failing.store)) as store:
        assert answers_by_state(store) == {"failed": 6}
    assert failing.estimate("news-summarizer").calls == 6


def test_the_steps_are_functions_of_the_package() -> None:
    assert (genre.estimate_experiment, genre.estimate_folder) == (estimate_experiment, estimate_folder)


def test_a_pool_that_reads_no_keys_shows_the_same_identities(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    keyless = GeneratorPool(project.registry, reads_keys=False).get("one").identities
    monkeypatch.setenv("A_KEY_THAT_IS_NOT_SET", "k")
    assert GeneratorPool(project.registry).get("one").identities == keyless
