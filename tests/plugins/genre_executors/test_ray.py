"""Rounds on a real cluster of two workers, asked over real HTTP, come out as they do in one process."""

import hashlib
import json
import os
import signal
import subprocess
import sys
import threading
from contextlib import closing
from pathlib import Path

import pytest
from command_line import Genre, run_genre, start_genre
from ray_cluster import share_cluster, worker_processes
from servers import ChatServer, Reply, Request
from small_data import small_dataset
from stored_answers import answers_by_state

from genre.dataset import save_dataset
from genre.generation import AnswerStore
from genre.generation.commits import COMMIT_ROWS
from genre_executors.ray_cluster import BLOCK_RETRIES

CONCURRENCY = 8
PROMPTS = 606
REGISTRY = """
[defaults]
generator = "server"
[generators.server]
plugin = "openai-compatible"
base_url = "{url}"
model = "m"
price = {{ prompt = 1000.0, completion = 1000.0 }}
limits = {{ concurrency = {concurrency} }}
[generators.other]
plugin = "openai-compatible"
base_url = "{url}"
model = "other"
limits = {{ concurrency = {concurrency} }}
[generators.both]
plugin = "mix"
routes = {{ server = 7, other = 3 }}
[executors.ray]
block = {block}
"""


def answer(request: Request) -> Reply:
    """A title that depends on the question only."""
    title = hashlib.blake2b(request.user_text.encode(), digest_size=8).hexdigest()
    return Reply.answer(json.dumps({"title": title}))


def project(folder: Path, server: ChatServer, prompts: int = PROMPTS, block: int = 50) -> None:
    save_dataset(small_dataset(more_news=prompts - 6), folder / "small")
    registry = REGISTRY.format(url=server.base_url, concurrency=CONCURRENCY, block=block)
    (folder / "registry.toml").write_text(registry)


def enrich(executor: str, *further: str) -> tuple[str, ...]:
    """A call with a store and a result of its own."""
    task = ("--task", "news-summarizer", "--executor", executor)
    return ("enrich", "small", *task, "--out", executor, "--store", f"{executor}.sqlite", "--json", *further)


def files(folder: Path) -> dict[str, bytes]:
    """What a run left: the data set and its records."""
    return {
        path.relative_to(folder).as_posix().replace("ray", "local"): path.read_bytes()
        for place in folder.glob("*-rounds")
        for path in [*place.rglob("*.parquet"), *place.with_name(place.name.removesuffix("-rounds")).iterdir()]
        if path.is_file()
    }


def stored(path: Path) -> int:
    with closing(AnswerStore(path)) as store:
        return answers_by_state(store).get("ok", 0)


@pytest.mark.slow
def test_records_and_data_are_those_of_the_local_executor_and_survive_a_killed_worker(
    genre: Genre, tmp_path: Path
) -> None:
    killed: list[int] = []

    def answer_or_kill(request: Request) -> Reply:
        if len(server.requests) == PROMPTS + PROMPTS // 2:  # half-way through the second run
            killed.extend(worker_processes()[:1])
            os.kill(killed[0], signal.SIGKILL)
        return answer(request)

    with ChatServer(answer_or_kill) as server:
        project(tmp_path, server)
        local = genre(*enrich("local"))
        assert local.code == 0, local.err
        ours = files(tmp_path)
        assert len(ours) > 6
        for folder in ("local", "local-rounds"):
            (tmp_path / folder).rename(tmp_path / f"first-{folder}".replace("-rounds", ".rounds"))
        on_ray = run_genre(tmp_path, *enrich("ray"))
    assert on_ray.code == 0, on_ray.err
    assert len(killed) == 1
    assert json.loads(on_ray.out) == json.loads(local.out)
    assert {path: content == ours[path] for path, content in files(tmp_path).items()} == dict.fromkeys(ours, True)
    assert len(server.requests) - 2 * PROMPTS <= CONCURRENCY + COMMIT_ROWS


@pytest.mark.slow
def test_a_killed_worker_s_block_is_not_asked_again_as_a_whole(tmp_path: Path) -> None:
    """A block of 400, killed at its 390th prompt, by the only worker: far more than may be lost was answered."""
    block, prompts = 400, 1600
    killed: list[int] = []

    def answer_or_kill(request: Request) -> Reply:
        if request.number == block - 10:
            killed.extend(worker_processes())
            for pid in killed:
                os.kill(pid, signal.SIGKILL)
        return answer(request)

    with ChatServer(answer_or_kill) as server:
        project(tmp_path, server, prompts, block)
        with (tmp_path / "registry.toml").open("a", encoding="utf-8") as file:
            file.write("workers = 1\n")
        done = run_genre(tmp_path, *enrich("ray", "-o", "ask_again=0"))
    assert done.code == 0, done.err
    assert len(killed) == 1
    assert json.loads(done.out)[0]["records"] == prompts
    assert 0 < len(server.requests) - prompts <= CONCURRENCY + COMMIT_ROWS < block - 10


@pytest.mark.slow
def test_a_prompt_that_kills_each_worker_that_asks_it_ends_the_round(tmp_path: Path) -> None:
    killed: list[int] = []

    def answer_or_kill(request: Request) -> Reply:
        if "More news 300" in request.user_text and len(killed) < 10:
            [asking] = worker_processes()
            killed.append(asking)
            os.kill(asking, signal.SIGKILL)
        return answer(request)

    with ChatServer(answer_or_kill) as server:
        project(tmp_path, server)
        with (tmp_path / "registry.toml").open("a", encoding="utf-8") as file:
            file.write("workers = 1\n")
        done = run_genre(tmp_path, *enrich("ray"))
    assert done.code == 1
    assert "the cluster failed" in done.err
    assert "deprecated" not in done.err
    assert len(killed) == 1 + BLOCK_RETRIES
    assert stored(tmp_path / "ray.sqlite") >= 300 - COMMIT_ROWS


@pytest.mark.slow
def test_an_owner_that_dies_ends_the_round_and_what_it_wrote_is_kept(tmp_path: Path) -> None:
    killed: list[int] = []

    def answer_or_kill(request: Request) -> Reply:
        if request.number == PROMPTS // 2:
            killed.extend(worker_processes("Owner"))
            os.kill(killed[0], signal.SIGKILL)
        return answer(request)

    with ChatServer(answer_or_kill) as server:
        project(tmp_path, server)
        done = run_genre(tmp_path, *enrich("ray"))
    assert done.code == 1
    assert "the process that owns the answer store is gone" in done.err
    assert "-> run the command again" in done.err
    assert "Traceback" not in done.err
    assert stored(tmp_path / "ray.sqlite") >= PROMPTS // 2 - CONCURRENCY - COMMIT_ROWS


@pytest.mark.slow
def test_a_run_that_is_interrupted_keeps_what_was_answered_and_asks_for_the_rest_only(
    genre: Genre, tmp_path: Path
) -> None:
    half_way = threading.Event()

    def answer_half(request: Request) -> Reply:
        if stopped:
            return answer(request)
        if request.number < PROMPTS // 2:
            return answer(request)
        half_way.set()
        return Reply(manner="hang")

    stopped = False
    with ChatServer(answer_half) as server:
        project(tmp_path, server)
        with start_genre(tmp_path, *enrich("ray")) as process:
            assert half_way.wait(120)
            process.send_signal(signal.SIGINT)
            _, err = process.communicate(timeout=60)
        assert process.returncode == 130, err
        assert "run the same command again" in err
        before = stored(tmp_path / "ray.sqlite")
        assert before == PROMPTS // 2
        stopped = True
        asked = len(server.requests)
        again = genre("enrich", "small", "--task", "news-summarizer", "--out", "rich", "--store", "ray.sqlite")
    assert again.code == 0, again.err
    assert len(server.requests) - asked == PROMPTS - before


@pytest.mark.slow
def test_what_ends_a_round_is_told_as_by_the_local_executor(genre: Genre, tmp_path: Path) -> None:
    share_cluster()

    def locked_out(request: Request) -> Reply:
        return Reply.error(401) if "More news 300" in request.user_text else answer(request)

    with ChatServer(locked_out) as server:
        project(tmp_path, server)
        local, on_ray = genre(*enrich("local")), genre(*enrich("ray"))
    assert "the API key is missing or wrong" in local.err
    assert (on_ray.code, on_ray.err.splitlines()[-1]) == (local.code, local.err.splitlines()[-1])
    assert stored(tmp_path / "ray.sqlite") > 0


@pytest.mark.slow
def test_a_provider_that_dies_half_way_is_told_once_and_the_other_finishes(genre: Genre, tmp_path: Path) -> None:
    share_cluster()

    def dying(request: Request) -> Reply:
        dead = request.body["model"] == "m" and request.number > PROMPTS // 2
        return Reply.error(402, "no credit left") if dead else answer(request)

    with ChatServer(dying) as server:
        project(tmp_path, server)
        done = genre(*enrich("ray", "--generator", "both"))
    assert done.code == 0, done.err
    assert json.loads(done.out)[0]["records"] == PROMPTS
    assert done.err.count("server answers nothing any more") == 1
    refused = sum(request.body["model"] == "m" for request in server.requests[PROMPTS // 2 + 1 :])
    assert refused <= CONCURRENCY


@pytest.mark.slow
def test_a_budget_is_not_exceeded_by_all_workers_together(genre: Genre, tmp_path: Path) -> None:
    """An answer costs 0.01 USD (7 + 3 tokens), and may cost a hundred times that before this is known."""
    share_cluster()
    with ChatServer(answer) as server:
        project(tmp_path, server)
        done = genre(*enrich("ray", "--budget", "3usd"))
        assert done.code == 1
        assert "the budget of 3 USD does not cover the next call" in done.err
    assert 1.0 <= 0.01 * len(server.requests) <= 3.0
    assert 0 <= len(server.requests) - stored(tmp_path / "ray.sqlite") <= CONCURRENCY


def test_an_address_where_nobody_listens_is_told_at_once(tmp_path: Path) -> None:
    """Ray would try for minutes."""
    with ChatServer(answer) as server:
        project(tmp_path, server)
        with (tmp_path / "registry.toml").open("a", encoding="utf-8") as file:
            file.write('address = "127.0.0.1:1"\n')
        done = run_genre(tmp_path, *enrich("ray"))
    assert done.code == 2
    assert "there is no Ray cluster at '127.0.0.1:1'" in done.err
    assert "Failed to connect" not in done.err


def test_ray_is_not_started_for_what_is_stored(genre: Genre, tmp_path: Path) -> None:
    with ChatServer(answer) as server:
        project(tmp_path, server)
        assert genre(*enrich("local")).code == 0
        before = len(server.requests)
        words = enrich("ray", "--store", "local.sqlite")
        code = f"import sys; sys.argv = ['genre', *{words!r}]; from genre.cli.main import main; import atexit\n"
        code += "atexit.register(lambda: print('ray' in sys.modules))\nmain()"
        done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1] == "False"
    assert len(server.requests) == before
