"""The report of a run: one HTML page that answers whether enrichment helps, for whom, by how much, at what price."""

from typing import TYPE_CHECKING, Final

from genre.lazy import importer

if TYPE_CHECKING:
    from genre.report.page import REPORT, write_report

_HOMES: Final = {"REPORT": "page", "write_report": "page"}

__all__ = ["REPORT", "write_report"]


__getattr__ = importer(__name__, _HOMES)
