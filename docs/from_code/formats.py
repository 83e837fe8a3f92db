"""Files that genre writes: their tables, columns and keys."""

from collections.abc import Mapping, Sequence

import attrs
import polars as pl

from from_code.markdown import code, documented, prose, table
from genre.dataset.files import FORMAT_VERSION, MANIFEST
from genre.dataset.tables import TABLES, Dataset
from genre.experiments.results import Cell, result_rows
from genre.experiments.statistics.gains import Comparison, Gain
from genre.experiments.statistics.summary import Summary, as_json
from genre.generation.records import PROVENANCE
from genre.generation.reports import RoundReport
from genre.generation.store import DEFINITIONS, StoredAnswer
from genre.modeling.metrics import METRICS
from genre.option_docs import attributes_section
from genre.parts import Completion, Usage


def dataset_folder() -> str:
    """Tables of a saved data set."""
    told = attributes_section(Dataset)
    pieces = [f"`{MANIFEST}` has `format` ({FORMAT_VERSION}), `fingerprint` and `lineage`: {prose(told['lineage'])}"]
    for name, schema in TABLES.items():
        meaning = documented(told.get(name), f"the table {name} of Dataset")
        columns = [(code(column), code(_type(dtype))) for column, dtype in schema.items()]
        pieces.append(f"**{name}**: {prose(meaning)}\n\n{table(('column', 'type'), columns)}")
    return "\n\n".join(pieces)


def _type(dtype: object) -> str:
    if isinstance(dtype, pl.List):
        return f"list of {_type(dtype.inner)}"
    return str(dtype)


def answer_store() -> str:
    """Columns of the answer store."""
    tokens = documented(Usage.__doc__, "Usage")
    told = {"prompt_tokens": tokens, "completion_tokens": tokens}
    told |= attributes_section(Completion) | attributes_section(StoredAnswer)
    rows = [
        (code(name), code(kind.split(" ")[0].lower()), prose(documented(told.get(name), f"the column {name}")))
        for name, kind in DEFINITIONS.items()
    ]
    return table(("column", "type", "what it is"), rows)


def results() -> str:
    """Keys of a row of results.json."""
    [row] = result_rows(
        Cell("", "", 0), "", [{"segment": "", **dict.fromkeys(METRICS), "impressions": 0}], leaked=False
    )
    return ", ".join(map(code, row))


def summary() -> str:
    """Keys of summary.json, and of the rows of its lists."""
    keys = as_json(Summary((), None, (), ()))
    told = attributes_section(Summary) | {
        "level": "of the intervals.",
        "resamples": "of the bootstrap.",
        "detectable": " ".join(documented(Summary.detectable.__doc__, "detectable").split()),
    }
    pieces = [table(("key", "what it is"), [(code(key), prose(documented(told.get(key), key))) for key in keys])]
    for name, cls in (("gains", Gain), ("comparisons", Comparison)):
        pieces.append(f"Rows of `{name}`, where an interval is `difference`, `low` and `high`:\n\n{_fields(cls)}")
    return "\n\n".join(pieces)


def rounds() -> str:
    """Keys of what experiment.json says of a round."""
    return _fields(RoundReport)


def _fields(cls: type) -> str:
    told: Mapping[str, str] = attributes_section(cls)
    names: Sequence[str] = [field.name for field in attrs.fields(cls)]
    silent = [name for name in names if name not in told]
    rows = [(code(name), prose(told[name])) for name in names if name in told]
    return "\n\n".join([f"Names: {', '.join(map(code, silent))}." if silent else "", table(("key", ""), rows)]).strip()


def records() -> str:
    """Columns that every record has."""
    return ", ".join(map(code, PROVENANCE))
