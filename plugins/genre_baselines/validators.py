"""Checks that options of several parts share."""

from typing import Any, Final

import attrs

is_ratio: Final = [attrs.validators.ge(0.0), attrs.validators.lt(1.0)]
is_count: Final = attrs.validators.ge(1)
are_widths: Final[list[Any]] = [attrs.validators.min_len(1), attrs.validators.deep_iterable(is_count)]
