"""Who may do what on a resource: bindings, members and whole policies, in the three forms that Terraform has for each.

A grant is one member in one role under one condition; the condition is part of what it is. Both sides are taken apart into grants,
each an `_iam_member`: a state's `_iam_binding` and `_iam_policy` stand for those they hold, under their own address. So whatever
form declares it, a grant that is gone is missing, and one that nobody declares is unmanaged, also beside an authoritative form.
Source: https://cloud.google.com/iam/docs/reference/rest/v1/Policy; Terraform Google provider 6.50, `google_*_iam` resources.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from ...domain.resources import Attributes, Declared, Parent
from ...domain.shapes import Canonical, text
from ...domain.specs import TypeSpec
from .mapping import key_from, names_in

BINDING, MEMBER, POLICY = "_iam_binding", "_iam_member", "_iam_policy"
_CONDITION = ("title", "description", "expression")
_CASE_COUNTS = ("principal:", "principalSet:", "deleted:")
_MOST_BINDINGS = 10_000


@dataclass(frozen=True, slots=True)
class Grantable:
    """A kind of resource that has a policy.

    Attributes:
        prefix: of its Terraform types, e.g. `google_pubsub_topic`.
        assets: asset types.
        key: full resource name from a state's attributes in braces.
        inline: attribute of the resource's own type that holds the same grants, when it has one.
        also: (prefix, key) of other Terraform types for grants on the very same thing.
        words: collections in the resource's name, where a state may leave them out (`shop-prod/europe-west1/ring`).
    """

    prefix: str
    assets: tuple[str, ...]
    key: str
    inline: str = ""
    also: tuple[tuple[str, str], ...] = ()
    words: tuple[str, ...] = ()


def member_name(value: object) -> Canonical:
    """A member; the case of e-mail addresses and domains carries no meaning, that of federated principals does.

    Source: https://cloud.google.com/iam/docs/principal-identifiers
    """
    found = text(value)
    if not isinstance(found, str) or found.startswith(_CASE_COUNTS):
        return found
    kind, colon, name = found.partition(":")
    return f"{kind}:{name.lower()}" if colon else found  # `allUsers` stands alone


def condition_of(value: object) -> str:
    """Name a condition by all it says; empty when there is none."""
    held = value[0] if isinstance(value, list) and value else value
    if not isinstance(held, Mapping):
        return ""
    parts = [str(held.get(name) or "") for name in _CONDITION]
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:32] if any(parts) else ""


def binding_key(resource: str, role: str, condition: object) -> str:
    """Name one role on a resource under one condition."""
    return f"{resource}|{role}|{condition_of(condition)}"


def member_key(binding: str, member: object) -> str:
    """Name one grant."""
    return f"{binding}|{member_name(member)}"


def parent_of(kind: Grantable, resource: str) -> Parent | None:
    """Return the attribute that says the same as the grants on a resource; None when no attribute does."""
    return Parent(kind.prefix, resource, kind.inline) if kind.inline else None


def specs_of(kind: Grantable) -> Iterator[TypeSpec]:
    """Make the rules of the types that declare grants on a kind of resource."""

    def of_binding(attributes: Attributes) -> str | None:
        resource = _resource(kind, attributes)
        role = attributes.get("role")
        return binding_key(resource, str(role), attributes.get("condition")) if resource and role else None

    def of_member(attributes: Attributes) -> str | None:
        binding, member = of_binding(attributes), attributes.get("member")
        return member_key(binding, member) if binding and member else None

    def parent(attributes: Attributes) -> Parent | None:
        resource = _resource(kind, attributes)
        return parent_of(kind, resource) if resource else None

    yield TypeSpec(
        kind.prefix + MEMBER, {}, key=of_member, parent=parent, expand=lambda declared: (_in_project(declared),)
    )
    yield TypeSpec(kind.prefix + BINDING, {}, key=of_binding, expand=lambda declared: _of_binding(kind, declared))
    yield TypeSpec(
        kind.prefix + POLICY,
        {},
        key=lambda attributes: _resource(kind, attributes),
        expand=lambda declared: _of_policy(kind, declared),
    )


def grants_of(policy: object, resource: str) -> Iterator[tuple[str, str, object, str]]:
    """Yield each grant of a policy once: key, role, condition and member.

    Raises:
        TypeError: it is not what a policy looks like, or holds more than one can.
    """
    held = policy.get("bindings", []) if isinstance(policy, Mapping) else None
    if not isinstance(held, list) or len(held) > _MOST_BINDINGS:
        raise TypeError("no policy")
    seen: set[str] = set()
    for item in held:
        if not isinstance(item, Mapping) or not item.get("role") or not isinstance(item.get("members", []), list):
            raise TypeError("no binding")
        binding = binding_key(resource, str(item["role"]), item.get("condition"))
        for member in item.get("members", []):
            key = member_key(binding, member)
            if key not in seen:
                seen.add(key)
                yield key, str(item["role"]), item.get("condition"), str(member)


def _in_project(declared: Declared) -> Declared:
    project = declared.attributes.get("project")
    return replace(declared, account=str(project) if project else None)


def _of_binding(kind: Grantable, declared: Declared) -> Iterator[Declared]:
    members = declared.attributes.get("members")
    if declared.key is None or not isinstance(members, list | tuple | set | frozenset):
        yield replace(_in_project(declared), key=None)
        return
    for member in sorted({str(member_name(item)) for item in members}):
        yield _grant(kind, declared, member_key(declared.key, member))


def _of_policy(kind: Grantable, declared: Declared) -> Iterator[Declared]:
    """Take a whole policy apart; one that cannot be read is matched by nothing, and counts as not checked."""
    try:
        policy = json.loads(str(declared.attributes.get("policy_data") or "{}"))
        keys = [key for key, *_ in grants_of(policy, declared.key)] if declared.key else None
    except (ValueError, RecursionError, TypeError):
        keys = None
    if keys is None:
        yield replace(_in_project(declared), key=None)
        return
    for key in keys:
        yield _grant(kind, declared, key)


def _grant(kind: Grantable, declared: Declared, key: str) -> Declared:
    attributes = {"id": declared.attributes.get("id")}
    parent = parent_of(kind, key.partition("|")[0])
    return replace(_in_project(declared), type=kind.prefix + MEMBER, key=key, attributes=attributes, parent=parent)


def _resource(kind: Grantable, attributes: Attributes) -> str | None:
    found = key_from(kind.key, _with_words(kind, attributes) if kind.words else attributes)
    return found.replace("storage.googleapis.com/b/", "storage.googleapis.com/", 1) if found else None


def _with_words(kind: Grantable, attributes: Attributes) -> Attributes:
    """Name a key or a ring of Cloud KMS in full: a configuration may leave words out, or the provider's own project.

    Source: google_kms_crypto_key_iam documentation, `crypto_key_id`; the provider begins `id` with the full name.
    """
    name = names_in(kind.key)[0]
    given = [part for part in str(attributes.get(name) or "").split("/") if part]
    if len(given) == len(kind.words):
        full = "/".join(f"{word}/{part}" for word, part in zip(kind.words, given, strict=True))
        return {**attributes, name: full}
    whole = str(attributes.get("id") or "").split("/")[: 2 * len(kind.words)]
    if len(given) == len(kind.words) - 1 and whole[::2] == list(kind.words):
        return {**attributes, name: "/".join(whole)}
    return attributes


_P = "projects/{project}"
_RING = ("projects", "locations", "keyRings")
GRANTABLE = (
    Grantable(
        "google_project",
        ("cloudresourcemanager.googleapis.com/Project",),
        f"//cloudresourcemanager.googleapis.com/{_P}",
    ),
    Grantable(
        "google_folder",
        ("cloudresourcemanager.googleapis.com/Folder",),
        "//cloudresourcemanager.googleapis.com/folders/{folder:tail}",
    ),
    Grantable(
        "google_organization",
        ("cloudresourcemanager.googleapis.com/Organization",),
        "//cloudresourcemanager.googleapis.com/organizations/{org_id:tail}",
    ),
    Grantable("google_storage_bucket", ("storage.googleapis.com/Bucket",), "//storage.googleapis.com/{bucket}"),
    Grantable(
        "google_service_account", ("iam.googleapis.com/ServiceAccount",), "//iam.googleapis.com/{service_account_id}"
    ),
    Grantable(
        "google_pubsub_topic", ("pubsub.googleapis.com/Topic",), f"//pubsub.googleapis.com/{_P}/topics/{{topic:tail}}"
    ),
    Grantable(
        "google_pubsub_subscription",
        ("pubsub.googleapis.com/Subscription",),
        f"//pubsub.googleapis.com/{_P}/subscriptions/{{subscription:tail}}",
    ),
    Grantable(
        "google_kms_key_ring",
        ("cloudkms.googleapis.com/KeyRing",),
        "//cloudkms.googleapis.com/{key_ring_id}",
        words=_RING,
    ),
    Grantable(
        "google_kms_crypto_key",
        ("cloudkms.googleapis.com/CryptoKey",),
        "//cloudkms.googleapis.com/{crypto_key_id}",
        words=(*_RING, "cryptoKeys"),
    ),
    Grantable(
        "google_secret_manager_secret",
        ("secretmanager.googleapis.com/Secret",),
        f"//secretmanager.googleapis.com/{_P}/secrets/{{secret_id:tail}}",
    ),
    Grantable(
        "google_bigquery_dataset",
        ("bigquery.googleapis.com/Dataset",),
        f"//bigquery.googleapis.com/{_P}/datasets/{{dataset_id:tail}}",
        inline="access",
    ),
    Grantable(
        "google_bigquery_table",
        ("bigquery.googleapis.com/Table",),
        f"//bigquery.googleapis.com/{_P}/datasets/{{dataset_id:tail}}/tables/{{table_id:tail}}",
    ),
    Grantable(
        "google_cloud_run_v2_service",
        ("run.googleapis.com/Service",),
        f"//run.googleapis.com/{_P}/locations/{{location}}/services/{{name:tail}}",
        also=(
            ("google_cloud_run_service", f"//run.googleapis.com/{_P}/locations/{{location}}/services/{{service:tail}}"),
        ),
    ),
    Grantable(
        "google_cloudfunctions_function",
        ("cloudfunctions.googleapis.com/CloudFunction",),
        f"//cloudfunctions.googleapis.com/{_P}/locations/{{region}}/functions/{{cloud_function:tail}}",
    ),
    Grantable(
        "google_cloudfunctions2_function",
        ("cloudfunctions.googleapis.com/Function",),
        f"//cloudfunctions.googleapis.com/{_P}/locations/{{location}}/functions/{{cloud_function:tail}}",
    ),
    Grantable(
        "google_artifact_registry_repository",
        ("artifactregistry.googleapis.com/Repository",),
        f"//artifactregistry.googleapis.com/{_P}/locations/{{location}}/repositories/{{repository:tail}}",
    ),
    Grantable(
        "google_compute_instance",
        ("compute.googleapis.com/Instance",),
        f"//compute.googleapis.com/{_P}/zones/{{zone:tail}}/instances/{{instance_name:tail}}",
    ),
    Grantable(
        "google_compute_subnetwork",
        ("compute.googleapis.com/Subnetwork",),
        f"//compute.googleapis.com/{_P}/regions/{{region:tail}}/subnetworks/{{subnetwork:tail}}",
    ),
    Grantable(
        "google_spanner_instance",
        ("spanner.googleapis.com/Instance",),
        f"//spanner.googleapis.com/{_P}/instances/{{instance:tail}}",
    ),
    Grantable(
        "google_spanner_database",
        ("spanner.googleapis.com/Database",),
        f"//spanner.googleapis.com/{_P}/instances/{{instance:tail}}/databases/{{database:tail}}",
    ),
    Grantable(
        "google_cloud_tasks_queue",
        ("cloudtasks.googleapis.com/Queue",),
        f"//cloudtasks.googleapis.com/{_P}/locations/{{location}}/queues/{{name:tail}}",
    ),
)
BY_ASSET: Mapping[str, Grantable] = {asset: item for item in GRANTABLE for asset in item.assets}
_ALSO = tuple(Grantable(prefix, item.assets, key) for item in GRANTABLE for prefix, key in item.also)
SPECS = tuple(spec for item in (*GRANTABLE, *_ALSO) for spec in specs_of(item))
