"""`genre enrich --retry-quarantined` asks anew for what is in quarantine, and for nothing else."""

import json
from pathlib import Path

import pytest
from command_line import Genre
from servers import ChatServer, Reply, Request

from genre.dataset import load_dataset

ARGUMENTS = ("enrich", "small", "--task", "news-summarizer", "--generator", "chat", "--out", "rich", "--json")


def project(folder: Path, server: ChatServer) -> None:
    (folder / "registry.toml").write_text(
        f'[generators.chat]\nplugin = "openai-compatible"\nbase_url = "{server.base_url}"\nmodel = "scripted"\n'
        'structured = "none"\nprice = { prompt = 1.0, completion = 1.0 }\nlimits = { attempts = 1, backoff = 0.01 }\n'
    )


def quarantine(folder: Path) -> list[dict[str, object]]:
    path = folder / "rich-rounds" / "rich" / "00-news-summarizer" / "quarantine.jsonl"
    return [json.loads(line) for line in path.read_text().splitlines()]


def says(request: Request) -> str:
    """The title that it asks about, in an answer."""
    return json.dumps({"title": f"Better: {request.body['messages'][1]['content'][:40]}"})


def stubborn(request: Request) -> Reply:
    """Late goals get nothing but talk, however often, until the seed is another one."""
    late = "Late goal" in str(request.body["messages"])
    return Reply.answer("I would rather not." if late and request.body["seed"] == 0 else says(request))


def test_only_the_quarantine_is_asked_anew_and_the_new_answer_is_used_from_then_on(
    genre: Genre, small_folder: Path, tmp_path: Path
) -> None:
    with ChatServer(stubborn) as server:
        project(tmp_path, server)
        [first] = json.loads(genre(*ARGUMENTS).out)
        assert (first["calls"], first["records"], first["quarantined"]) == (7, 5, {"malformed: not JSON": 1})
        [retried] = json.loads(genre(*ARGUMENTS, "--retry-quarantined").out)
        assert (retried["calls"], retried["reused"], retried["records"]) == (1, 6, 6)
        assert quarantine(tmp_path) == []
        [plain] = json.loads(genre(*ARGUMENTS).out)
    assert (plain["calls"], plain["records"]) == (0, 6)
    last, before = server.requests[-1].body, server.requests[-2].body
    assert last["messages"] == before["messages"]
    assert (before["seed"], last["seed"]) == (0, 1_000_003)
    assert load_dataset(tmp_path / "rich").text("title")[0].startswith("Better: ")


def test_what_was_replaced_is_counted_and_can_be_exported(genre: Genre, small_folder: Path, tmp_path: Path) -> None:
    with ChatServer(stubborn) as server:
        project(tmp_path, server)
        genre(*ARGUMENTS)
        genre(*ARGUMENTS, "--retry-quarantined")
    stats = json.loads(genre("store", "stats", "--json").out)
    assert stats["superseded"] == {"answers": 1, "cost": pytest.approx(1e-5)}
    assert sum(row["answers"] for row in stats["rows"]) == 7
    assert "set aside by retries: 1 answers" in genre("store", "stats").out
    assert genre("store", "export", "--superseded", "--out", "old.jsonl").code == 0
    [line] = (tmp_path / "old.jsonl").read_text().splitlines()
    assert json.loads(line)["text"] == "I would rather not."
    assert genre("store", "export", "--superseded", "--task", "x", "--out", "other.jsonl").code == 2


def test_refused_and_failed_calls_are_asked_anew(genre: Genre, small_folder: Path, tmp_path: Path) -> None:
    open_again = False

    def moody(request: Request) -> Reply:
        text = str(request.body["messages"])
        if "Late goal" in text and not open_again:
            return Reply.error(400, "content policy")
        if "Five sets" in text and not open_again:
            return Reply.error(500)
        return Reply.answer(says(request))

    with ChatServer(moody) as server:
        project(tmp_path, server)
        [first] = json.loads(genre(*ARGUMENTS).out)
        assert first["quarantined"] == {"failed": 1, "refused": 1}
        open_again = True
        [retried] = json.loads(genre(*ARGUMENTS, "--retry-quarantined").out)
    assert (retried["calls"], retried["records"]) == (2, 6)


def test_a_retry_that_brings_nothing_better_can_be_retried_with_a_further_seed(
    genre: Genre, small_folder: Path, tmp_path: Path
) -> None:
    with ChatServer(lambda request: Reply.answer("No.")) as server:
        project(tmp_path, server)
        genre(*ARGUMENTS)
        for retry in (1, 2):
            [report] = json.loads(genre(*ARGUMENTS, "--retry-quarantined").out)
            assert (report["calls"], report["quarantined"]) == (6, {"malformed: not JSON": 6})
            assert {request.body["seed"] for request in server.requests[-6:]} == {1_000_003 * retry}
    assert {row["asked"] for row in quarantine(tmp_path)} == {2}


def test_a_retry_that_was_interrupted_goes_on_and_pays_for_nothing_twice(
    genre: Genre, small_folder: Path, tmp_path: Path
) -> None:
    def bad(request: Request) -> Reply:
        return Reply.answer("No.")

    def broken(request: Request) -> Reply:
        return Reply.answer(says(request)) if "Late goal" in str(request.body["messages"]) else Reply.error(401)

    def good(request: Request) -> Reply:
        return Reply.answer(says(request))

    with ChatServer(bad) as server:
        project(tmp_path, server)
        genre(*ARGUMENTS)
        before = quarantine(tmp_path)
        server.script = broken
        assert genre(*ARGUMENTS, "--retry-quarantined").code == 1
        assert quarantine(tmp_path) == before
        paid = len([row for row in json.loads(genre("store", "stats", "--json").out)["rows"] if row["state"] == "ok"])
        assert paid
        server.script = good
        [report] = json.loads(genre(*ARGUMENTS, "--retry-quarantined").out)
    assert report["records"] == 6
    assert report["calls"] in (5, 6)  # whether the good answer came before the 401 stopped the round
    assert json.loads(genre("store", "stats", "--json").out)["superseded"]["answers"] == 6


def test_what_an_interrupted_retry_was_answered_is_not_paid_again_though_it_says_the_same(
    genre: Genre, small_folder: Path, tmp_path: Path
) -> None:
    def broken(request: Request) -> Reply:
        return Reply.error(401) if "wild coast" in str(request.body["messages"]) else Reply.answer("No.")

    with ChatServer(lambda request: Reply.answer("No.")) as server:
        project(tmp_path, server)
        genre(*ARGUMENTS)
        server.script = broken
        assert genre(*ARGUMENTS, "--retry-quarantined").code == 1
        paid = json.loads(genre("store", "stats", "--json").out)["superseded"]["answers"]
        asked = len(server.requests)
        server.script = lambda request: Reply.answer(says(request))
        [report] = json.loads(genre(*ARGUMENTS, "--retry-quarantined").out)
        assert paid == json.loads(genre("store", "stats", "--json").out)["superseded"]["answers"] == 6
        assert report["calls"] == len(server.requests) - asked < 6
        assert report["records"] == report["calls"]
        [report] = json.loads(genre(*ARGUMENTS, "--retry-quarantined").out)
    assert report["records"] == 6


def test_without_a_quarantine_there_is_nothing_to_retry(genre: Genre, small_folder: Path, tmp_path: Path) -> None:
    with ChatServer() as server:
        project(tmp_path, server)
        outcome = genre(*ARGUMENTS, "--retry-quarantined")
    assert (outcome.code, server.requests) == (2, [])
    assert "there is no quarantine to retry" in outcome.err
    assert "run this without --retry-quarantined first" in outcome.err


@pytest.mark.parametrize(
    "line",
    [
        "no JSON",
        "[]",
        '{"subject": "N1"}',
        '{"subject": "N1", "draw": "0", "key": "00", "text": ""}',
        "\udc80",
        '{"subject": "N1", "draw": 0, "key": "00", "text": "", "retry": "1"}',
    ],
)
def test_a_damaged_quarantine_is_told_with_its_line_before_anything_is_set_aside(
    genre: Genre, small_folder: Path, tmp_path: Path, line: str
) -> None:
    with ChatServer(stubborn) as server:
        project(tmp_path, server)
        genre(*ARGUMENTS)
        [path] = tmp_path.rglob("quarantine.jsonl")
        with path.open("a", encoding="utf-8", errors="surrogateescape") as file:
            file.write(line + "\n")
        outcome = genre(*ARGUMENTS, "--retry-quarantined")
    assert outcome.code == 2
    assert "quarantine.jsonl:2: not a line of a quarantine" in outcome.err
    assert json.loads(genre("store", "stats", "--json").out)["superseded"]["answers"] == 0


def test_a_text_that_no_store_holds_is_that_of_no_answer(genre: Genre, small_folder: Path, tmp_path: Path) -> None:
    with ChatServer(stubborn) as server:
        project(tmp_path, server)
        genre(*ARGUMENTS)
        [path] = tmp_path.rglob("quarantine.jsonl")
        path.write_text(json.dumps(json.loads(path.read_text()) | {"text": "\ud83d"}) + "\n")
        outcome = genre(*ARGUMENTS, "--retry-quarantined")
    assert outcome.code == 0
    assert json.loads(genre("store", "stats", "--json").out)["superseded"]["answers"] == 0
