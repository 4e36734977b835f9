"""Opening database connections: by URL in the emulator, by the Cloud SQL Python connector in Google Cloud.

Loads the driver, so it is imported with the first connection and not before.
"""

from __future__ import annotations

import ssl
import threading
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, unquote, urlsplit

from pg8000 import native
from pg8000.core import CoreConnection

if TYPE_CHECKING:
    from google.cloud.sql.connector import Connector

    from shared.settings import Settings

_CONNECT_SECONDS = 10
_SOCKET_SECONDS = 20  # above the login roles' statement_timeout, so that the server ends a slow statement first


class Connections:
    """Opens connections of one function's login role."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._connector: Connector | None = None
        self._lock = threading.Lock()

    def open(self) -> CoreConnection:
        """Open a connection.

        Raises:
            pg8000.exceptions.InterfaceError, pg8000.exceptions.DatabaseError, OSError: it cannot be opened.
        """
        return self._open_cloud_sql() if self._settings.database_instance else self._open_url()

    def close(self) -> None:
        """Stop what the connector runs in the background."""
        if self._connector is not None:
            self._connector.close()

    def _open_url(self) -> CoreConnection:
        parts = urlsplit(self._settings.require("database_url"))
        return native.Connection(
            user=unquote(parts.username or ""),
            password=unquote(parts.password or ""),
            host=parts.hostname or "127.0.0.1",
            port=parts.port or 5432,
            database=parts.path.lstrip("/"),
            timeout=_SOCKET_SECONDS,
            application_name=self._settings.entry_point or self._settings.function,
            ssl_context=_tls(parts.query),
        )

    def _open_cloud_sql(self) -> CoreConnection:
        """Open by the connector: IAM database authentication, TLS by its client certificate.

        Source: https://github.com/GoogleCloudPlatform/cloud-sql-python-connector
        """
        with self._lock:
            if self._connector is None:
                from google.cloud.sql.connector import Connector, IPTypes

                self._connector = Connector(ip_type=IPTypes.PRIVATE, refresh_strategy="lazy")
        connection: CoreConnection = self._connector.connect(
            self._settings.database_instance,
            "pg8000",
            user=self._settings.require("database_user"),
            db=self._settings.database_name,
            enable_iam_auth=True,
            timeout=_CONNECT_SECONDS,
        )
        return connection


def _tls(query: str) -> ssl.SSLContext | bool:
    """Return how to speak TLS; without `sslmode=verify-full` not at all (None would make pg8000 try it unverified)."""
    return ssl.create_default_context() if parse_qs(query).get("sslmode") == ["verify-full"] else False
