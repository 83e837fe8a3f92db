"""A user's mistake is answered with what was wrong, where, and what to do: exit code 2, and never a traceback."""

from collections.abc import Callable
from pathlib import Path

import pytest
from command_line import Genre

NEWS = "N1\tsports\ttennis\tA title\tAn abstract\thttps://x\t[]\t[]\n"
BEHAVIOR = "1\tU1\t11/11/2019 9:05:58 AM\tN1\tN1-1 N1-0\n"
EXPERIMENT = """
name = "mine"
baselines = ["nrms"]
[dataset]
reader = "sample"
[[variants]]
name = "original"
"""


def write(folder: Path, name: str, text: str) -> None:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


def mind(news: str = NEWS, behaviors: str = BEHAVIOR) -> Callable[[Path], None]:
    def prepare(folder: Path) -> None:
        write(folder, "mind/train/news.tsv", news)
        write(folder, "mind/train/behaviors.tsv", behaviors)

    return prepare


def registry(text: str) -> Callable[[Path], None]:
    return lambda folder: write(folder, "registry.toml", text)


def experiment(text: str) -> Callable[[Path], None]:
    return lambda folder: write(folder, "mine.toml", text)


def nothing(_folder: Path) -> None:
    pass


IMPORT = ["data", "import", "mind", "-o", "folder=mind", "--out", "set"]
ENRICH = ["enrich", "small", "--out", "rich", "--task"]
SUMMARIZE = [*ENRICH, "news-summarizer"]
LITELLM = '[defaults]\ngenerator = "gpt"\n[generators.gpt]\nplugin = "litellm"\nmodel = "openai/gpt-4o-mini"\n'

MISTAKES: dict[str, tuple[Callable[[Path], None], list[str], list[str]]] = {
    "a missing data set": (nothing, ["data", "stats", "nowhere"], ["nowhere: no data set here", "genre data import"]),
    "an unknown reader": (nothing, ["data", "import", "mnd", "--out", "set"], ["'mnd'", "did you mean 'mind'?"]),
    "an unknown reader option": (
        nothing,
        ["data", "import", "mind", "-o", "foldr=x", "--out", "set"],
        ["'foldr'", "did you mean 'folder'?"],
    ),
    "a missing folder": (nothing, IMPORT, ["mind"]),
    "a short row": (mind(news=NEWS + "N2\tsports\tone column too few\n"), IMPORT, ["news.tsv:2", "8"]),
    "a dangling history": (
        mind(behaviors=BEHAVIOR + BEHAVIOR.replace("\tN1\t", "\tN1 N9\t")),
        IMPORT,
        ["behaviors.tsv:2", "'N9'", "dangling = 'drop'"],
    ),
    "a dangling candidate": (mind(behaviors=BEHAVIOR.replace("N1-0", "N8-0")), IMPORT, ["behaviors.tsv:1", "'N8'"]),
    "a data set without news": (mind("", ""), IMPORT, ["'mind' found no news", "name the files"]),
    "a data set without impressions": (mind(behaviors=""), IMPORT, ["'mind' found no impressions"]),
    "an unknown task": (nothing, [*ENRICH, "user-profilr"], ["'user-profilr'", "did you mean 'user-profiler'?"]),
    "an unknown task option": (
        nothing,
        [*SUMMARIZE, "-o", "max_lenght=9"],
        ["'max_lenght'", "did you mean 'max_length'?"],
    ),
    "an option that is no pair": (nothing, [*SUMMARIZE, "-o", "max_length"], ["'max_length' is not of the form"]),
    "an option of the wrong type": (nothing, [*SUMMARIZE, "-o", "max_length=long"], ["max_length", "'long'", "int"]),
    "a rate that is not finite": (
        nothing,
        ["train", "small", "--baseline", "nrms", "--out", "model", "-o", "training.learning_rate=inf"],
        ["'learning_rate' must be < inf: inf"],
    ),
    "a number of too many digits": (
        nothing,
        ["train", "small", "--baseline", "nrms", "--out", "model", "-o", "baseline.dim=99999999999999999999"],
        ["baseline.dim", "99999999999999999999 is no number of 64 bits"],
    ),
    "weights that are none": (
        registry('[generators.small]\nplugin = "local"\nmodel = "registry.toml"\n'),
        [*SUMMARIZE, "--generator", "small"],
        ["registry.toml: not a GGUF file", "set `model`"],
    ),
    "an unknown generator": (nothing, [*SUMMARIZE, "--generator", "locl"], ["'locl'", "did you mean 'local'?"]),
    "a missing API key": (
        registry(LITELLM + 'api_key = { env = "GENRE_TEST_KEY" }\n'),
        SUMMARIZE,
        ["GENRE_TEST_KEY is not set", "export GENRE_TEST_KEY"],
    ),
    "a key in clear text": (registry(LITELLM + 'api_key = "sk-secret"\n'), SUMMARIZE, ["api_key", "{ env = "]),
    "an unknown generator option": (
        registry(LITELLM + "tmeout = 3\n"),
        SUMMARIZE,
        ["'tmeout'", "registry.toml:3, generators.gpt", "did you mean 'timeout'?"],
    ),
    "an unknown limit": (
        registry(LITELLM + "limits = { concurency = 3 }\n"),
        SUMMARIZE,
        ["'concurency'", "did you mean 'concurrency'?"],
    ),
    "a registry.toml that is not TOML": (registry("[plugins\n"), ["plugins", "list"], ["registry.toml", "line 1"]),
    "an unknown table": (registry("[plugin]\n"), ["plugins", "list"], ["registry.toml:1", "did you mean 'plugins'?"]),
    "a missing plugin folder": (
        registry('[plugins]\nfolders = ["none"]\n'),
        ["plugins", "list"],
        ["registry.toml:2", "'none' does not exist"],
    ),
    "an unknown baseline": (
        nothing,
        ["train", "small", "--baseline", "nmrs", "--out", "model"],
        ["'nmrs'", "did you mean 'nrms'?"],
    ),
    "a model below a file": (
        registry(""),
        ["train", "small", "--baseline", "nrms", "--out", "registry.toml/model"],
        ["registry.toml/model", "the checkpoint cannot be written"],
    ),
    "a profile below a file": (
        registry(""),
        ["train", "small", "--baseline", "nrms", "--out", "model", "--profile", "registry.toml/profile.json"],
        ["registry.toml/profile.json", "the profile cannot be written"],
    ),
    "a registry.toml that is a folder": (
        lambda folder: (folder / "registry.toml").mkdir(),
        ["plugins", "list"],
        ["registry.toml", "cannot be read"],
    ),
    "an unknown training option": (
        nothing,
        ["train", "small", "--baseline", "nrms", "--out", "model", "-o", "training.epoch=3"],
        ["'epoch'", "did you mean 'epochs'?"],
    ),
    "a missing model": (nothing, ["evaluate", "nowhere", "small"], ["nowhere"]),
    "a missing experiment": (nothing, ["run", "nowhere.toml"], ["nowhere.toml", "no such file"]),
    "an unknown table of an experiment": (
        experiment(EXPERIMENT + "[traning]\nepochs = 1\n"),
        ["run", "mine.toml"],
        ["'traning'", "did you mean 'training'?"],
    ),
    "a missing split": (
        experiment(EXPERIMENT.replace("baselines", 'report = ["tset"]\nbaselines')),
        ["run", "mine.toml"],
        ["no split 'tset'", "its splits are dev, test, train"],
    ),
    "an unknown baseline of an experiment": (
        experiment(EXPERIMENT.replace("nrms", "nmrs")),
        ["run", "mine.toml"],
        ["'nmrs'", "did you mean 'nrms'?"],
    ),
    "a variant that stands twice": (
        experiment(EXPERIMENT + '[[variants]]\nname = "original"\n'),
        ["run", "mine.toml"],
        ["'original' stands twice"],
    ),
    "a change that names no table": (
        experiment(EXPERIMENT),
        ["run", "mine.toml", "--set", "name.deep=1"],
        ["'name' in 'name.deep=1' is not a table"],
    ),
    "a store below a file": (registry(""), [*SUMMARIZE, "--store", "registry.toml/answers.sqlite"], ["registry.toml"]),
    "a store that is no store": (
        lambda folder: write(folder, "notes.sqlite", "no database, but long enough to look like one. " * 40),
        [*SUMMARIZE, "--store", "notes.sqlite"],
        ["notes.sqlite: not an answer store"],
    ),
    "an output folder below a file": (
        registry(""),
        [*SUMMARIZE[:3], "registry.toml/rich", *SUMMARIZE[4:]],
        ["registry.toml/rich", "cannot be made"],
    ),
    "an output folder of something else": (
        lambda folder: write(folder, "rich/thesis.tex", "important"),
        SUMMARIZE,
        ["rich: the folder exists and holds no data set"],
    ),
    "an import into a file": (
        mind(),
        [*IMPORT[:-1], "mind/train/news.tsv"],
        ["mind/train/news.tsv", "is a file"],
    ),
    "an experiment below a file": (registry(""), ["run", "registry.toml/mine.toml"], ["registry.toml/mine.toml"]),
    "a task that stands twice": (nothing, [*SUMMARIZE, "--task", "news-summarizer"], ["a task stands twice"]),
    "an unknown reader or user": (nothing, ["data", "show", "small", "--reader", "nobdy"], ["did you mean 'nobody'?"]),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_is_told_with_its_place_and_remedy(
    genre: Genre, tmp_path: Path, small_folder: Path, monkeypatch: pytest.MonkeyPatch, mistake: str
) -> None:
    monkeypatch.delenv("GENRE_TEST_KEY", raising=False)
    prepare, arguments, expected = MISTAKES[mistake]
    prepare(tmp_path)
    outcome = genre(*arguments)
    assert outcome.code == 2, outcome
    assert "Traceback" not in outcome.err
    for text in expected:
        assert text in outcome.err
    assert "sk-secret" not in outcome.err + outcome.out


def test_an_unknown_command_is_an_error_too(genre: Genre) -> None:
    assert genre("enrch").code == 2
