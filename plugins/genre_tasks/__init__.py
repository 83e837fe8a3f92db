"""Enrichment tasks of the paper and its authors' code, as compositions of four prompters and four updaters.

A task is data: a prompter, an updater, a template and a few options. The tasks for books differ from those for news
in nothing else. The records of all parts are imported here, which loads no code of theirs.
"""

from genre_tasks.prompter_records import genre_prompters
from genre_tasks.task_records import genre_tasks
from genre_tasks.updater_records import genre_updaters

__all__ = ["genre_prompters", "genre_tasks", "genre_updaters"]
