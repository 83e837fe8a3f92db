"""How figures and names are written on the report's page."""

from typing import Final

METRIC_NAMES: Final = {"auc": "AUC", "mrr": "MRR", "ndcg@5": "nDCG@5", "ndcg@10": "nDCG@10"}
READERS: Final = {"all": "all readers", "new": "new readers", "warm": "warm readers"}
NONE: Final = "\N{EN DASH}"
HOLM: Final = "Holm\N{RIGHT SINGLE QUOTATION MARK}s correction"
_MINUS: Final = "\N{MINUS SIGN}"


def figure(value: float | None) -> str:
    """A metric, in four digits."""
    return NONE if value is None else plain(value, 4)


def plain(value: float, digits: int) -> str:
    """A number with a true minus sign."""
    return f"{value:.{digits}f}".replace("-", _MINUS)


def signed(value: float, digits: int = 4) -> str:
    """A difference, with its sign."""
    text = f"{value:+.{digits}f}".replace("-", _MINUS)
    return text[1:] if not text.strip(f"+{_MINUS}0.") else text


def interval(low: float | None, high: float | None) -> str:
    """The bounds of a figure."""
    return "" if low is None or high is None else f"{figure(low)} to {figure(high)}"


def signed_interval(low: float, high: float) -> str:
    """The bounds of a difference."""
    return f"{signed(low)} to {signed(high)}"


def probability(p: float | None) -> str:
    """A p-value; below 0.001 nobody resamples often enough to tell."""
    if p is None:
        return NONE
    return "< 0.001" if p < 0.001 else f"{p:.3f}"


def shortened(text: str, most: int) -> str:
    """A text of at most so many characters."""
    return text if len(text) <= most else f"{text[: most - 1].rstrip()}…"
