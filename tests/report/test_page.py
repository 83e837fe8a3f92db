"""The page: whatever others say is text on it, it needs nothing else, and an older run still has one."""

import json
import re
import subprocess
import sys
from collections.abc import Mapping
from html.parser import HTMLParser
from pathlib import Path

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st
from small_run import WORDS, Words, change_json, write_small_run

import genre
from genre.errors import UsageError
from genre.report.page import environment
from genre.untrusted import harmless

HOSTILE = [
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "javascript:alert(1)",
    "</style></title><svg onload=alert(1)>",
    "{{ 7*7 }}{% raw %}",
    "$x^2$ $\\frac{",
    "http://example.org/a.js",
    "]]><!--",
]
INVISIBLE = {"right to left \u202e override": "\\u202e", "nul \0 byte": "\\x00", "escape \x1b[31m": "\\x1b"}
LOADING = {"src", "srcset", "action", "formaction", "data", "poster", "background", "ping"}


@attrs.define
class Page(HTMLParser):
    """What a browser would find: tags with attributes, and the text outside of the style."""

    tags: list[tuple[str, Mapping[str, str | None]]] = attrs.field(factory=list)
    texts: list[str] = attrs.field(factory=list)

    def __attrs_pre_init__(self) -> None:
        super().__init__(convert_charrefs=True)

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attributes)))

    def handle_data(self, data: str) -> None:
        self.texts.append(data)

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.texts).split())


def page_of(folder: Path) -> tuple[str, Page]:
    text = genre.write_report(folder).read_text(encoding="utf-8")
    page = Page()
    page.feed(text)
    page.close()
    return text, page


def assert_harmless(page: Page) -> None:
    for tag, attributes in page.tags:
        assert tag not in ("script", "img", "iframe", "object", "embed", "link", "base", "form", "foreignobject")
        assert not [name for name in attributes if name.startswith("on") or name in LOADING]
        for name in ("href", "xlink:href"):
            assert (attributes.get(name) or "#").startswith("#")


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> Page:
    return page_of(write_small_run(tmp_path_factory.mktemp("plain") / "run"))[1]


@pytest.mark.parametrize("field", [each.name for each in attrs.fields(Words)])
def test_what_others_say_is_text_and_nothing_else(tmp_path: Path, plain: Page, field: str) -> None:
    said = " ".join(HOSTILE)
    _, page = page_of(write_small_run(tmp_path / "run", attrs.evolve(WORDS, **{field: said})))
    assert_harmless(page)
    assert "<script>alert(1)</script>" in page.text
    assert {tag for tag, _ in page.tags} <= {tag for tag, _ in plain.tags}


@pytest.mark.parametrize(("said", "shown"), INVISIBLE.items())
def test_what_would_reorder_or_hide_text_is_made_visible(tmp_path: Path, said: str, shown: str) -> None:
    everywhere = {each.name: said for each in attrs.fields(Words)}
    text, page = page_of(write_small_run(tmp_path / "run", Words(**everywhere)))
    assert not set(text) & set("\u202e\0\x1b")
    assert shown in page.text


def test_half_of_a_surrogate_pair_does_not_end_the_report(tmp_path: Path) -> None:
    folder = write_small_run(tmp_path / "run")
    change_json(folder / "summary.json", warnings=["half \ud800 pair"])
    assert "half \\ud800 pair" in page_of(folder)[1].text


@given(st.text())
def test_any_text_is_one_text_in_a_tag_and_in_an_attribute(said: str) -> None:
    made = environment().from_string('<p title="{{ said }}">{{ said }}</p>').render(said=said)
    page = Page()
    page.feed(made)
    page.close()
    shown = "\n".join(harmless(line) for line in said.split("\n"))
    assert page.tags == [("p", {"title": shown})]
    assert "".join(page.texts) == shown


def test_the_page_forbids_itself_the_network(tmp_path: Path) -> None:
    _, page = page_of(write_small_run(tmp_path / "run"))
    [policy] = [each["content"] for tag, each in page.tags if each.get("http-equiv") == "Content-Security-Policy"]
    assert policy is not None
    assert policy.startswith("default-src 'none'; style-src 'unsafe-inline'; img-src data:;")


def test_no_id_stands_twice_and_every_link_has_its_target(tmp_path: Path) -> None:
    _, page = page_of(write_small_run(tmp_path / "run"))
    ids = [each["id"] for _, each in page.tags if "id" in each]
    assert len(ids) == len(set(ids))
    links = {(each.get("href") or "#answer").removeprefix("#") for _, each in page.tags}
    named = {name for _, each in page.tags for name in (each.get("aria-labelledby") or "").split()}
    assert links | named <= set(ids)


def test_equal_runs_have_equal_reports(tmp_path: Path) -> None:
    one, other = (page_of(write_small_run(tmp_path / name / "run"))[0] for name in ("one", "other"))
    assert one == other


def test_it_tells_the_answer_and_every_section_in_order(tmp_path: Path) -> None:
    _, page = page_of(write_small_run(tmp_path / "run"))
    sections = [each["id"] for tag, each in page.tags if tag == "section"]
    expected = "answer results gains for-whom beyond training price texts changes settings reading"
    assert sections == expected.split()
    for text in (
        "titles with dcn gains in AUC over original",
        WORDS.warning,
        "A better title",
        "News for you alone",
        "gpt-small",
        "no JSON",
        "$200.00",  # for 1,000 records: those of this run and of the store
        "1,200 + 300",
        "rank 2",
    ):
        assert text in page.text
    assert "Not in this folder." not in page.text


def test_figures_that_are_not_tested_say_so(tmp_path: Path) -> None:
    _, page = page_of(write_small_run(tmp_path / "run"))
    assert page.text.count("They are not tested: among so many, some differ by chance.") == 2


def test_answers_that_were_asked_for_again_are_counted_apart(tmp_path: Path) -> None:
    folder = write_small_run(tmp_path / "run")
    rounds = json.loads((folder / "experiment.json").read_text())["rounds"]
    rounds["titles"][0]["models"][0]["asked_again"] = 7
    change_json(folder / "experiment.json", rounds=rounds)
    assert "2 + 7 asked again" in page_of(folder)[1].text


def test_curves_are_of_the_metric_that_chose_the_best_epoch(tmp_path: Path) -> None:
    folder = write_small_run(tmp_path / "run")
    for path in folder.glob("cells/*/result.json"):
        training = json.loads(path.read_text())["training"]
        epochs = [{**epoch, "metrics": {"auc": 0.5, "mrr": 0.25, "ndcg@10": 0.375}} for epoch in training["epochs"]]
        change_json(path, training={**training, "epochs": epochs})
    assert "nrms AUC by epoch" in page_of(folder)[1].text
    change_json(folder / "experiment.json", experiment={"training": {"stop_metric": "ndcg@10"}})
    text = page_of(folder)[1].text
    assert "nrms nDCG@10 by epoch" in text
    assert "0.3750" in text


def test_a_report_that_cannot_be_written_leaves_nothing_behind(tmp_path: Path) -> None:
    folder = write_small_run(tmp_path / "run")
    (tmp_path / "out" / "report.html").mkdir(parents=True)
    with pytest.raises(UsageError, match="the report cannot be written"):
        genre.write_report(folder, tmp_path / "out" / "report.html")
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["report.html"]


def test_a_leaked_variant_is_marked_wherever_its_figures_stand(tmp_path: Path) -> None:
    text, page = page_of(write_small_run(tmp_path / "run", leaked=True))
    assert "Leaked: everything." in page.text
    assert text.count('<tr class="is-leaked">') >= 4 * 2  # four metrics: results and gains
    assert text.count('class="leaked"') == text.count('class="is-leaked"')
    assert "(LEAKED)" in page.text  # in the pictures


def test_the_best_of_a_column_is_no_leaked_one(tmp_path: Path) -> None:
    text, _ = page_of(write_small_run(tmp_path / "run", leaked=True))
    for row in re.findall(r'<tr class="is-leaked">.*?</tr>', text, flags=re.DOTALL):
        assert "best of its column" not in row
    assert "best of its column" in text


@pytest.mark.parametrize(
    ("missing", "said"),
    [
        ("gains", "compares no variants with each other"),
        ("segments", "has no such segments"),
        ("beyond", "has no figures beyond accuracy"),
    ],
)
def test_what_an_older_summary_lacks_is_told(tmp_path: Path, missing: str, said: str) -> None:
    folder = write_small_run(tmp_path / "run")
    change_json(folder / "summary.json", **{missing: None})
    assert said in page_of(folder)[1].text


def test_a_folder_of_results_alone_has_a_report(tmp_path: Path) -> None:
    folder = write_small_run(tmp_path / "run")
    (tmp_path / "bare").mkdir()
    (folder / "results.json").rename(tmp_path / "bare" / "results.json")
    _, page = page_of(tmp_path / "bare")
    assert_harmless(page)
    for text in ("Intervals are missing:", "keeps no finished training", "does not keep the data set of titles"):
        assert text in page.text


def test_a_damaged_data_set_is_told_and_the_rest_is_shown(tmp_path: Path) -> None:
    folder = write_small_run(tmp_path / "run")
    change_json(folder / "datasets" / "titles" / "dataset.json", format=1)
    _, page = page_of(folder)
    assert "The data set of titles cannot be shown: format 1" in page.text
    assert "News for you alone" in page.text


def test_the_experiment_is_shown_as_it_was_understood(tmp_path: Path) -> None:
    folder = write_small_run(tmp_path / "run")
    experiment = json.loads((folder / "experiment.json").read_text())["experiment"]
    assert " ".join(json.dumps(experiment, indent=2).split()) in page_of(folder)[1].text


def test_the_documented_python_writes_a_report(tmp_path: Path) -> None:
    documented = (Path(__file__).parents[2] / "docs" / "reference" / "report.md").read_text(encoding="utf-8")
    [code] = re.findall(r"```python\n(.*?)```", documented, flags=re.DOTALL)
    write_small_run(tmp_path / "runs" / "books")
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "runs/books/report.html\n"), done.stderr


def test_the_documented_sections_are_those_of_the_page(tmp_path: Path) -> None:
    documented = (Path(__file__).parents[2] / "docs" / "reference" / "report.md").read_text(encoding="utf-8")
    rows = [name.lower() for name in re.findall(r"^\| ([a-z ]+) \| ", documented, flags=re.MULTILINE)][1:]
    text = page_of(write_small_run(tmp_path / "run"))[1].text.lower()
    assert len(rows) == 10
    assert [name for name in rows if name not in text] == []
