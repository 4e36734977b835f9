"""An AWS account for tests: a moto server of its own, filled by Terraform or by a recording, and scanned by the engine.

Owns processes and comparisons of the tests; the server's command and the replay stand in `local_emulator.aws`.
"""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any, TypeAlias, cast

import boto3
from botocore.config import Config

from functions.scan.domain.comparison import Drift, Sides, Tally, compare
from functions.scan.domain.resources import Declared, LiveResource, NotChecked, Unread
from functions.scan.domain.state import parse_state
from functions.scan.readers.aws import SERVICES
from functions.scan.readers.aws.base import Scope, Service, collect, permission_of
from functions.scan.types.aws import SPECS
from local_emulator.aws import ACCOUNT, REGION, SEED, moto_command, replay, wait_until_ready
from local_emulator.moto_server import PLACEHOLDER

from .aws_in_process import BUCKETS, ENDPOINT, TRANSPORT, account_in_process, answer_in_process

__all__ = [
    "ACCOUNT", "CREATED", "FIXTURES", "REGION", "Clients", "Expected", "Mutation", "ProviderUnavailable", "Scanned", "action_of", "attributes_of", "called_actions", "clients",
    "declared_in", "drift_items", "drifts", "load_state", "moto_account", "name_of", "prepare_terraform", "replay", "replayed_account", "run_terraform", "scan", "services_for",
    "terraform_apply", "why_no_terraform",
]  # fmt: skip

ROOT = Path(__file__).resolve().parents[2]
FIXTURES = ROOT / "tests" / "fixtures" / "aws"
CREATED = "<created>"  # in `Mutation.expects`: the key (each of the keys) that `apply` returned

_START_SECONDS = 180.0  # the stand-in takes three; a machine that does much else may need many more
_TERRAFORM_SECONDS = 400.0  # it takes two minutes; a machine that does much else may need more

_CALLED: defaultdict[str, set[str]] = defaultdict(set)  # by endpoint

Clients: TypeAlias = Callable[[str], Any]
Expected: TypeAlias = set[tuple[str, str, str]]
State: TypeAlias = dict[str, Any]

_PROVIDER = """
provider "aws" {
  s3_use_path_style = true
}
"""


@dataclass(frozen=True)
class Mutation:
    """One change behind Terraform's back.

    Attributes:
        target: address of the declared instance that is changed, e.g. `aws_vpc.main`; empty when there is none.
        expects: exactly the drifts that become new: (kind, address, path) for `changed`, (`missing`, address, "")
            and (`unmanaged`, key, ""); `CREATED` as a key stands for what `apply` returned. May be a callable of the state.
        apply: makes the change; receives the boto3 clients and the target's attributes in the state. A text it returns
            is the key of what it created, a list several keys; anything else it returns (an API reply) is ignored.
        also: further Terraform types to scan, beyond those of the target and of the expected addresses.
    """

    target: str
    expects: Expected | Callable[[State], Expected]
    apply: Callable[[Clients, dict[str, Any]], object]
    also: tuple[str, ...] = ()

    def expected(self, state: State, created: object) -> Expected:
        """Spell out the expectation for one run."""
        found = self.expects(state) if callable(self.expects) else self.expects
        keys = [created] if isinstance(created, str) else created if isinstance(created, list) else []
        whole = {item for item in found if item[1] != CREATED}
        return whole | {(kind, key, path) for kind, name, path in found if name == CREATED for key in keys}


class ProviderUnavailable(RuntimeError):
    """Terraform is there, its AWS provider is not (no registry, no mirror)."""


@dataclass(slots=True)
class Scanned:
    """What a scan read, and the types it looked for."""

    live: list[LiveResource] = field(default_factory=list)
    unread: list[Unread] = field(default_factory=list)
    not_checked: list[NotChecked] = field(default_factory=list)
    types: set[str] = field(default_factory=set)


@contextmanager
def moto_account(
    *, seed: int = SEED, recording: Path | None = None, server: str = "local_emulator.moto_server"
) -> Iterator[str]:
    """Serve an empty account; yields its URL.

    Args:
        seed: start of the ids.
        recording: file (JSON lines) to which the writes are appended.
        server: module that serves it.
    """
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    process = subprocess.Popen(
        [
            part.replace("local_emulator.moto_server", server)
            for part in moto_command(port, seed=seed, record=recording)
        ],
        cwd=ROOT,
        # A fixed hash seed keeps the order of the server's sets, and with it the order in which ids are drawn.
        env={**os.environ, "PYTHONHASHSEED": "0", **_credentials()},
        stdout=subprocess.DEVNULL,
        stderr=None if os.environ.get("DRIFTWISE_MOTO_LOG") else subprocess.DEVNULL,
    )
    endpoint = f"http://127.0.0.1:{port}"
    try:
        wait_until_ready(endpoint, timeout_seconds=_START_SECONDS)
        yield endpoint
    finally:
        process.terminate()
        process.wait(timeout=10)


@contextmanager
def replayed_account(group: str) -> Iterator[str]:
    """Serve the account of a fixture group within this process; yields its URL (see `aws_in_process`).

    Raises:
        RuntimeError: another test of this process has not given the process's account back.
    """
    with account_in_process() as endpoint:
        _CALLED.pop(endpoint, None)
        replay(endpoint, FIXTURES / group / "requests.jsonl.gz", transport=TRANSPORT)
        yield endpoint


@cache
def clients(endpoint: str) -> Clients:
    """Return a function that makes (and keeps) the boto3 client of a service."""
    session = boto3.Session(aws_access_key_id="test", aws_secret_access_key="test", region_name=REGION)
    config = Config(s3={"addressing_style": "path"}, retries={"max_attempts": 1})

    @cache
    def client(service: str) -> Any:
        made = cast("Any", session).client(service, endpoint_url=endpoint, config=config)
        made.meta.events.register("before-call.*.*", note)
        if endpoint == ENDPOINT:
            made.meta.events.register("before-send", answer_in_process)
            made.meta.events.register("before-call.s3.*", BUCKETS.recall)
            made.meta.events.register("after-call.s3.*", BUCKETS.keep)
        return made

    def note(model: Any, **_others: object) -> None:
        _CALLED[endpoint].add(action_of(model.service_model.signing_name, model.name))

    return client


def called_actions(endpoint: str) -> set[str]:
    """Return the IAM actions behind all calls that the clients of an account made so far."""
    return set(_CALLED[endpoint])


def action_of(signing_name: str, operation: str) -> str:
    """Name the IAM action of a call; the name that requests are signed for is IAM's, but for a few."""
    others = {"monitoring": "cloudwatch", "tagging": "tag", "cloudcontrolapi": "cloudformation"}
    return permission_of(others.get(signing_name, signing_name), operation)


def scan(endpoint: str, services: Iterable[Service] = SERVICES) -> Scanned:
    """Run every listing of the services once and sort what they yield."""
    scope = Scope(account=ACCOUNT, region=REGION, partition="aws", client=clients(endpoint))
    found = Scanned()
    for service in services:
        for listing in service.listings:
            found.types.update(listing.types)
            for item in collect(listing, scope):
                if isinstance(item, LiveResource):
                    found.live.append(item)
                elif isinstance(item, Unread):
                    found.unread.append(item)
                else:
                    found.not_checked.append(item)
    return found


def services_for(types: Iterable[str]) -> list[Service]:
    """Return the services, reduced to the listings that yield one of the types or an inline form of it."""
    wanted = set(types)
    for spec in SPECS.values():
        family = {spec.type, *(child for children in spec.inline.values() for child in children)}
        if len(family) > 1 and family & wanted:
            wanted |= family
    found = []
    for service in SERVICES:
        listings = tuple(listing for listing in service.listings if wanted & set(listing.types))
        if listings:
            found.append(Service(service.name, listings))
    return found


def declared_in(state: State) -> tuple[Declared, ...]:
    """Read a state document as the engine does."""
    return parse_state(json.dumps(state).encode(), SPECS).declared


def drift_items(declared: Iterable[Declared], scanned: Scanned) -> list[Drift]:
    """Compare what a state declares with a scan; only the types that the scan looked for are judged."""
    sides = Sides(
        account=ACCOUNT,
        regions=frozenset({REGION}),
        declared=declared,
        live=scanned.live,
        unread=scanned.unread,
        not_checked=scanned.not_checked,
    )
    return [item for item in compare(sides, SPECS, Tally()) if item.type in scanned.types]


def drifts(state: State, scanned: Scanned) -> Expected:
    """Return the drifts as (kind, address or key, path or "")."""
    return {name_of(item) for item in drift_items(declared_in(state), scanned)}


def name_of(item: Drift) -> tuple[str, str, str]:
    """Name one drift the way `Mutation.expects` does."""
    return item.kind, item.address or item.key, item.path or ""


def attributes_of(state: State, address: str) -> dict[str, Any]:
    """Return the attributes of one declared instance, as the state has them.

    Raises:
        KeyError: the state has no such address.
    """
    for resource in state["resources"]:
        for instance in resource["instances"]:
            index = "" if instance.get("index_key") is None else f"[{json.dumps(instance['index_key'])}]"
            module = f"{resource['module']}." if resource.get("module") else ""
            if address == f"{module}{resource['type']}.{resource['name']}{index}" and resource["mode"] == "managed":
                return dict(instance["attributes"])
    raise KeyError(address)


def load_state(group: str, endpoint: str) -> State:
    """Load the recorded state of a fixture group, its URLs pointing at this server."""
    content = (FIXTURES / group / "state.json").read_text(encoding="utf-8")
    return cast("State", json.loads(content.replace(PLACEHOLDER, endpoint.removeprefix("http://"))))


def why_no_terraform() -> str | None:
    """Say why Terraform cannot be run here; None when it can."""
    if shutil.which("terraform") is None:
        return "there is no `terraform` on PATH"
    return None


def terraform_apply(configuration: Path, endpoint: str, work: Path) -> State:
    """Apply a configuration and return the state document.

    Args:
        configuration: folder with `*.tf`; a provider block is added when it has none.
        endpoint: URL of the account.
        work: empty folder to run in.
    Raises:
        ProviderUnavailable: `terraform init` found no AWS provider.
        RuntimeError: the apply failed; the message holds the end of Terraform's output.
    """
    environment = prepare_terraform(configuration, endpoint, work)
    # The provider mostly waits; the server handles requests one by one, so ids stay repeatable.
    run_terraform(["apply", "-auto-approve", "-input=false", "-parallelism=30"], work, environment)
    return cast("State", json.loads((work / "terraform.tfstate").read_text(encoding="utf-8")))


def prepare_terraform(configuration: Path, endpoint: str, work: Path) -> dict[str, str]:
    """Copy a configuration to a folder and make Terraform ready there.

    Args:
        configuration: folder with `*.tf`; a provider block is added when it has none.
        endpoint: URL of the account.
        work: folder to run in.
    Returns:
        The environment for `run_terraform`.
    Raises:
        ProviderUnavailable: `terraform init` found no AWS provider.
    """
    sources = sorted(configuration.glob("*.tf"))
    for source in sources:
        shutil.copy(source, work / source.name)
    for folder in (path for path in configuration.iterdir() if path.is_dir()):
        shutil.copytree(folder, work / folder.name, dirs_exist_ok=True)
    if not any('provider "aws"' in source.read_text(encoding="utf-8") for source in sources):
        (work / "provider.tf").write_text(_PROVIDER, encoding="utf-8")
    environment = _terraform_environment(endpoint, work)
    try:
        run_terraform(["init", "-input=false"], work, environment)
    except RuntimeError as error:
        raise ProviderUnavailable(str(error)) from None
    return environment


def run_terraform(arguments: list[str], work: Path, environment: Mapping[str, str]) -> str:
    """Run Terraform and return what it printed.

    Raises:
        RuntimeError: it failed; the message holds the end of its output.
        TimeoutExpired: it did not end.
    """
    done = subprocess.run(
        ["terraform", arguments[0], "-no-color", *arguments[1:]],
        cwd=work, env=environment, capture_output=True, text=True, check=False, timeout=_TERRAFORM_SECONDS,
    )  # fmt: skip
    if done.returncode != 0:
        raise RuntimeError(f"terraform {arguments[0]} failed:\n{(done.stdout + done.stderr)[-6000:]}")
    return done.stdout


def _terraform_environment(endpoint: str, work: Path) -> dict[str, str]:
    """Point Terraform at the account, and at a provider mirror where DRIFTWISE_TF_MIRROR lists some (like PATH)."""
    environment = {**os.environ, **_credentials(), "AWS_ENDPOINT_URL": endpoint, "CHECKPOINT_DISABLE": "1"}
    # The provider holds its schemas to the end; collecting garbage took a fifth of the time of an apply.
    environment |= {"GOGC": "off", "GOMEMLIMIT": "2GiB"}
    environment["AWS_MAX_ATTEMPTS"] = "2"  # what the server does not implement fails at once instead of after minutes
    configured = environment.get("TF_CLI_CONFIG_FILE")
    if configured and not Path(configured).is_file():
        del environment["TF_CLI_CONFIG_FILE"]
    mirrors = [
        path for path in environment.get("DRIFTWISE_TF_MIRROR", "").split(os.pathsep) if Path(path).is_dir() and path
    ]
    if mirrors:
        blocks = "".join(f"  filesystem_mirror {{\n    path = {json.dumps(path)}\n  }}\n" for path in mirrors)
        file = work / "terraform.rc"
        file.write_text(f"provider_installation {{\n{blocks}}}\n", encoding="utf-8")
        environment["TF_CLI_CONFIG_FILE"] = str(file)
    return environment


def _credentials() -> dict[str, str]:
    return {
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_REGION": REGION,
        "AWS_DEFAULT_REGION": REGION,
        "AWS_EC2_METADATA_DISABLED": "true",
    }
