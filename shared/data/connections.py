"""Opening database connections: by URL in the emulator, by the Cloud SQL Python connector in Google Cloud.

Owns what happens when a credential has just been renewed on one side. Loads the driver, so it is imported with the first
connection and not before.
"""

from __future__ import annotations

import asyncio
import ssl
import threading
from contextlib import suppress
from typing import TYPE_CHECKING
from urllib.parse import SplitResult, parse_qs, unquote, urlsplit

from pg8000 import native
from pg8000.core import CoreConnection
from pg8000.exceptions import DatabaseError, InterfaceError

from shared.telemetry.log import logger

from .errors import DatabaseAway
from .passwords import FixedPassword, Passwords, RotatingPassword

if TYPE_CHECKING:
    from concurrent.futures import Future

    from shared.ports.secret_store import SecretStore
    from shared.settings import Settings

_CONNECT_SECONDS = 10  # the connector asks two things of Google first
_CLOSE_SECONDS = 3
_SOCKET_SECONDS = 12  # above the login roles' statement_timeout, so that the server ends a slow statement first
# What `infra/migrations` sets for login roles. An identity is a login of its own, for which nothing is set, and membership hands on no settings.
SESSION_LIMITS = {"statement_timeout": "10s", "lock_timeout": "5s", "idle_in_transaction_session_timeout": "60s"}
LOGIN_REFUSED = {"28P01", "28000"}  # invalid_password, invalid_authorization_specification
_log = logger("connections")


class Connections:
    """Opens connections of one function's login role."""

    def __init__(self, settings: Settings, secrets: SecretStore) -> None:
        self._settings = settings
        self._passwords = _passwords(settings, secrets)
        self._cloud_sql: _CloudSql | None = None
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
        if self._cloud_sql is not None:
            self._cloud_sql.close()

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
        """Connect; a connector that kept a caller waiting in vain is given up."""
        with self._lock:
            found = self._cloud_sql = self._cloud_sql or _CloudSql()
        try:
            return found.open(self._settings)
        except TimeoutError:
            with self._lock:
                if self._cloud_sql is found:
                    self._cloud_sql = None
            found.abandon()
            raise


class _CloudSql:
    """The Cloud SQL Python connector, on a thread of its own: IAM database authentication, TLS by its client certificate.

    The connector sets no time limit to reaching the server, nor to what is read from it later, and while it tries it does
    nothing else: a server that does not answer would hold up every caller for as long as the system goes on trying, some
    two minutes. So callers wait for it only so long, and a connector that kept one waiting in vain is given up.

    Source: https://github.com/GoogleCloudPlatform/cloud-sql-python-connector
    """

    def __init__(self) -> None:
        from google.auth.exceptions import GoogleAuthError
        from google.cloud.sql.connector import Connector, IPTypes

        self._loop = asyncio.new_event_loop()
        try:
            self._connector = Connector(ip_type=IPTypes.PRIVATE, refresh_strategy="lazy", loop=self._loop)
        except GoogleAuthError as error:
            self._loop.close()
            raise InterfaceError("this process has no identity") from error
        self._thread = threading.Thread(target=self._run, name="cloud-sql", daemon=True)
        self._thread.start()

    def open(self, settings: Settings) -> CoreConnection:
        """Open a connection.

        Raises:
            TimeoutError: not in time; use this object no more.
            pg8000.exceptions.InterfaceError, pg8000.exceptions.DatabaseError, OSError: it cannot be opened.
        """
        from aiohttp import ClientError
        from google.auth.exceptions import GoogleAuthError

        waiting = self._begin(settings)
        try:
            connection = waiting.result(_CONNECT_SECONDS)
        except TimeoutError:
            waiting.cancel()
            raise
        # KeyError: what two callers fail with together, the connector forgets twice
        except (ClientError, GoogleAuthError, KeyError) as error:
            raise InterfaceError("Cloud SQL does not let us in") from error
        opened = connection._usock  # noqa: SLF001  # the connector takes no time limit for what is read
        if opened is not None:
            opened.settimeout(_SOCKET_SECONDS)
        return connection

    def abandon(self) -> None:
        """End what runs in the background, once it comes back from where it may hang; nobody waits for that."""
        with suppress(RuntimeError):  # it has ended already
            self._loop.call_soon_threadsafe(lambda: self._loop.create_task(self._end()))

    def close(self) -> None:
        """End what runs in the background."""
        self.abandon()
        self._thread.join(_CLOSE_SECONDS)

    def _begin(self, settings: Settings) -> Future[CoreConnection]:
        connecting = self._connector.connect_async(
            settings.database_instance,
            "pg8000",
            user=settings.require("database_user"),
            db=settings.database_name,
            enable_iam_auth=True,
            application_name=settings.entry_point or settings.function,
            startup_params=SESSION_LIMITS,
        )
        try:
            return asyncio.run_coroutine_threadsafe(connecting, self._loop)
        except RuntimeError as error:  # it was given up this moment
            connecting.close()
            raise InterfaceError("the connector was given up") from error

    def _run(self) -> None:
        self._loop.run_forever()
        self._loop.close()

    async def _end(self) -> None:
        try:
            await self._connector.close_async()
        finally:
            self._loop.stop()


def sqlstate(error: DatabaseError) -> str:
    """Return the SQLSTATE of what the server refused; empty when it gave none."""
    facts = error.args[0] if error.args and isinstance(error.args[0], dict) else {}
    return str(facts.get("C", ""))


def _passwords(settings: Settings, secrets: SecretStore) -> Passwords:
    if settings.database_password_secret:
        return RotatingPassword(secrets, settings.database_password_secret)
    return FixedPassword(unquote(urlsplit(settings.database_url).password or ""))


def _tls(query: str) -> ssl.SSLContext | bool:
    """Return how to speak TLS; without `sslmode=verify-full` not at all (None would make pg8000 try it unverified).

    `sslrootcert` names the file of the server's authority, `sslcert` and `sslkey` those of the certificate that we show.
    Source: https://www.postgresql.org/docs/18/libpq-connect.html#LIBPQ-CONNECT-SSLMODE
    """
    found = {name: values[-1] for name, values in parse_qs(query).items()}
    if found.get("sslmode") != "verify-full":
        return False
    context = ssl.create_default_context(cafile=found.get("sslrootcert"))
    if "sslcert" in found:
        context.load_cert_chain(found["sslcert"], found.get("sslkey"))
    return context
