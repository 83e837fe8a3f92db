"""What an answer store holds, for tests."""

from collections import Counter

from genre.generation import AnswerStore


def answers_by_state(store: AnswerStore) -> dict[str, int]:
    """How many answers there are of each state."""
    counts: Counter[str] = Counter()
    for totals in store.totals():
        counts[totals.state] += totals.answers
    return dict(counts)
