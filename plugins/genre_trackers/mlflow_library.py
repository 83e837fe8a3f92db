"""The library mlflow: imported on first use, and kept from telling its makers anything and from drawing attention."""

import os
from typing import TYPE_CHECKING, Final

from genre.errors import UsageError
from genre.extras import import_extra

if TYPE_CHECKING:
    from mlflow import MlflowClient

_QUIET: Final = {
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "MLFLOW_DISABLE_AGENT_HINT": "true",
    "MLFLOW_LOGGING_LEVEL": "WARNING",  # it tells of every table that it makes
}
_PACKAGES: Final = ("mlflow", "sqlalchemy", "alembic")
"""mlflow-skinny needs the other two for databases, and does not bring them."""


def import_mlflow() -> None:
    """
    Raises:
        UsageError: it is not installed, or what it needs for databases.
    """
    for name, value in _QUIET.items():
        os.environ.setdefault(name, value)
    for package in _PACKAGES:
        import_extra(package, extra="trackers", part="the tracker 'mlflow'")


def connected(tracking_uri: str) -> "MlflowClient":
    """What speaks to a tracking server, or to a database, which is made where there is none.

    Raises:
        UsageError: MLflow takes no such URI. The message leaves it out, since a password may be in it.
    """
    import_mlflow()
    from mlflow import MlflowClient
    from mlflow.exceptions import MlflowException

    try:
        return MlflowClient(tracking_uri=tracking_uri)
    except MlflowException as error:
        raise UsageError(
            f"MLflow takes no such tracking_uri ({type(error).__name__})",
            where="tracker mlflow",
            remedy="name a database, such as sqlite:///FILE, or a server, such as http://HOST:PORT; "
            "folders of files are not taken any more",
        ) from error
