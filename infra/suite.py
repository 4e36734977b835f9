"""The description of the suite (`infra/suite.yaml`), loaded and checked.

Owns the reading: the shape (`infra/suite.schema.json`), then the names that one part of the file uses of another. The
emulator and the bundler read it here; Terraform reads the same file itself. Must not start or build anything.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any, Literal, TypeVar

import yaml

from .json_schema import Draft202012Validator

SUITE_FILE = Path(__file__).with_name("suite.yaml")
SCHEMA_FILE = Path(__file__).with_name("suite.schema.json")

T = TypeVar("T")

_PARAMETER = re.compile(r"\{[^/{}]+\}")


class SuiteError(Exception):
    """The description is wrong; the message has one line per problem.

    Attributes:
        problems: each problem in the reader's words, with its place in the file.
    """

    def __init__(self, file: Path, problems: list[str]) -> None:
        super().__init__("\n".join(f"{file.name}: {problem}" for problem in problems))
        self.problems = problems


@dataclass(frozen=True, slots=True)
class Database:
    """The one database of the suite."""

    name: str
    version: int


@dataclass(frozen=True, slots=True)
class KmsKey:
    """A KMS key; `algorithm` belongs to signing keys, `rotation_days` to encrypting ones."""

    name: str
    purpose: Literal["asymmetric_sign", "encrypt_decrypt"]
    algorithm: str | None = None
    rotation_days: int | None = None


@dataclass(frozen=True, slots=True)
class SecretSpec:
    """A secret whose first version is random."""

    name: str
    generated_bytes: int


@dataclass(frozen=True, slots=True)
class Bucket:
    """A bucket whose objects are written once; its full name begins with the project's id."""

    name: str
    retention_days: int


@dataclass(frozen=True, slots=True)
class Subscription:
    """A push subscription: where a topic's messages go, and how often they are tried."""

    name: str
    topic: str
    function: str
    entry_point: str
    path: str
    ack_deadline_seconds: int
    minimum_backoff_seconds: int
    maximum_backoff_seconds: int
    max_delivery_attempts: int
    dead_letter_topic: str | None = None
    enable_message_ordering: bool = False


@dataclass(frozen=True, slots=True)
class Schedule:
    """A POST that is made again and again."""

    name: str
    every_seconds: int
    function: str
    entry_point: str
    path: str


@dataclass(frozen=True, slots=True)
class EntryPoint:
    """One deployed service of a function: its name is unique in the suite."""

    name: str
    function: str
    trigger: Literal["http", "events"]
    memory_mib: int
    cpu: int
    concurrency: int
    timeout_seconds: int
    max_instances: int


@dataclass(frozen=True, slots=True)
class DatabaseRoles:
    """The role a function logs in as, and the one it works as inside a unit of work."""

    login: str
    work: str


@dataclass(frozen=True, slots=True)
class Function:
    """One deployable folder under `functions/`.

    Attributes:
        internet: whether it calls anybody but Google and the suite itself; the firewall lets no other function out.
        rotates: secrets that it may add versions to, which it need not be able to read.
        buckets: buckets it may add objects to and read.
        publishes: topics it may publish to.
        paths: public path template to methods, served by its `http` entry point.
    """

    name: str
    database: DatabaseRoles | None
    internet: bool
    kms_keys: tuple[str, ...]
    secrets: tuple[str, ...]
    rotates: tuple[str, ...]
    buckets: tuple[str, ...]
    publishes: tuple[str, ...]
    entry_points: Mapping[str, EntryPoint]
    paths: Mapping[str, tuple[str, ...]]

    @property
    def http_entry_point(self) -> EntryPoint | None:
        """Return the entry point that serves `paths`, if there is one."""
        return next((entry for entry in self.entry_points.values() if entry.trigger == "http"), None)


@dataclass(frozen=True, slots=True)
class Suite:
    """The whole description."""

    name: str
    runtime: str
    database: Database
    kms_keys: Mapping[str, KmsKey]
    secrets: Mapping[str, SecretSpec]
    buckets: Mapping[str, Bucket]
    topics: tuple[str, ...]
    subscriptions: Mapping[str, Subscription]
    schedules: Mapping[str, Schedule]
    functions: Mapping[str, Function]

    def entry_points(self) -> Iterator[EntryPoint]:
        """Yield every entry point of every function, in the order of the file."""
        for function in self.functions.values():
            yield from function.entry_points.values()

    def roles(self) -> tuple[DatabaseRoles, ...]:
        """Return the database roles of the functions that have a database."""
        return tuple(function.database for function in self.functions.values() if function.database is not None)


def load_suite(file: Path = SUITE_FILE) -> Suite:
    """Read and check a description.

    Raises:
        SuiteError: it is not YAML, has another shape, or names something that does not exist.
    """
    document = read_document(file)
    schema = json.loads(SCHEMA_FILE.read_text(encoding="utf-8"))
    validator = Draft202012Validator(schema)
    wrong = sorted(validator.iter_errors(document), key=lambda error: error.json_path)
    if wrong:
        raise SuiteError(file, [f"{error.json_path.removeprefix('$.')}: {error.message}" for error in wrong])
    suite = _suite(document)
    problems = list(_problems(suite))
    if problems:
        raise SuiteError(file, problems)
    return suite


def read_document(file: Path = SUITE_FILE) -> Any:
    """Read a description without checking it, for tools that have models of their own.

    Raises:
        SuiteError: it is not YAML.
    """
    try:
        return yaml.load(file.read_text(encoding="utf-8"), Loader=_UniqueKeys)  # noqa: S506 (a SafeLoader)
    except (OSError, yaml.YAMLError) as error:
        raise SuiteError(file, [str(error).replace("\n", " ")]) from error


def path_shape(template: str) -> str:
    """Return a template without its parameters' names: two templates of one shape match the same paths."""
    return _PARAMETER.sub("{}", template)


class _UniqueKeys(yaml.SafeLoader):
    """SafeLoader that refuses a key that stands twice; YAML says it is an error, PyYAML keeps the last."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:  # noqa: FBT001, FBT002 (PyYAML's signature)
        keys = [self.construct_object(key, deep=True) for key, _ in node.value]
        twice = [key for key, count in Counter(map(str, keys)).items() if count > 1]
        if twice:
            raise yaml.constructor.ConstructorError(None, None, f"the key {twice[0]!r} stands twice", node.start_mark)
        found: dict[Any, Any] = super().construct_mapping(node, deep=deep)
        return found


def _suite(document: Mapping[str, Any]) -> Suite:
    return Suite(
        name=document["suite"],
        runtime=document["runtime"],
        database=Database(**document["database"]),
        kms_keys=_each(document["kms_keys"], KmsKey),
        secrets=_each(document["secrets"], SecretSpec),
        buckets=_each(document.get("buckets", {}), Bucket),
        topics=tuple(document["topics"]),
        subscriptions=_each(document["subscriptions"], Subscription),
        schedules=_each(document["schedules"], Schedule),
        functions=MappingProxyType({name: _function(name, found) for name, found in document["functions"].items()}),
    )


def _each(members: Mapping[str, Mapping[str, Any]], kind: Callable[..., T]) -> Mapping[str, T]:
    return MappingProxyType({name: kind(name=name, **values) for name, values in members.items()})


def _function(name: str, found: Mapping[str, Any]) -> Function:
    entry_points = {
        entry: EntryPoint(name=entry, function=name, **values) for entry, values in found["entry_points"].items()
    }
    return Function(
        name=name,
        database=None if found["database"] is None else DatabaseRoles(**found["database"]),
        internet=found.get("internet", False),
        kms_keys=tuple(found["kms_keys"]),
        secrets=tuple(found["secrets"]),
        rotates=tuple(found.get("rotates", ())),
        buckets=tuple(found.get("buckets", ())),
        publishes=tuple(found["publishes"]),
        entry_points=MappingProxyType(entry_points),
        paths=MappingProxyType({template: tuple(methods) for template, methods in found["paths"].items()}),
    )


def _problems(suite: Suite) -> Iterator[str]:
    for subscription in suite.subscriptions.values():
        place = f"subscriptions.{subscription.name}"
        yield from _unknown(place, "topic", [subscription.topic], suite.topics)
        if subscription.dead_letter_topic is not None:
            yield from _unknown(place, "dead_letter_topic", [subscription.dead_letter_topic], suite.topics)
        if subscription.minimum_backoff_seconds > subscription.maximum_backoff_seconds:
            yield f"{place}: minimum_backoff_seconds is larger than maximum_backoff_seconds"
        yield from _target_problems(place, subscription, suite)
    for schedule in suite.schedules.values():
        yield from _target_problems(f"schedules.{schedule.name}", schedule, suite)
    for function in suite.functions.values():
        place = f"functions.{function.name}"
        yield from _unknown(place, "kms_keys", function.kms_keys, suite.kms_keys)
        yield from _unknown(place, "secrets", function.secrets, suite.secrets)
        yield from _unknown(place, "rotates", function.rotates, suite.secrets)
        yield from _unknown(place, "buckets", function.buckets, suite.buckets)
        yield from _unknown(place, "publishes", function.publishes, suite.topics)
        serving = [entry.name for entry in function.entry_points.values() if entry.trigger == "http"]
        if len(serving) > 1:
            yield f"{place}.entry_points: only one may have the trigger http, not {', '.join(serving)}"
        if function.paths and not serving:
            yield f"{place}.paths: no entry point has the trigger http to serve them"
    yield from _double_problems(suite)


def _unknown(place: str, member: str, used: tuple[str, ...] | list[str], known: object) -> Iterator[str]:
    names = set(known) if isinstance(known, Mapping | tuple) else set()
    for name in used:
        if name not in names:
            yield f"{place}.{member}: {name} does not exist"


def _target_problems(place: str, target: Subscription | Schedule, suite: Suite) -> Iterator[str]:
    function = suite.functions.get(target.function)
    if function is None:
        yield f"{place}.function: {target.function} does not exist"
        return
    entry_point = function.entry_points.get(target.entry_point)
    if entry_point is None:
        yield f"{place}.entry_point: {target.entry_point} is no entry point of {target.function}"
    elif entry_point.trigger != "events":
        yield f"{place}.entry_point: {target.entry_point} has the trigger {entry_point.trigger}, not events"


def _double_problems(suite: Suite) -> Iterator[str]:
    """Yield what two parts of the file claim for themselves."""
    entry_points = Counter(entry.name for entry in suite.entry_points())
    yield from (f"the entry point {name} stands in two functions" for name, count in entry_points.items() if count > 1)
    roles = Counter(role for pair in suite.roles() for role in (pair.login, pair.work))
    yield from (f"the database role {name} is used twice" for name, count in roles.items() if count > 1)
    senders: list[Subscription | Schedule] = [*suite.subscriptions.values(), *suite.schedules.values()]
    targets = Counter((sender.entry_point, sender.path) for sender in senders)
    yield from (f"{path} of {name} has two senders" for (name, path), count in targets.items() if count > 1)
    owners: dict[tuple[str, str], str] = {}
    for function in suite.functions.values():
        for template, methods in function.paths.items():
            if template.split("/")[1] in {"_events", "_health"}:
                yield f"functions.{function.name}.paths: {template} is internal and cannot be public"
            for method in methods:
                owner = owners.setdefault((path_shape(template), method), f"{function.name} ({template})")
                if owner != f"{function.name} ({template})":
                    yield f"functions.{function.name}.paths: {method} {template} is already served by {owner}"
