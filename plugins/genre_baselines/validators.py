"""Checks that options of several parts share."""

from collections.abc import Callable
from typing import Final, TypeAlias

import attrs

Validator: TypeAlias = Callable[[object, "attrs.Attribute[tuple[int, ...]]", tuple[int, ...]], object]

is_ratio: Final = [attrs.validators.ge(0.0), attrs.validators.lt(1.0)]
is_count: Final = attrs.validators.ge(1)
are_widths: Final[Validator] = attrs.validators.and_(
    attrs.validators.min_len(1), attrs.validators.deep_iterable(is_count)
)
