"""Laws of updaters: pure, and only ever adding to a data set."""

import attrs
import polars as pl

from genre.dataset import Dataset
from genre.testing.check import Check, checks_of, require, shown
from genre.testing.datasets import (
    require_kept_clicks,
    require_no_generated_candidates,
    require_references,
    require_untouched,
    required_dataset,
)
from genre.testing.example_data import content, copied
from genre.testing.trial import MODEL, Trial

_APPEND = "build on Dataset.with_texts, with_interests and with_generated_news, which only append"


def updater_laws(trial: Trial) -> list[Check]:
    """The laws, for the updater of whatever is on trial."""
    return checks_of(_Laws(trial))


@attrs.frozen(eq=False)
class _Laws:
    trial: Trial

    def updating_leaves_the_old_data_set_as_it_is(self) -> None:
        require_untouched(self.trial.dataset(), self._updated, "updating")

    def updating_twice_gives_equal_data(self) -> None:
        prepared, dataset = self.trial.prepared(), self.trial.dataset()
        with self.trial.records(prepared, dataset) as records:
            made = [
                content(updater.update(copied(dataset), records))
                for updater in (prepared.updater, prepared.updater, self.trial.prepared().updater)
            ]
        require(
            len(set(made)) == 1,
            "the same records give equal data",
            found=f"the fingerprints {made}",
            remedy="keep no state in the updater; make ids from round, subject and draw, not at random",
        )

    def news_and_readers_are_only_appended(self) -> None:
        old = self.trial.dataset()
        new = self._updated(old)
        for table in ("news", "texts", "vectors", "interests"):
            _require_prefix(table, getattr(old, table), getattr(new, table))
        columns = ["id", "user"]
        _require_prefix("readers", old.readers.select(columns), new.readers.select(columns))
        rows = zip(
            old.readers["id"], old.readers["history"], new.readers["history"], strict=False
        )  # new ones may follow
        for reader, before, after in rows:
            require(
                after.head(before.len()).equals(before),
                "a reader's new history begins with the old one",
                found=f"{before.to_list()} became {after.to_list()} for {reader!r}",
                remedy=_APPEND,
            )

    def every_reference_names_a_row(self) -> None:
        require_references(self._updated(self.trial.dataset()))

    def generated_news_are_never_candidates(self) -> None:
        require_no_generated_candidates(self._updated(self.trial.dataset()))

    def kept_clicks_are_ascending_clicks(self) -> None:
        require_kept_clicks(self._updated(self.trial.dataset()))

    def impressions_stay_as_they_are(self) -> None:
        old = self.trial.dataset()
        require(
            self._updated(old).impressions.equals(old.impressions),
            "impressions stay as they are, so that figures before and after are of the same clicks",
            found="the table `impressions` changed",
            remedy="add to news, texts, readers' histories and interests only",
        )

    def clicks_and_segments_stay_as_they_are(self) -> None:
        old = self.trial.dataset()
        new = self._updated(old)
        count = old.readers.height
        require(
            new.readers["clicks"].head(count).equals(old.readers["clicks"])
            and new.is_new.head(count).equals(old.is_new),
            "a reader's clicks, and with them being new or warm, stay as they are",
            found=f"clicks {old.readers['clicks'].to_list()} became {new.readers['clicks'].to_list()}",
            remedy="count original clicks only; generated news are none",
        )

    def records_change_the_data(self) -> None:
        dataset = self.trial.dataset()
        require(
            content(self._updated(dataset)) != content(dataset),
            "records change the data set",
            found="equal data before and after",
            remedy="find subjects by their ids: a news' or a reader's",
        )

    def no_records_change_nothing(self) -> None:
        prepared, dataset = self.trial.prepared(), self.trial.dataset()
        with self.trial.records(prepared, dataset, none=True) as records:
            updated = prepared.updater.update(dataset, records)
        require(
            content(updated) == content(self.trial.dataset()),
            "no records leave the data as they are",
            found=f"{_heights(dataset)} became {_heights(updated)}",
            remedy="a round whose answers were all refused must add nothing",
        )

    def what_is_added_says_its_round_and_model(self) -> None:
        prepared, old = self.trial.prepared(), self.trial.dataset()
        new = self._updated(old)
        for table in ("texts", "interests"):
            added = getattr(new, table).slice(getattr(old, table).height)
            odd = added.filter((pl.col("version") != prepared.name) | (pl.col("model") != MODEL))
            require(
                odd.is_empty(),
                f"new rows of {table} have the records' `version` and `model`",
                found=shown(odd.select("version", "model").head(1).to_dicts()),
                remedy="pass the two columns of the records on",
            )

    def a_misspelt_option_is_told(self) -> None:
        self.trial.require_misspelling_is_told()

    def _updated(self, dataset: Dataset) -> Dataset:
        prepared = self.trial.prepared()
        with self.trial.records(prepared, copied(dataset)) as records:
            updated = prepared.updater.update(dataset, records)
        law = "`update` returns a genre.dataset.Dataset"
        return required_dataset(updated, law, remedy="return the new data set")


def _require_prefix(table: str, old: pl.DataFrame, new: pl.DataFrame) -> None:
    head = new.head(old.height)
    row = next((number for number in range(old.height) if not head.slice(number, 1).equals(old.slice(number, 1))), None)
    require(
        row is None,
        f"rows of {table} are only appended: positions stay valid through all rounds",
        found=f"row {row} was {_shown_row(old, row)} and is {_shown_row(head, row)}",
        remedy=_APPEND,
    )


def _shown_row(rows: pl.DataFrame, row: int | None) -> str:
    return shown(rows.slice(row or 0, 1).to_dicts())


def _heights(dataset: Dataset) -> str:
    return f"{dataset.news.height} news, {dataset.texts.height} texts, {dataset.interests.height} interests"
