"""The key that the service takes."""

import pytest
from service import KEY


@pytest.fixture(autouse=True)
def headlines_key(monkeypatch: pytest.MonkeyPatch) -> None:
    """The environment variable that tests name."""
    monkeypatch.setenv("HEADLINES_KEY", KEY)
