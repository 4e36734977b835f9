"""The database against whoever comes without a certificate, and the job that lets functions in: a real server, the real connector.

What Cloud SQL does with `TRUSTED_CLIENT_CERTIFICATE_REQUIRED`, PostgreSQL does here by its own rules.
"""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from contextlib import closing

import pytest
from pg8000.exceptions import DatabaseError, InterfaceError

from infra.deploy.migrations import main as run_job
from infra.deploy.migrations import read_logins
from infra.suite import load_suite
from shared.data.connections import SESSION_LIMITS, Connections
from shared.data.database import Database
from shared.data.errors import DatabaseAway
from shared.data.sessions import Session
from shared.security.actor import Actor
from shared.settings import Settings
from shared.testing.queue import MemoryQueue
from shared.testing.secret_store import MemorySecretStore
from tests.support.demanding_postgres import AdminApi, Authority, DemandingServer, become, cloud_sql, demanding_server

FUNCTIONS = [function.name for function in load_suite().functions.values() if function.database is not None]
LOGINS = {f"{name}_login": f"driftwise-{name}@p.iam" for name in FUNCTIONS}
OWNER = "driftwise-migrations@p.iam"
IDENTITIES = {identity: identity for identity in [*LOGINS.values(), OWNER]}  # a token that says who it is of


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DemandingServer]:
    """A server as Cloud SQL makes one: identities with no right but to log in, and an owner that is no superuser."""
    users = [f'create role "{identity}" login' for identity in LOGINS.values()]
    owner = [
        f'create role "{OWNER}" login createrole createdb nobypassrls',
        f'create database driftwise owner "{OWNER}"',
    ]
    with demanding_server(tmp_path_factory.mktemp("certificates"), *users, *owner) as found:
        yield found


@pytest.fixture(scope="module")
def migrated(server: DemandingServer) -> DemandingServer:
    """The same, after the job ran."""
    with pytest.MonkeyPatch.context() as patch, cloud_sql(server, IDENTITIES, patch):
        become(OWNER, patch)
        for name, value in job_environment().items():
            patch.setenv(name, value)
        assert run_job([f"{login}={identity}" for login, identity in LOGINS.items()]) == 0
    return server


@pytest.fixture
def api(migrated: DemandingServer, monkeypatch: pytest.MonkeyPatch) -> Iterator[AdminApi]:
    with cloud_sql(migrated, dict(IDENTITIES), monkeypatch) as found:
        yield found


def job_environment() -> dict[str, str]:
    return {
        "DW_ENV": "production",
        "DW_FUNCTION": "migrations",
        "DW_DATABASE_INSTANCE": "p:r:i",
        "DW_DATABASE_USER": OWNER,
    }


def by_url(url: str) -> Connections:
    return Connections(Settings(env="emulator", function="keys", database_url=url), MemorySecretStore())


def by_identity(function: str) -> Settings:
    user = f"driftwise-{function}@p.iam"
    return Settings(env="production", function=function, database_instance="p:r:i", database_user=user, pool_size=1)


def refusal(url: str) -> str:
    """Try to log in; returns why the server refuses, or what TLS failed with; empty when it lets us in."""
    try:
        by_url(url).open().close()
    except DatabaseAway as error:
        return str(error.__cause__.args[0]["M"]) if isinstance(error.__cause__, DatabaseError) else repr(error)
    except (InterfaceError, OSError) as error:
        return repr(error)
    return ""


def test_plaintext_is_refused(server: DemandingServer) -> None:
    assert refusal(f"postgresql://{OWNER.replace('@', '%40')}@localhost:{server.port}/driftwise").endswith(
        "no encryption"
    )


def test_tls_without_a_certificate_is_refused(server: DemandingServer) -> None:
    assert refusal(server.bare_url(OWNER, "driftwise")) == "connection requires a valid client certificate"


def test_a_certificate_of_somebody_else_is_refused(server: DemandingServer) -> None:
    url = server.url(LOGINS["keys_login"], "driftwise").replace(
        "driftwise-keys%40p.iam@", f"{OWNER.replace('@', '%40')}@"
    )
    assert refusal(url).startswith("certificate authentication failed")


def test_a_certificate_of_another_authority_is_refused(server: DemandingServer) -> None:
    assert refusal(server.url(OWNER, "driftwise", authority=Authority("Clients")))


def test_a_server_of_another_authority_is_not_talked_to(server: DemandingServer) -> None:
    url = server.url(OWNER, "driftwise")
    other = server.folder / "other.crt"
    other.write_bytes(Authority("Servers").pem)
    with pytest.raises((ssl.SSLError, InterfaceError)):
        by_url(url.replace("servers.crt", "other.crt")).open()


def test_who_shows_the_right_certificate_gets_in(server: DemandingServer) -> None:
    assert refusal(server.url(OWNER, "driftwise")) == ""


def test_the_connector_shows_the_identitys_certificate(api: AdminApi, monkeypatch: pytest.MonkeyPatch) -> None:
    become("driftwise-keys@p.iam", monkeypatch)
    connections = Connections(by_identity("keys"), MemorySecretStore())
    with closing(connections), closing(Session(connections.open)) as session:
        (row,) = session.run(
            "select current_user::text as name, s.ssl, s.version, s.client_dn from pg_stat_ssl s where s.pid = pg_backend_pid()"
        )
    assert row == {
        "name": "driftwise-keys@p.iam",
        "ssl": True,
        "version": "TLSv1.3",
        "client_dn": "/CN=driftwise-keys@p.iam",
    }
    # both are asked for at once
    assert sorted(path.rsplit("/", 1)[-1] for path in api.asked) == ["connectSettings", "i:generateEphemeralCert"]


def test_whom_google_does_not_know_is_not_let_in(api: AdminApi, monkeypatch: pytest.MonkeyPatch) -> None:
    become("somebody@else.iam", monkeypatch)
    connections = Connections(by_identity("keys"), MemorySecretStore())
    with closing(connections), pytest.raises(DatabaseAway):
        Session(connections.open)
    assert api.asked


def test_nobody_logs_in_as_another_function(api: AdminApi, monkeypatch: pytest.MonkeyPatch) -> None:
    become("driftwise-scim@p.iam", monkeypatch)
    connections = Connections(by_identity("keys"), MemorySecretStore())
    with closing(connections), pytest.raises(DatabaseAway):
        Session(connections.open)
    assert api.asked


@pytest.mark.parametrize("function", FUNCTIONS)
def test_an_identity_is_its_login_and_has_its_limits(
    api: AdminApi, monkeypatch: pytest.MonkeyPatch, function: str
) -> None:
    become(f"driftwise-{function}@p.iam", monkeypatch)
    settings = by_identity(function)
    db = Database(settings, MemoryQueue(), MemorySecretStore())
    with closing(db):
        with db.unit(Actor(kind="event")) as tx:
            assert tx.rows("select current_user::text as name") == [{"name": f"{function}_work"}]
        (limits,) = db.lookup("select " + ", ".join(f"current_setting('{name}') as {name}" for name in SESSION_LIMITS))
        roles = db.lookup(
            "select unnest(rolconfig) as setting from pg_roles where rolname = :login", login=f"{function}_login"
        )
    assert limits == {"statement_timeout": "10s", "lock_timeout": "5s", "idle_in_transaction_session_timeout": "1min"}
    assert {row["setting"] for row in roles} == {f"{name}={value}" for name, value in SESSION_LIMITS.items()}
    assert api.asked


def test_the_job_takes_out_who_is_no_function_any_more(
    api: AdminApi, migrated: DemandingServer, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name, value in job_environment().items():
        monkeypatch.setenv(name, value)
    become(OWNER, monkeypatch)
    others = LOGINS | {"keys_login": "driftwise-scim@p.iam"}
    assert run_job([f"{login}={identity}" for login, identity in others.items()]) == 0
    out = capsys.readouterr().out
    assert "driftwise-keys@p.iam is no keys_login any more" in out
    assert "0 applied, 2 changes of who may log in" in out
    assert run_job([f"{login}={identity}" for login, identity in LOGINS.items()]) == 0
    assert run_job([f"{login}={identity}" for login, identity in LOGINS.items()]) == 0
    assert "0 applied, 0 changes of who may log in" in capsys.readouterr().out
    assert api.asked
    assert migrated.port


def test_a_job_that_fails_says_why(
    api: AdminApi, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name, value in job_environment().items():
        monkeypatch.setenv(name, value)
    become(OWNER, monkeypatch)
    assert run_job(["keys_login=nobody@p.iam"]) == 1
    assert 'role "nobody@p.iam" does not exist' in capsys.readouterr().err
    assert api.asked


@pytest.mark.parametrize(
    "argument", ["keys_login", "keys_work=a@p.iam", 'keys_login=a"; drop@p.iam', "keys_login=a@p.example", "=a@p.iam"]
)
def test_what_is_no_pair_is_refused(argument: str) -> None:
    with pytest.raises(ValueError, match="LOGIN=IDENTITY"):
        read_logins([argument])
