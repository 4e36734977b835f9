"""Opening database connections: by URL in the emulator, by the Cloud SQL Python connector in Google Cloud.

Owns what happens when a credential has just been renewed on one side. Loads the driver, so it is imported with the first
connection and not before.
"""

from __future__ import annotations

import ssl
import threading
from typing import TYPE_CHECKING
from urllib.parse import SplitResult, parse_qs, unquote, urlsplit

from pg8000 import native
from pg8000.core import CoreConnection
from pg8000.exceptions import DatabaseError

from shared.telemetry.log import logger

from .errors import DatabaseAway
from .passwords import FixedPassword, Passwords, RotatingPassword

if TYPE_CHECKING:
    from google.cloud.sql.connector import Connector

    from shared.ports.secret_store import SecretStore
    from shared.settings import Settings

_CONNECT_SECONDS = 10
_SOCKET_SECONDS = 20  # above the login roles' statement_timeout, so that the server ends a slow statement first
LOGIN_REFUSED = {"28P01", "28000"}  # invalid_password, invalid_authorization_specification
_log = logger("connections")


class Connections:
    """Opens connections of one function's login role."""

    def __init__(self, settings: Settings, secrets: SecretStore) -> None:
        self._settings = settings
        self._passwords = _passwords(settings, secrets)
        self._connector: Connector | None = None
        self._lock = threading.Lock()

    def open(self) -> CoreConnection:
        """Open a connection.

        Raises:
            DatabaseAway: (503 `database_away`) the login is refused.
            ServiceAway: (503 `service_away`) its password cannot be read.
            pg8000.exceptions.InterfaceError, pg8000.exceptions.DatabaseError, OSError: it cannot be opened.
        """
        return self._open_cloud_sql() if self._settings.database_instance else self._open_url()

    def close(self) -> None:
        """Stop what the connector runs in the background."""
        if self._connector is not None:
            self._connector.close()

    def _open_url(self) -> CoreConnection:
        parts = urlsplit(self._settings.require("database_url"))
        refusal: DatabaseError | None = None
        for password in self._passwords.candidates():
            try:
                connection = self._log_in(parts, password.reveal())
            except DatabaseError as error:
                if sqlstate(error) not in LOGIN_REFUSED:
                    raise
                refusal = error
                _log.warning("password refused", version=password.version)
            else:
                self._passwords.accept(password)
                return connection
        raise DatabaseAway from refusal

    def _log_in(self, parts: SplitResult, password: str) -> CoreConnection:
        return native.Connection(
            user=unquote(parts.username or ""),
            password=password,
            host=parts.hostname or "127.0.0.1",
            port=parts.port or 5432,
            database=parts.path.lstrip("/"),
            timeout=_SOCKET_SECONDS,
            application_name=self._settings.entry_point or self._settings.function,
            ssl_context=_tls(parts.query),
        )

    def _open_cloud_sql(self) -> CoreConnection:
        """Open by the connector, and once more when what it had at hand was out of date.

        It keeps the instance's certificate authority and a certificate of its own, with the login's token in it, for up
        to an hour; after a refusal it fetches them anew for the next connection.
        """
        try:
            return self._connect_cloud_sql()
        except ssl.SSLError:
            pass
        except DatabaseError as error:
            if sqlstate(error) not in LOGIN_REFUSED:
                raise
        _log.warning("connection refused, trying with fresh certificates")
        return self._connect_cloud_sql()

    def _connect_cloud_sql(self) -> CoreConnection:
        """Connect: IAM database authentication, TLS by the connector's client certificate.

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


def sqlstate(error: DatabaseError) -> str:
    """Return the SQLSTATE of what the server refused; empty when it gave none."""
    facts = error.args[0] if error.args and isinstance(error.args[0], dict) else {}
    return str(facts.get("C", ""))


def _passwords(settings: Settings, secrets: SecretStore) -> Passwords:
    if settings.database_password_secret:
        return RotatingPassword(secrets, settings.database_password_secret)
    return FixedPassword(unquote(urlsplit(settings.database_url).password or ""))


def _tls(query: str) -> ssl.SSLContext | bool:
    """Return how to speak TLS; without `sslmode=verify-full` not at all (None would make pg8000 try it unverified)."""
    return ssl.create_default_context() if parse_qs(query).get("sslmode") == ["verify-full"] else False
