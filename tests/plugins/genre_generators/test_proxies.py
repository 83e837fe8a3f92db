"""Proxies come from the environment; passwords from ~/.netrc do not."""

import asyncio
import os
from pathlib import Path

import aiohttp
import pytest
from batch_calls import ask, openai, prompt
from batch_server import BatchServer
from servers import ChatServer
from worker_outcomes import KEY, PROMPT

from genre.options import Secret
from genre.proxies import proxy_for
from genre_generators.http_failures import Failures
from genre_generators.openai_compatible import OpenAICompatibleGenerator
from genre_generators.openai_compatible_options import OpenAICompatibleOptions


@pytest.fixture(autouse=True)
def no_proxies(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in list(os.environ):
        if name.lower().endswith("_proxy"):
            monkeypatch.delenv(name)


def test_each_scheme_has_its_own_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", "http://plain:3128")
    assert proxy_for("http://example.org/v1") == "http://plain:3128"
    assert proxy_for("https://example.org/v1") is None
    monkeypatch.setenv("HTTPS_PROXY", "secure:3128")
    assert proxy_for("https://example.org/v1") == "http://secure:3128"


@pytest.mark.parametrize(("names", "asked"), [("example.org", False), ("example.org:8000", False), ("other.org", True)])
def test_no_proxy_is_asked_for_what_the_environment_excepts(
    names: str, asked: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("http_proxy", "http://proxy:3128")
    monkeypatch.setenv("no_proxy", names)
    assert (proxy_for("http://example.org:8000/v1") is not None) == asked


@pytest.mark.parametrize("host", ["127.0.0.1", "127.1.2.3:8000", "localhost:8000", "[::1]:8000"])
def test_no_proxy_is_asked_for_this_machine(host: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", "http://proxy:3128")
    assert proxy_for(f"http://{host}/v1") is None


def test_a_proxy_is_used_and_its_password_is_not_told(monkeypatch: pytest.MonkeyPatch) -> None:
    with ChatServer() as server:
        monkeypatch.setenv("http_proxy", server.address)
        options = OpenAICompatibleOptions("http://example.org/v1", "small")
        asyncio.run(asked(OpenAICompatibleGenerator(options)))
        assert server.requests[0].headers["host"] == "example.org"
    lost = aiohttp.InvalidURL("http://me:my-password@proxy:x")
    assert "my-password" not in str(Failures(None, None, 3.0).of_connection(lost))


@pytest.mark.parametrize("entry", ["machine 0.0.0.0", "default"])
@pytest.mark.parametrize("key", [None, Secret("TEST_KEY")])
def test_no_password_is_taken_from_netrc(
    entry: str, key: Secret | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    use_netrc(tmp_path / "netrc", entry, monkeypatch)
    with ChatServer() as server:
        address = server.base_url.replace("127.0.0.1", "0.0.0.0")
        asyncio.run(asked(OpenAICompatibleGenerator(OpenAICompatibleOptions(address, "small", api_key=key))))
        assert server.requests[0].headers.get("authorization") == (key and f"Bearer {KEY}")


@pytest.mark.parametrize("key", [None, Secret("TEST_KEY")])
def test_no_password_is_taken_from_netrc_for_a_batch(
    key: Secret | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    use_netrc(tmp_path / "netrc", "default", monkeypatch)
    with BatchServer() as server:
        address = server.base_url.replace("127.0.0.1", "0.0.0.0")
        ask(openai(server, tmp_path / "journal", base_url=address, api_key=key), prompt())
        assert server.headers.get("authorization") == (key and f"Bearer {KEY}")


def use_netrc(path: Path, entry: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file of passwords with this entry, and a key in the environment."""
    path.write_text(f"{entry} login me password mine\n", encoding="utf-8")
    path.chmod(0o600)
    monkeypatch.setenv("NETRC", str(path))
    monkeypatch.setenv("TEST_KEY", KEY)


async def asked(generator: OpenAICompatibleGenerator) -> None:
    await generator.complete(PROMPT)
    await generator.aclose()
