"""The emulator's table: which processes and steps there are, and what needs what.

Owns the commands. Postgres, the Google services, Redis, AWS, the other clouds and the identity provider start side by side; the functions
follow as soon as their addresses are known, while the database is still being migrated; the gateway comes up beside
them (it answers 503 for a function that is not up yet).
"""

from __future__ import annotations

import json
import signal
import sys
from collections.abc import Callable, Mapping
from collections.abc import Set as AbstractSet
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

from infra.suite import SUITE_FILE, EntryPoint, Suite, SuiteError, load_suite

from . import database, postgres
from .clocks import Clocks
from .context import LINKED, Context
from .errors import EmulatorError
from .names import CALLBACK_PATH, CLIENT_SECRET, IDENTITY_PROVIDER, SENDER
from .ports import HOST, require_free, reserve_port
from .processes import Node, Ports, Process, Step
from .records import DataDirectory, write_private

EMULATOR_ROOT = Path(__file__).resolve().parents[1]

_BACKENDS = ("google", "redis", "moto", "customers", "collector", "dns", IDENTITY_PROVIDER, "scheduler", "gateway")
_STAGE_BACKENDS, _STAGE_FUNCTIONS, _STAGE_FRONT = 0, 1, 2
_CLOCKED = frozenset({"postgres", "google"})  # besides the functions
_TIRELESS = 1_000_000  # crashes in a minute


@dataclass(frozen=True, slots=True)
class Options:
    """What the user asked for.

    Attributes:
        port: of the gateway; 0 takes a free one.
        postgres: `embedded`, `docker` or `url`.
        only: names of processes, or of functions for all their entry points; empty for everything.
        root: the folder that holds `functions/`, `shared/` and `infra/migrations/`.
        providers_file: sign-in providers besides the emulator's own: a JSON list as `DW_OIDC_PROVIDERS` has it, each element
            with its `client_secret`.
        has_model: start the language model stub, as the platform's model.
        has_links: let the functions reach everything through links that can be cut (`links`).
        is_tireless: start a crashed process again however often it crashed.
        clock_library: libfaketime, to set the clocks of functions, queue and database by files in the data directory (`clocks`).
    """

    data_dir: Path
    port: int = 8080
    postgres: str = "embedded"
    only: tuple[str, ...] = ()
    suite_file: Path = SUITE_FILE
    root: Path = EMULATOR_ROOT
    providers_file: Path | None = None
    has_model: bool = False
    has_links: bool = False
    is_tireless: bool = False
    clock_library: Path | None = None


class Topology:
    """Builds the nodes and holds what they share."""

    def __init__(self, options: Options, data: DataDirectory, environment: Mapping[str, str]) -> None:
        """Read the suite and choose the names; starts nothing.

        Raises:
            EmulatorError: the suite or a file is wrong, a name is unknown, or DATABASE_URL is missing.
        """
        try:
            self.suite = load_suite(options.suite_file)
        except SuiteError as error:
            raise EmulatorError(f"{options.suite_file} is wrong", str(error)) from error
        self._options = options
        self._data = data
        self.names = _chosen(self.suite, options)
        self._providers = _read_providers(options.providers_file)
        self.ports = Ports()
        self.backend = postgres.choose(options.postgres, data.path / "postgres", data.password("postgres"), environment)
        self.gateway_port = options.port or reserve_port()
        self._provisioned: dict[str, str] = {}
        library = options.clock_library
        self._clocks = None if library is None else Clocks(library, data.path / "clocks")

    def check(self) -> None:
        """Check what can be checked before anything is started. Raises: EmulatorError."""
        if "gateway" in self.names:
            require_free(self.gateway_port, option="--port")

    def nodes(self) -> list[Node]:
        """Return the table, in the order in which `status` shows it."""
        every: list[Node] = [
            *self._postgres(),
            *self._google(),
            self._module("redis", "redis_server", "--port", restart_limit=3),
            self._module(
                "dns", "dns_server", "--port", lambda: ["--records", str(self._data.dns_records)], restart_limit=3
            ),
            self._module("collector", "collector", "--port", health_path="/_health"),
            Process("moto", self._moto_command, directory=EMULATOR_ROOT),
            Process("customers", self._customers_command, ports=("google", "azure"), directory=EMULATOR_ROOT),
            self._module("model", "model_server", "--port", health_path="/_health"),
            self._links(),
            self._identity_provider(),
            *(self._function(entry_point) for entry_point in self.suite.entry_points()),
            Step("provisioning", self._provision, needs=("google",)),
            self._settle(),
            self._scheduler(),
            self._gateway(),
        ]
        kept = [node for node in every if node.name in self.names]
        names = {node.name for node in kept}
        return [self._adapted(node, names) for node in kept]

    def _adapted(self, node: Node, names: AbstractSet[str]) -> Node:
        """Return a node as the options want it: without needs that are not started, tireless, with a clock of its own."""
        needs = tuple(need for need in node.needs if need in names)
        if isinstance(node, Step):
            return replace(node, needs=needs)
        limit = _TIRELESS if self._options.is_tireless else node.restart_limit
        adapted = replace(node, needs=needs, restart_limit=limit)
        has_clock = node.stage == _STAGE_FUNCTIONS or node.name in _CLOCKED
        return self._clocks.give(adapted) if self._clocks is not None and has_clock else adapted

    def context(self) -> Context:
        """Return the addresses; good once the table's ports are assigned."""
        passwords = {roles.login: self._data.password(roles.login) for roles in self.suite.roles()}
        return Context(
            suite=self.suite,
            root=self._options.root,
            owner_url=self._owner_url() if "postgres" in self.names or "database" in self.names else None,
            passwords=passwords,
            gateway_url=f"http://{HOST}:{self.gateway_port}",
            ports=self.ports,
            names=frozenset(self.names),
            more_providers=self._providers,
        )

    def write_upstreams(self) -> None:
        """Tell gateway and scheduler where everybody listens."""
        found = {}
        for name in (*(entry_point.name for entry_point in self.suite.entry_points()), IDENTITY_PROVIDER):
            with suppress(KeyError):
                found[name] = self.ports.url(name)
        write_private(self._upstreams_file, found)

    @property
    def _upstreams_file(self) -> Path:
        return self._data.run / "upstreams.json"

    def _postgres(self) -> list[Node]:
        backend = self.backend
        nodes: list[Node] = []
        if backend.needs_process:
            nodes.append(
                Process(
                    "postgres",
                    lambda: backend.command(self.ports.of("postgres")),
                    environment=lambda: backend.environment(self.ports.of("postgres")),
                    directory=Path("/") if self._options.postgres == "embedded" else None,
                    identity=postgres.identity(backend.run_as),
                    prepare=backend.prepare,
                    ready_seconds=120.0,
                    stop_signal=signal.SIGINT,
                    stop_grace_seconds=20.0,
                )
            )
        nodes.append(Step("database", self._prepare_database, needs=("postgres",)))
        return nodes

    def _owner_url(self) -> str:
        if not self.backend.needs_process:
            return self.backend.owner_url(0)
        return postgres.with_database(self.backend.owner_url(self.ports.of("postgres")), self.suite.database.name)

    def _prepare_database(self) -> None:
        owner_url = self._owner_url()
        if self.backend.needs_process:
            server_url = postgres.with_database(owner_url, "postgres")
            database.wait_until_ready(server_url)
            database.ensure_database(server_url, self.suite.database.name)
        database.wait_until_ready(owner_url)
        database.migrate(owner_url, self._options.root / "infra" / "migrations")
        database.enable_logins(owner_url, self.context().passwords)

    def _google(self) -> list[Node]:
        config = self._data.run / "google.json"
        port_file = self._data.run / "google_ports.json"

        def command() -> list[str]:
            return [
                sys.executable, "-m", "local_emulator.google",
                "--port", str(self.ports.of("google", "grpc")), "--http-port", str(self.ports.of("google", "http")),
                "--data-dir", str(self._data.path / "google"), "--port-file", str(port_file), "--config", str(config),
            ]  # fmt: skip

        def prepare() -> None:
            (self._data.path / "google").mkdir(mode=0o700, exist_ok=True)
            write_private(config, {"sender": SENDER})

        return [Process("google", command, ports=("grpc", "http"), directory=EMULATOR_ROOT, prepare=prepare)]

    def _links(self) -> Process:
        linked = {name: target for name, target in LINKED.items() if target[0] in self.names}

        def command() -> list[str]:
            ports = {name: (self.ports.of("links", name), self.ports.of(*target)) for name, target in linked.items()}
            return [
                sys.executable, "-m", "local_emulator.links", "--control-port", str(self.ports.of("links", "control")),
                *(f"--link={name}={listen}:{target}" for name, (listen, target) in ports.items()),
            ]  # fmt: skip

        ports = ("control", *linked)
        needs = tuple(sorted({process for process, _ in linked.values()}))  # their ports are settled then
        return Process("links", command, needs=needs, ports=ports, directory=EMULATOR_ROOT, health_path="/_health")

    def _moto_command(self) -> list[str]:
        from .aws import moto_command

        return moto_command(self.ports.of("moto"))

    def _customers_command(self) -> list[str]:
        ports = [f"--{name}-port={self.ports.of('customers', name)}" for name in ("google", "azure")]
        return [sys.executable, "-m", "local_emulator.customers", *ports]

    def _identity_provider(self) -> Process:
        secret_file = self._data.run / "oidc_client_secret"

        def prepare() -> None:
            secret_file.touch(mode=0o600)
            secret_file.write_text(self._data.password(CLIENT_SECRET), encoding="ascii")

        def arguments() -> list[str]:
            base = self.context()
            return [
                "--base-url", base.issuer, "--redirect-uri", base.gateway_url + CALLBACK_PATH,
                "--client-secret-file", str(secret_file), "--data-dir", str(self._data.path / "idp"),
            ]  # fmt: skip

        return self._module("idp", "identity_provider", "--port", arguments, health_path="/_health", prepare=prepare)

    def _function(self, entry_point: EntryPoint) -> Process:
        folder = self._data.run / "sources" / entry_point.name

        def prepare() -> None:
            folder.mkdir(parents=True, exist_ok=True)
            name = entry_point.name
            source = f'from functions.{entry_point.function}.main import {name}\n\n__all__ = ["{name}"]\n'
            (folder / "main.py").write_text(source, encoding="utf-8")

        def command() -> list[str]:
            return [
                sys.executable, "-m", "functions_framework", "--source", str(folder / "main.py"),
                "--target", entry_point.name, "--host", HOST, "--port", str(self.ports.of(entry_point.name)),
            ]  # fmt: skip

        return Process(
            entry_point.name,
            command,
            needs=("postgres", "google", "redis", "moto", "customers", "collector", "dns", "model", "links"),
            # gunicorn puts a control socket into that directory; without it all functions share one in the home.
            environment=lambda: {"XDG_RUNTIME_DIR": str(folder), **self.context().environment(entry_point)},
            directory=self._options.root,
            health_path="/_health",
            prepare=prepare,
            restart_limit=5,
            stage=_STAGE_FUNCTIONS,
        )

    def _settle(self) -> Step:
        """Describe the step after which no port changes any more."""
        names = tuple(entry_point.name for entry_point in self.suite.entry_points())

        def settle() -> None:
            self.write_upstreams()
            if "provisioning" in self.names and self._provisioned != self._push_targets():
                self._provision()

        return Step("ports", settle, needs=(IDENTITY_PROVIDER, "provisioning", *names))

    def _push_targets(self) -> dict[str, str]:
        return {
            name: self.ports.url(subscription.entry_point)
            for name, subscription in self.suite.subscriptions.items()
            if subscription.entry_point in self.names
        }

    def _provision(self) -> None:
        from .provisioning import provision

        targets = self._push_targets()
        self._provisioned = targets
        provision(
            self.context().google["grpc"],
            self._options.suite_file,
            targets,
            secrets={CLIENT_SECRET: self.context().client_secrets(self._data.password(CLIENT_SECRET))},
            storage_url=self.context().google["http"],
        )

    def _scheduler(self) -> Process:
        def arguments() -> list[str]:
            return [
                "--suite", str(self._options.suite_file), "--upstreams", str(self._upstreams_file),
                "--tokens", f"{self.ports.url('google', 'http')}/_token",
            ]  # fmt: skip

        needs = ("database", "google", "ports")
        return self._module("scheduler", "scheduler", None, arguments, needs=needs, stage=_STAGE_FRONT)

    def _gateway(self) -> Process:
        def arguments() -> list[str]:
            return ["--suite", str(self._options.suite_file), "--upstreams", str(self._upstreams_file)]

        fixed = {"main": self.gateway_port}
        return self._module("gateway", "gateway", "--port", arguments, fixed_ports=fixed, stage=_STAGE_FRONT)

    def _module(
        self,
        name: str,
        module: str,
        port_option: str | None,
        arguments: Callable[[], list[str]] = list,
        *,
        needs: tuple[str, ...] = (),
        fixed_ports: Mapping[str, int] | None = None,
        health_path: str | None = None,
        prepare: Callable[[], None] | None = None,
        restart_limit: int = 3,
        stage: int = _STAGE_BACKENDS,
    ) -> Process:
        """Describe a process that is a module of this package."""

        def command() -> list[str]:
            port = [] if port_option is None else [port_option, str(self.ports.of(name))]
            return [sys.executable, "-m", f"local_emulator.{module}", *port, *arguments()]

        return Process(
            name,
            command,
            needs=needs,
            ports=() if port_option is None else ("main",),
            fixed_ports=fixed_ports or {},
            directory=EMULATOR_ROOT,
            health_path=health_path,
            prepare=prepare,
            restart_limit=restart_limit,
            stage=stage,
        )


def _read_providers(file: Path | None) -> tuple[Mapping[str, object], ...]:
    """Read the further sign-in providers; the functions judge the rest of what they say."""
    if file is None:
        return ()
    try:
        found = json.loads(file.read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise EmulatorError(f"--oidc-providers: {file} cannot be read", str(error)) from error
    if not isinstance(found, list) or not all(
        isinstance(item, dict) and isinstance(item.get("id"), str) and isinstance(item.get("client_secret"), str)
        for item in found
    ):
        raise EmulatorError(f"--oidc-providers: {file} must be a JSON list of objects with id and client_secret")
    return tuple(found)


def _chosen(suite: Suite, options: Options) -> set[str]:
    """Return the names of the nodes to start: all, or what was asked for, what that needs, and its steps."""
    functions = {name: set(function.entry_points) for name, function in suite.functions.items()}
    entry_points = set().union(*functions.values())
    server = set() if options.postgres == "url" else {"postgres"}
    processes = {*server, *_BACKENDS, *entry_points}
    chosen = set() if options.only else set(processes)
    if options.has_model:
        chosen.add("model")
    if options.has_links:
        chosen.add("links")
    for name in options.only:
        if name not in processes | set(functions):
            raise EmulatorError(
                f"--only: there is no {name}; there are {', '.join(sorted(processes | set(functions)))}"
            )
        chosen |= {name} if name in processes else functions[name]
    if chosen & entry_points:
        chosen |= {*server, "google", "redis", "moto", "customers", "collector", "dns"}
    if "scheduler" in chosen:
        chosen |= {"google"}
    steps = {"ports"}
    if "postgres" in chosen or (not server and chosen & entry_points):
        steps.add("database")
    if "google" in chosen:
        steps.add("provisioning")
    return chosen | steps
