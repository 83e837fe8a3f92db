"""`language`: a text is in one of the languages that are wanted."""

from typing import Any

import attrs

from genre.dataset import Dataset
from genre.errors import UsageError, nearest
from genre.parts import Prompt, Record
from genre_gates.extra import imported
from genre_gates.texts import no_text, text_of


@attrs.frozen
class LanguageOptions:
    """
    Attributes:
        property: the answer's property.
        languages: codes of ISO 639 that are accepted, such as `en`.
        among: languages that a text may be taken for beside these; empty for all that are known. A short list makes
            fewer mistakes.
        min_length: a text of fewer characters passes, since nobody can tell.
    """

    property: str = "title"
    languages: tuple[str, ...] = attrs.field(default=("en",), validator=attrs.validators.min_len(1))
    among: tuple[str, ...] = ()
    min_length: int = attrs.field(default=30, validator=attrs.validators.ge(0))


class Language:
    """Asks py3langid (naive Bayes over byte n-grams; the model is a file of the package)."""

    def __init__(self, options: LanguageOptions, dataset: Dataset) -> None:  # noqa: ARG002  the contract passes it
        self._options = options
        self._wanted = frozenset(options.languages)
        self._identifier = _identifier()
        known = self._identifier.labels
        for code in (*options.languages, *options.among):
            if code not in known:
                raise UsageError(
                    f"the gate 'language' knows no language {code!r}",
                    where="gates.language",
                    remedy=nearest(code, known),
                )
        if options.among:
            self._identifier.set_languages(sorted({*options.among, *options.languages}))

    def reject(self, prompt: Prompt, record: Record) -> str | None:  # noqa: ARG002  the contract passes it
        """A reason when a text that is long enough is most likely in another language."""
        options = self._options
        text = text_of(record, options.property)
        if text is None:
            return no_text(options.property)
        if len(text) < options.min_length or self._identifier.classify(text)[0] in self._wanted:
            return None
        return f"{options.property} in another language"


def _identifier() -> Any:
    """An identifier of our own: the package's own one is shared, and `set_languages` would change it for others."""
    langid = imported("py3langid", "language").langid
    return langid.LanguageIdentifier.from_model_file(langid.MODEL_FILE)
