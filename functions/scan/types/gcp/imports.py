"""How each Google type is imported, and what a configuration says of it beyond the compared attributes.

An import id is the path of the full resource name, as the provider is made from the same descriptions as the APIs; exceptions stand
in the table. Source: Terraform Google provider 6.50, section "Import" of each resource. Must not do I/O.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from functools import cache
from typing import Final

from ..import_rules import ImportRule, Source
from . import TYPES
from .iam import MEMBER
from .schema import SCHEMA

_HOST = re.compile(r"//[^/]+/")
_PRESENT: Final = {kind.type: kind.present for kind in TYPES}
_PATH = re.compile(r"(?:projects|folders|organizations)/[^/]+(?:/.+)?")
# What stands in a path before a name, and the argument that takes the name, where the type has one of that name.
_ARGUMENTS: Final[Mapping[str, tuple[str, ...]]] = {
    "projects": ("project",),
    "organizations": ("org_id",),
    "zones": ("zone",),
    "regions": ("region",),
    "locations": ("location", "region"),
    "clusters": ("cluster",),
    "datasets": ("dataset_id",),
    "tables": ("table_id",),
    "secrets": ("secret_id",),
    "topics": ("topic",),
    "routers": ("router",),
    "managedZones": ("managed_zone",),
    "roles": ("role_id",),
    "services": ("service",),
    "repositories": ("repository_id",),
    "buckets": ("bucket_id",),
    "databases": ("database",),
}


def path_of(source: Source) -> str:
    """Return the path of a full resource name; empty when the key is none."""
    path = _HOST.sub("", source.key, count=1) if source.key.startswith("//") else source.key
    return path if _PATH.fullmatch(path) or source.key.startswith("//storage.") else ""


def arguments(source: Source) -> Mapping[str, object]:
    """Return the arguments that a full resource name tells: names, project, zone, region, location."""
    parts = path_of(source).split("/")
    found: dict[str, object] = {"name": parts[-1]}
    for collection, name in zip(parts[::2], parts[1::2], strict=False):
        found |= dict.fromkeys(_ARGUMENTS.get(collection, ()), name)
    return found


@cache
def rule_of(type_name: str) -> ImportRule | None:
    """Return the rule of a type, mapped or not; None when the provider has no such type."""
    if type_name.endswith(MEMBER):
        return _GRANTS.get(type_name.removesuffix(MEMBER))
    if type_name in _RULES:
        return _RULES[type_name]
    return _of(type_name, _path) if type_name in SCHEMA.lines else None


def _path(source: Source) -> str | None:
    return path_of(source) or None


def _known(type_name: str, source: Source) -> dict[str, object]:
    schema = SCHEMA.attribute_schema(type_name) or {}
    return {
        name: value
        for name, value in arguments(source).items()
        if name in schema and not schema[name].is_computed_only and source.attributes.get(name) is None
    }


def _of(type_name: str, identity: Callable[[Source], str | None], **adds: Callable[[Source], object]) -> ImportRule:
    """Make the rule of a type with arguments of its own."""

    def added(source: Source) -> dict[str, object]:
        return {**_known(type_name, source), **{name: make(source) for name, make in adds.items()}}

    return ImportRule(identity, added, present=_PRESENT.get(type_name, frozenset()).__contains__)


def _last(source: Source) -> str:
    return path_of(source).rpartition("/")[2]


def _above(source: Source, levels: int = 2) -> str:
    return "/".join(path_of(source).split("/")[:-levels])


def _joined(*positions: int, by: str = "/") -> Callable[[Source], str | None]:
    """Make an id of the names at some positions of the path."""

    def identity(source: Source) -> str | None:
        parts = path_of(source).split("/")
        return by.join(parts[position] for position in positions) if len(parts) > max(positions) else None

    return identity


def _without_collection(source: Source) -> str:
    """Return the path of a gateway inside a router, as the provider writes it: without the word before its name."""
    return f"{_above(source)}/{_last(source)}"


_RULES: Final[Mapping[str, ImportRule]] = {
    "google_storage_bucket": _of("google_storage_bucket", _last),
    "google_project": _of("google_project", _last, project_id=_last),
    "google_folder": ImportRule(_path),
    "google_project_service": _of("google_project_service", _joined(1, 3)),
    "google_container_node_pool": _of("google_container_node_pool", _joined(1, 3, 5, 7)),
    "google_compute_router_nat": _of("google_compute_router_nat", _without_collection),
    "google_logging_metric": _of("google_logging_metric", _joined(1, 3, by=" ")),
    "google_service_account": _of(
        "google_service_account", _path, account_id=lambda source: _last(source).partition("@")[0]
    ),
    "google_kms_crypto_key": _of("google_kms_crypto_key", _path, key_ring=_above),
    "google_spanner_database": _of(
        "google_spanner_database", _path, instance=lambda source: path_of(source).split("/")[3]
    ),
    "google_dns_record_set": _of(
        "google_dns_record_set",
        _path,
        name=lambda source: path_of(source).split("/")[-2],
        type=_last,
    ),
}


def _grant_rule(prefix: str, named: Callable[[str], str], **adds: Callable[[str], object]) -> ImportRule:
    """Make the rule of grants on a kind of resource.

    Args:
        prefix: of its Terraform types.
        named: how an import id calls the resource, from its full name's path.
        adds: arguments that name the resource, from the same path.
    """

    def path(source: Source) -> str:
        return _HOST.sub("", source.part(0), count=1)

    def identity(source: Source) -> str | None:
        role, condition, member = source.part(1), source.part(2), source.key.split("|", 3)[-1]
        # Of a condition only a digest is kept, and an import id wants its title.
        return None if condition or not role else f"{named(path(source))} {role} {member}"

    def added(source: Source) -> dict[str, object]:
        schema = SCHEMA.attribute_schema(prefix + MEMBER) or {}
        whole = Source(path(source), source.cloud_id, {}, {})
        known = {name: value for name, value in arguments(whole).items() if name in schema and name != "name"}
        made = {name: make(path(source)) for name, make in adds.items()}
        return {**known, **made, "role": source.part(1), "member": source.key.split("|", 3)[-1]}

    return ImportRule(identity, added)


def _end(path: str) -> str:
    return path.rpartition("/")[2]


def _names(path: str) -> str:
    """Return the names of a path without the words before them (`project/location/ring`)."""
    return "/".join(path.split("/")[1::2])


def _whole(path: str) -> str:
    return path


_GRANTS: Final[Mapping[str, ImportRule]] = {
    **{
        prefix: _grant_rule(prefix, _whole, **{argument: _end})
        for prefix, argument in (
            ("google_pubsub_topic", "topic"),
            ("google_pubsub_subscription", "subscription"),
            ("google_secret_manager_secret", "secret_id"),
            ("google_bigquery_dataset", "dataset_id"),
            ("google_bigquery_table", "table_id"),
            ("google_cloud_run_v2_service", "name"),
            ("google_cloudfunctions_function", "cloud_function"),
            ("google_cloudfunctions2_function", "cloud_function"),
            ("google_artifact_registry_repository", "repository"),
            ("google_compute_instance", "instance_name"),
            ("google_compute_subnetwork", "subnetwork"),
            ("google_cloud_tasks_queue", "name"),
        )
    },
    "google_project": _grant_rule("google_project", _end, project=_end),
    "google_folder": _grant_rule("google_folder", _whole, folder=_whole),
    "google_organization": _grant_rule("google_organization", _end, org_id=_end),
    "google_storage_bucket": _grant_rule("google_storage_bucket", lambda path: f"b/{path}", bucket=_whole),
    "google_service_account": _grant_rule("google_service_account", _whole, service_account_id=_whole),
    "google_kms_key_ring": _grant_rule("google_kms_key_ring", _names, key_ring_id=_whole),
    "google_kms_crypto_key": _grant_rule("google_kms_crypto_key", _names, crypto_key_id=_whole),
    "google_spanner_instance": _grant_rule("google_spanner_instance", _names, instance=_end),
    "google_spanner_database": _grant_rule(
        "google_spanner_database", _names, database=_end, instance=lambda path: path.split("/")[3]
    ),
}
