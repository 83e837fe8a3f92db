"""JSON schemas of answers: whether a value meets one, and if not, which keyword of the schema it breaks where."""

import functools
import json
from collections.abc import Mapping
from typing import Final, NoReturn

import jsonschema_rs

from genre.generation.keys import SameAgain
from genre.parts import Json, canonical_json


def schema_problem(value: Json, schema: Mapping[str, Json]) -> str | None:
    """The first keyword of the schema (draft 2020-12) that the value does not meet, and where; None when it meets all.

    Raises:
        ValueError: the schema itself is wrong; `wrong_schema` says why.
    """
    problem = next(iter(_validator_of(schema).iter_errors(value)), None)
    if problem is None:
        return None
    place = "/".join(map(str, problem.instance_path))
    keyword = next(step for step in reversed(problem.schema_path) if isinstance(step, str))
    return f"{keyword} of {place}" if place else keyword


def wrong_schema(schema: Mapping[str, Json]) -> str | None:
    """Why something is no JSON schema of draft 2020-12, or refers to what it does not hold; None when it is one."""
    try:
        _validator_of(schema)  # `jsonschema_rs.meta` would fetch the dialect that a schema names
    except jsonschema_rs.ValidationError as error:
        return str(error.message)
    except ValueError as error:
        return str(error)
    return None


@functools.lru_cache(maxsize=64)
def _validator(schema: str) -> jsonschema_rs.Draft202012Validator:
    return jsonschema_rs.Draft202012Validator(json.loads(schema), retriever=_retrieve_nothing)


_validator_of: Final = SameAgain(lambda schema: _validator(canonical_json(schema)))


def _retrieve_nothing(address: str) -> NoReturn:
    """A schema is whole: nothing is fetched because it says so."""
    raise ValueError(f"a schema of answers may not refer to {address}")
