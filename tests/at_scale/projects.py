"""Projects for tests at scale: a data set, generators in registry.toml, and answers that depend on the question."""

import hashlib
import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import polars as pl
from small_data import small_dataset

from genre.dataset import save_dataset

ENRICH: Final = ("enrich", "small", "--task", "news-summarizer", "--out", "rich")
_HEADLINE: Final = re.compile(r"Headline: (.+)")


def project(folder: Path, generators: Mapping[str, str], *, news: int) -> None:
    """A folder with so many news in the data set `small`, and these generators.

    Args:
        generators: options of each as lines of TOML; the first one is the default.
        news: six at least.
    """
    folder.mkdir(exist_ok=True)
    save_dataset(small_dataset(more_news=news - 6), folder / "small")
    registry_toml(folder, generators)


def registry_toml(folder: Path, generators: Mapping[str, str]) -> None:
    """A registry.toml with these generators, the first one being the default."""
    tables = [f"[generators.{name}]\n{options}" for name, options in generators.items()]
    registry = [f'[defaults]\ngenerator = "{next(iter(generators))}"', *tables]
    (folder / "registry.toml").write_text("\n\n".join(registry) + "\n", encoding="utf-8")


def openai_compatible(base_url: str, *, timeout: float = 120.0, price: str = "", **limits: float) -> str:
    """Options of a generator that asks the server there; `price` is a table in TOML."""
    return "\n".join(
        [
            'plugin = "openai-compatible"',
            f'base_url = "{base_url}"',
            'model = "m"',
            f"timeout = {timeout}",
            f"limits = {table(limits)}",
            *([f"price = {price}"] if price else []),
        ]
    )


def litellm(api_base: str, *, model: str = "openai/m", timeout: float = 120.0, **limits: float) -> str:
    """Options of a generator that asks the server there through litellm."""
    return f"""\
plugin = "litellm"
model = "{model}"
api_base = "{api_base}"
timeout = {timeout}
limits = {table(limits)}"""


def table(values: Mapping[str, float]) -> str:
    """A table in one line of TOML."""
    return f"{{ {', '.join(f'{name} = {value}' for name, value in values.items())} }}"


def headline(messages: object) -> str:
    """Which news a question is about: the headline that it shows, which no other news has."""
    found = _HEADLINE.search(json.dumps(messages, ensure_ascii=False).replace("\\n", "\n"))
    assert found is not None, messages
    return found[1]


def number_for(text: str, seed: int = 0) -> int:
    """A number that looks random and is the same for the same text and seed, on every machine."""
    return int.from_bytes(hashlib.blake2b(f"{seed} {text}".encode(), digest_size=6).digest())


def title_for(text: str) -> str:
    """The answer to a question about this headline."""
    return json.dumps({"title": f"Title {number_for(text)}"})


def records(folder: Path) -> pl.DataFrame:
    """What the round over `small` recorded."""
    return pl.read_parquet(_round(folder) / "records" / "*.parquet")


def quarantine(folder: Path) -> list[dict[str, str]]:
    """What it quarantined."""
    return [json.loads(line) for line in (_round(folder) / "quarantine.jsonl").read_text().splitlines()]


def files(folder: Path) -> dict[str, bytes]:
    """Every file below the data set `rich` and beside it in its rounds, by its path."""
    found = (path for part in ("rich", "rich-rounds") for path in sorted((folder / part).rglob("*")) if path.is_file())
    return {str(path.relative_to(folder)): path.read_bytes() for path in found}


def _round(folder: Path) -> Path:
    return folder / "rich-rounds" / "rich" / "00-news-summarizer"
