"""What the updaters declare."""

from collections.abc import Iterator

from genre import hookimpl
from genre.parts import Part


@hookimpl
def genre_updaters() -> Iterator[Part]:
    """Where answers go."""
    yield Part(
        name="text-version",
        summary="Adds a version of a text field of the news; the original stays readable",
        target="genre_tasks.news_text:TextVersionUpdater",
        options="genre_tasks.news_text:TextVersionUpdaterOptions",
    )
    yield Part(
        name="interests",
        summary="Adds topics and regions to readers, for the interest fusion of equations 1 and 2",
        target="genre_tasks.reader_interests:InterestsUpdater",
    )
    yield Part(
        name="append-history",
        summary="Appends synthetic news to readers' histories, never to candidates",
        target="genre_tasks.append_history:AppendHistoryUpdater",
        options="genre_tasks.append_history:AppendHistoryUpdaterOptions",
    )
    yield Part(
        name="keep-history",
        summary="Keeps the clicks that matter for encoders; prompts and segments see the whole history",
        target="genre_tasks.history_selection:KeepHistoryUpdater",
    )
