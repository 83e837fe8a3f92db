"""`length`: a text is neither too short nor too long."""

import attrs

from genre.dataset import Dataset
from genre.parts import Prompt, Record
from genre_gates.texts import no_text, text_of, words

_COUNT = attrs.validators.ge(0)
_MAYBE_COUNT = attrs.validators.optional(_COUNT)


@attrs.frozen
class LengthOptions:
    """
    Attributes:
        property: the answer's property.
        min_words, max_words: bounds of its words, both included; None for no upper bound.
        min_characters, max_characters: bounds of its characters, both included; None for no upper bound.
    """

    property: str = "title"
    min_words: int = attrs.field(default=2, validator=_COUNT)
    max_words: int | None = attrs.field(default=None, validator=_MAYBE_COUNT)
    min_characters: int = attrs.field(default=0, validator=_COUNT)
    max_characters: int | None = attrs.field(default=None, validator=_MAYBE_COUNT)

    def __attrs_post_init__(self) -> None:
        for unit in ("words", "characters"):
            least, most = getattr(self, f"min_{unit}"), getattr(self, f"max_{unit}")
            if most is not None and least > most:
                raise ValueError(f"min_{unit} {least} is above max_{unit} {most}")


class Length:
    """Counts words, which punctuation does not add to, and characters."""

    def __init__(self, options: LengthOptions, dataset: Dataset) -> None:  # noqa: ARG002  the contract passes it
        self._options = options

    def reject(self, prompt: Prompt, record: Record) -> str | None:  # noqa: ARG002  the contract passes it
        """A reason when a bound is broken: the first, words before characters."""
        options = self._options
        text = text_of(record, options.property)
        if text is None:
            return no_text(options.property)
        for unit, count, least, most in (
            ("words", len(words(text)), options.min_words, options.max_words),
            ("characters", len(text), options.min_characters, options.max_characters),
        ):
            if count < least:
                return f"{options.property} below {least} {unit}"
            if most is not None and count > most:
                return f"{options.property} above {most} {unit}"
        return None
