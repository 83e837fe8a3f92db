"""Pieces of the reference that are made from the code: a page says `<!-- from code: NAME -->` where one belongs.

What has no documentation in the code is an `Undocumented` error, which fails the build and the tests.
"""

import re
from collections.abc import Callable, Mapping
from typing import Final

from from_code import commands, formats, hooks, parts, python, settings

PIECES: Final[Mapping[str, Callable[[], str]]] = {
    "hooks": hooks.hooks,
    "events": hooks.events,
    **{f"parts {kind}": parts.piece(kind) for kind in parts.KINDS},
    "commands": commands.commands,
    "registry.toml": settings.registry,
    "experiment files": settings.experiment,
    "data set folder": formats.dataset_folder,
    "answer store": formats.answer_store,
    "results.json": formats.results,
    "summary.json": formats.summary,
    "rounds of experiment.json": formats.rounds,
    "records": formats.records,
    "contracts": python.contracts,
    "functions": python.functions,
    "testing": python.testing,
}
_MARK: Final = re.compile(r"^<!-- from code: (.*) -->$", re.MULTILINE)


def filled(text: str) -> str:
    """A page with its pieces in their places.

    Raises:
        KeyError: there is no such piece.
        Undocumented: something in the code says nothing of itself.
    """
    return _MARK.sub(lambda mark: PIECES[mark[1]](), text)
