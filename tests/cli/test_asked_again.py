"""A round that had to ask again, over HTTP: the second answers are used, exported and replayed."""

import json
from pathlib import Path

from command_line import Genre
from servers import ChatServer, Reply, Request

from genre.dataset import load_dataset

ARGUMENTS = ("enrich", "small", "--task", "news-summarizer", "--json")


def second_time_lucky(request: Request) -> Reply:
    """Talk, then JSON between code fences."""
    asked, *more = request.body["messages"][1:]
    title = json.dumps({"title": f"Better: {asked['content'][:40]}"})
    return Reply.answer(f"```json\n{title}\n```" if more else "Let me think about it.")


def test_an_export_of_a_round_that_asked_again_replays_it(genre: Genre, small_folder: Path, tmp_path: Path) -> None:
    with ChatServer(second_time_lucky) as server:
        (tmp_path / "registry.toml").write_text(
            f'[generators.chat]\nplugin = "openai-compatible"\nbase_url = "{server.base_url}"\nmodel = "scripted"\n'
            'structured = "none"\n\n[generators.recorded]\nplugin = "replay"\npaths = ["answers.jsonl"]\n'
        )
        [asked] = json.loads(genre(*ARGUMENTS, "--generator", "chat", "--out", "rich").out)
    assert (asked["calls"], asked["asked_again"], asked["repaired"], asked["records"]) == (12, 6, 6, 6)
    assert len(server.requests) == 12
    assert genre("store", "export", "--out", "answers.jsonl").code == 0
    replay = (*ARGUMENTS, "--generator", "recorded", "--store", "other.sqlite")
    [replayed] = json.loads(genre(*replay, "--out", "again").out)
    assert (replayed["calls"], replayed["asked_again"], replayed["records"]) == (12, 6, 6)
    titles = [load_dataset(tmp_path / folder).text("title").to_list() for folder in ("rich", "again")]
    assert titles[0] == titles[1]


def test_a_trial_of_a_prompt_shows_its_first_answers(genre: Genre, small_folder: Path, tmp_path: Path) -> None:
    with ChatServer(second_time_lucky) as server:
        (tmp_path / "registry.toml").write_text(
            f'[generators.chat]\nplugin = "openai-compatible"\nbase_url = "{server.base_url}"\nmodel = "scripted"\n'
        )
        tried = genre("prompts", "try", "small", "--task", "news-summarizer", "--generator", "chat", "--sample", "2")
    assert tried.code == 0, tried.err
    assert len(server.requests) == 2
    assert "Let me think about it." in tried.out
