"""The pages as HTML. What comes from the data set is untrusted: escaped, and never a link, a style or a script."""

import json
from collections.abc import Callable, Mapping
from importlib.resources import files
from typing import Final, TypeVar, get_args
from urllib.parse import urlencode

import jinja2

from genre.browser.details import news_details, reader_details
from genre.browser.search import NewsKind, NewsSearch, ReaderKind, ReaderSearch
from genre.dataset import Dataset
from genre.errors import UsageError, nearest

STYLE: Final = files("genre.browser").joinpath("static/style.css").read_text(encoding="utf-8")
ICON: Final = files("genre.browser").joinpath("static/icon.svg").read_text(encoding="utf-8")

_SUBJECTS: Final = ("round", "reader", "field", "split")
"""What names a step of the lineage, beside its operation."""

Query = Mapping[str, str]
"""The parameters of an address."""
Describe = Callable[[Dataset, str], Mapping[str, object]]
Choice = TypeVar("Choice", bound=str)


class Pages:
    """The pages of one data set. Each method gives a page for the parameters of an address.

    Raises:
        UsageError: a parameter is wrong.
        NotFoundError: there is no such news or reader.
    """

    def __init__(self, dataset: Dataset, name: str) -> None:
        """
        Args:
            name: of the data set, for titles.
        """
        self._dataset = dataset
        self._news = NewsSearch(dataset)
        self._readers = ReaderSearch(dataset)
        self._environment = jinja2.Environment(
            loader=jinja2.PackageLoader("genre.browser"),
            autoescape=True,
            undefined=jinja2.StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._environment.globals.update(address=address, dataset_name=name)

    def home(self, _query: Query) -> str:
        """What the data set is: counts, and how it came to be."""
        lineage = [
            (
                step.operation,
                next((str(step.details[name]) for name in _SUBJECTS if name in step.details), ""),
                json.dumps(step.details, indent=2),
            )
            for step in self._dataset.lineage
        ]
        return self._render(
            "home",
            stats=self._dataset.stats(),
            lineage=lineage,
            leaked=self._dataset.leaked,
            splits=self._dataset.splits,
        )

    def news_list(self, query: Query) -> str:
        """News that were searched for."""
        kind: NewsKind = _choice(query, "kind", get_args(NewsKind))
        category, words = query.get("category", ""), query.get("q", "")
        hits = self._news.find(words, kind=kind, category=category, page=_number(query))
        state = {"q": words, "kind": kind, "category": category}
        return self._render(
            "news_list", hits=hits, state=state, kinds=get_args(NewsKind), categories=self._news.categories
        )

    def reader_list(self, query: Query) -> str:
        """Readers that were searched for."""
        kind: ReaderKind = _choice(query, "kind", get_args(ReaderKind))
        words = query.get("q", "")
        hits = self._readers.find(words, kind=kind, page=_number(query))
        return self._render("reader_list", hits=hits, state={"q": words, "kind": kind}, kinds=get_args(ReaderKind))

    def news(self, query: Query) -> str:
        """One news."""
        return self._render("news", **_found(news_details, self._dataset, query))

    def reader(self, query: Query) -> str:
        """One reader."""
        return self._render("reader", **_found(reader_details, self._dataset, query))

    def problem(self, message: str, remedy: str | None = None) -> str:
        """A page that says what went wrong."""
        return self._render("problem", message=message, remedy=remedy)

    def _render(self, template: str, **values: object) -> str:
        return self._environment.get_template(f"{template}.html.jinja").render(**values)


class NotFoundError(UsageError):
    """There is no such news or reader."""


def address(path: str, **parameters: object) -> str:
    """An address on this server; empty parameters are left out."""
    given = {name: value for name, value in parameters.items() if value not in ("", None)}
    return f"{path}?{urlencode(given)}" if given else path


def _found(describe: Describe, dataset: Dataset, query: Query) -> Mapping[str, object]:
    try:
        return describe(dataset, query.get("id", ""))
    except UsageError as error:
        raise NotFoundError(error.message, remedy=error.remedy) from error


def _choice(query: Query, name: str, choices: tuple[Choice, ...]) -> Choice:
    given = query.get(name, choices[0])
    for choice in choices:
        if choice == given:
            return choice
    raise UsageError(f"{name} is {given!r}", remedy=nearest(given, choices))


def _number(query: Query) -> int:
    text = query.get("page", "1")
    if not (text.isascii() and text.isdigit() and len(text) <= 9):
        raise UsageError(f"page is {text!r}", remedy="name a number, from 1")
    return int(text)
