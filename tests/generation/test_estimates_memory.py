"""An estimate keeps a digest of each call and no prompt, so that a million of them fit into memory."""

import subprocess
import sys

import pytest

PROMPTS = 300_000
GROWTH_MIB = 100
"""A digest, its place in a set and some slack make a third of it; prompts kept would make five times as much."""
PROGRAM = f"""
import asyncio, resource
from contextlib import closing
from pathlib import Path
from genre.generation import Limits, Routing
from genre.generation.estimates import Again, StoredAsker
from genre.generation.read_only_store import ReadOnlyStore
from genre.parts import Identity, Message, Price, Prompt, Sampling

class Nobody:
    identity = Identity("m", "e")
    price = Price(1.0, 2.0)

def prompts(count):
    for number in range(count):
        message = Message("user", f"question {{number}} " + "x" * 1_000)
        yield Prompt("t", f"S{{number}}", 0, (message,), Sampling(max_tokens=400))

def peak():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024

async def ask(count):
    with closing(ReadOnlyStore(Path("none.sqlite"))) as store:
        asker = StoredAsker(store, Again(1, 5_000), set(), lambda _: None)
        async for _ in asker.answers(prompts(count), Routing.to(Nobody(), Limits(), "g")):
            pass
        assert asker.estimate("v", "r", "t", count).calls == count

asyncio.run(ask(5_000))
before = peak()
asyncio.run(ask({PROMPTS}))
print(peak() - before)
"""


@pytest.mark.slow
def test_the_memory_of_an_estimate_does_not_grow_with_its_prompts() -> None:
    done = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert float(done.stdout) < GROWTH_MIB
