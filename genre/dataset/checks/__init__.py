"""What is wrong with a set, or worth knowing before it is trained on.

`findings` says what a finding is, `news` and `impressions` look at blocks of rows, and `checking` at a whole set.
"""

from genre.dataset.checks.checking import check_dataset, check_rows
from genre.dataset.checks.findings import Finding, Level

__all__ = ["Finding", "Level", "check_dataset", "check_rows"]
