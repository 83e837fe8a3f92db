"""Writing small logs in Adressa's format."""

import gzip
import json
from pathlib import Path
from typing import Any

START = 1_483_228_800
"""2017-01-01, midnight UTC."""
HOUR = 3_600
DAY = 24 * HOUR


def event(article: str | None, *, user: str = "cx:u1", at: int = 0, **fields: Any) -> dict[str, Any]:
    """An event, `at` seconds after the log's midnight."""
    known = {} if article is None else {"id": article, "title": f"Title of {article}", "category1": "nyheter|trondheim"}
    return {
        "eventId": 1,
        "userId": user,
        "time": START + at,
        "url": f"http://adressa.no/{article or ''}",
        "activeTime": 20,
        "sessionStart": False,
        **known,
        **fields,
    }


def write_days(folder: Path, events: list[dict[str, Any]], *, packed: bool = False) -> None:
    """A file for each day, in the order of `events`."""
    folder.mkdir(parents=True, exist_ok=True)
    days: dict[int, list[str]] = {}
    for each in events:
        days.setdefault(20170101 + (each["time"] - START) // DAY, []).append(json.dumps(each) + "\n")
    for day, lines in days.items():
        content = "".join(lines).encode()
        if packed:
            (folder / f"{day}.gz").write_bytes(gzip.compress(content))
        else:
            (folder / str(day)).write_bytes(content)


def week(users: int = 4, articles: int = 60) -> list[dict[str, Any]]:
    """Seven days in which each user opens three articles a day."""
    return [
        event(f"a{(user * 5 + day * 11 + step * 7) % articles}", user=f"cx:u{user}", at=day * DAY + step * HOUR + user)
        for day in range(7)
        for step in range(3)
        for user in range(users)
    ]
