"""From one table entry per type both sides of a comparison: how a state is read, and how an object is put into Terraform's words.

Names and shapes follow by rule, as the provider was written along the API: `pod_management_policy` is `podManagementPolicy`, a
block of which there is one is an object, a block of which there are many is a list in the plural (`container`, `containers`).
The provider's schema tells which is which (`schema.py`); an entry says where the rule does not hold. What stands in `metadata` and
`spec` is compared member by member, as `spec.replicas`. Must not do I/O.
Source: Terraform Kubernetes provider 2.38, resource documentation; Kubernetes API reference 1.34; ADR-0042.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final, TypeAlias

from ...domain.manifests import manifest
from ...domain.resources import Attributes, Declared
from ...domain.shapes import Shape, boolean, list_of, members, number_or_zero, set_of, string_map
from ...domain.specs import KeyRule, TypeSpec
from ..provider_schema import AttributeSchema
from .forms import (
    block,
    in_any_order,
    kept,
    labels,
    mode,
    on,
    quantities,
    quantity_or_zero,
    tolerations,
    unless,
    written,
)
from .manifests import MANIFEST
from .schema import SCHEMA

Item: TypeAlias = Mapping[str, Any]
Reading: TypeAlias = Callable[[Item], object]

UNREAD: Final = object()
"""What a reading returns when the live value says nothing of what was declared (replicas that an autoscaler sets)."""
LIFTED: Final = ("metadata", "spec")
DEFAULT_NAMESPACE: Final = "default"
_META = ("annotations", "labels")
_IN_CAPITALS = {
    "ip": "IP",
    "ips": "IPs",
    "ipc": "IPC",
    "pid": "PID",
    "urls": "URLs",
    "id": "ID",
    "fqdn": "FQDN",
    "uri": "URI",
    "cidrs": "CIDRs",
}
_ALIKE = frozenset(
    {
        "ingress", "egress", "from", "to", "env", "env_from", "scale_up", "scale_down", "spec",
        # of these the API has one, and the provider does not say so
        "grpc", "tcp_socket", "post_start", "pre_stop", "label_selector", "namespace_selector", "selector", "projected",
        "persistent_volume_claim_retention_policy", "update_strategy", "rolling_update", "config_map", "secret",
    }
)  # fmt: skip
# Members of a volume that the provider has for persistent volumes, and the API of pods does not.
_NOT_IN_PODS = (
    ".volume.local", ".volume.azure_file.secret_namespace", ".volume.flex_volume.secret_ref.namespace",
    ".volume.rbd.secret_ref.namespace", ".volume.ceph_fs.secret_ref.namespace",
)  # fmt: skip
_QUANTITIES = frozenset(
    {"limits", "requests", "hard", "capacity", "max", "min", "default", "default_request", "max_limit_request_ratio"}
)
_SHAPES: Mapping[str, Shape] = {
    "default_mode": mode,
    "mode": mode,
    "mount_propagation": unless("None"),
    "size_limit": quantity_or_zero,
    "divisor": quantity_or_zero,
    "scheduler_name": unless("default-scheduler"),
    "target.average_value": quantity_or_zero,
    "target.value": quantity_or_zero,
    "allow_privilege_escalation": on,
    "automount_service_account_token": on,
    "enable_service_links": on,
    "node_affinity_policy": unless("Honor"),
    "node_taints_policy": unless("Ignore"),
}
# Lists in which the order says nothing, although the provider keeps one.
_UNORDERED = frozenset(
    {
        "port", "ports", "from", "to", "except", "policy_types", "hosts", "metric", "policy", "image_pull_secrets", "subject",
        "add", "drop",
        "api_groups", "non_resource_urls", "resource_names", "resources", "verbs",
    }
)  # fmt: skip
SELECTORS = frozenset({"pod_selector", "namespace_selector", "label_selector", "empty_dir", "ip_block"})

_EXCEPTIONS: Mapping[tuple[str, str], str] = {
    ("", "set_hostname_as_fqdn"): "setHostnameAsFQDN",
    ("aws_elastic_block_store", "volume_id"): "volumeID",
    ("azure_disk", "data_disk_uri"): "diskURI",
    ("fc", "target_ww_ns"): "targetWWNs",
    ("", "ceph_fs"): "cephfs",
    ("", "downward_api"): "downwardAPI",
    ("", "run_as_username"): "runAsUserName",
    ("flocker", "dataset_uuid"): "datasetUUID",
    ("glusterfs", "endpoints_name"): "endpoints",
    ("rbd", "rbd_image"): "image",
    ("rbd", "rbd_pool"): "pool",
    ("rbd", "ceph_monitors"): "monitors",
    ("rbd", "rados_user"): "user",
}


@dataclass(frozen=True, slots=True)
class KubernetesType:
    """One Terraform type and the kind it stands for. Paths are dotted and in Terraform's names, e.g. `spec.strategy`.

    Attributes:
        type: the Terraform type, e.g. `kubernetes_deployment_v1`.
        kind: kind and API group, e.g. `Deployment.apps`.
        compared: attributes and blocks, separated by blanks.
        names: other Terraform types for the same thing, of the same form.
        has_namespace: whether its objects lie in namespaces.
        at: path -> members of the API, dotted, from the object that encloses it; empty for that object itself.
        read: path -> how the value comes out of the object that encloses it.
        shapes: path -> canonical form, where the schema does not tell it.
        skipped: paths that are not compared.
        made: Kubernetes made the object by itself; it is never reported as unmanaged.
        state: puts attributes of a state into one form before anything is compared.
        passes: path that says, where it has a value, that the object goes away by itself; it is not compared and not missed then.
        sensitive: attributes whose values are never shown.
    """

    type: str
    kind: str
    compared: str
    names: tuple[str, ...] = ()
    has_namespace: bool = True
    at: Mapping[str, str] = field(default_factory=dict[str, str])
    read: Mapping[str, Reading] = field(default_factory=dict[str, Reading])
    shapes: Mapping[str, Shape] = field(default_factory=dict[str, Shape])
    skipped: frozenset[str] = frozenset()
    made: Callable[[Item], bool] = lambda _object: False
    state: Callable[[Attributes], Attributes] | None = None
    passes: str = ""
    sensitive: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Field:
    """One compared attribute or nested block: where it comes from and how it is compared."""

    name: str
    shape: Shape
    path: tuple[str, ...]
    reading: Reading | None = None
    members: tuple[Field, ...] = ()


@dataclass(frozen=True, slots=True)
class Mapped:
    """A type with its compared attributes."""

    kind: KubernetesType
    fields: tuple[Field, ...]

    def passes(self, document: Item) -> bool:
        """Say whether a manifest declares what goes away by itself."""
        path = self.kind.passes.split(".") if self.kind.passes else []
        return bool(path) and member(document, *(camel(name) for name in path)) is not None


def mapped(kind: KubernetesType) -> Mapped:
    """Put together the compared attributes of a type.

    Raises:
        ValueError: the provider has no such type or attribute, or an entry names a path that is not compared.
    """
    schema = SCHEMA.attribute_schema(kind.type)
    if schema is None:
        raise ValueError(f"the provider has no {kind.type}")
    found: list[Field] = []
    for name in kind.compared.split():
        item = schema.get(name)
        if item is None:
            raise ValueError(f"{kind.type} has no {name}")
        if name in LIFTED and item.members is not None:
            names = _META if name == "metadata" else item.members
            inner = _fields(kind, item.members, names, name)
            found.extend(replace(one, name=f"{name}.{one.name}", path=(name, *one.path)) for one in inner)
        else:
            found.extend(_fields(kind, schema, (name,), ""))
    unknown = {*kind.at, *kind.read, *kind.shapes} - set(_paths(found, ""))
    if unknown:
        raise ValueError(f"{kind.type} does not compare {sorted(unknown)}")
    return Mapped(kind, tuple(found))


def specs_of(item: Mapped) -> Iterator[TypeSpec]:
    """Make the rules by which a state's resources of this type, under each of its names, are compared."""
    kind = item.kind
    shapes: dict[str, Shape] = {one.name: one.shape for one in item.fields} | {MANIFEST: manifest}

    def expand(declared: Declared) -> tuple[Declared, ...]:
        return (_in_one_form(declared, kind),)

    for name in (kind.type, *kind.names):
        yield TypeSpec(name, shapes, key=key_rule(kind), expand=expand, sensitive=kind.sensitive)


def key_rule(kind: KubernetesType) -> KeyRule:
    """Make the rule that names a state's resource: namespace and name, or the name alone."""

    def key(attributes: Attributes) -> str | None:
        metadata = first(attributes.get("metadata"))
        name = metadata.get("name")
        if not isinstance(name, str) or not name:
            identity = attributes.get("id")  # a state of Terraform 0.11 keeps blocks as flat text
            return identity if isinstance(identity, str) and identity else None
        return object_key(name, metadata.get("namespace") or DEFAULT_NAMESPACE if kind.has_namespace else "")

    return key


def object_key(name: str, namespace: object) -> str:
    """Name an object within its kind."""
    return f"{namespace}/{name}" if namespace else name


def first(value: object) -> Item:
    """Return the one object of a block, as a state keeps it; an empty one where there is none."""
    items = value if isinstance(value, list) else [value]
    return items[0] if items and isinstance(items[0], Mapping) else {}


def attributes_of(item: Mapped, data: Item) -> dict[str, object]:
    """Put an object into Terraform's words; values are brought into canonical form by the shapes.

    Raises:
        TypeError: a nested object is none.
    """
    found = {one.name: _value(one, data) for one in item.fields}
    return {name: value for name, value in found.items() if value is not UNREAD}


def member(data: object, *path: str) -> Any:
    """Return a value inside an object, None where there is none."""
    for name in path:
        data = data.get(name) if isinstance(data, Mapping) else None
    return data


def camel(name: str) -> str:
    """Return an attribute's name as the API spells it."""
    head, *rest = name.split("_")
    return head + "".join(_IN_CAPITALS.get(word, word[:1].upper() + word[1:]) for word in rest)


def plural(name: str) -> str:
    """Return the name of a list of blocks as the API spells it."""
    word = camel(name)
    if name in _ALIKE or word.endswith("s") or name.endswith("execution"):
        return word
    return f"{word[:-1]}ies" if word.endswith("y") else f"{word}s"


def paths_of(item: Mapped) -> Iterator[tuple[str, tuple[str, ...], Field]]:
    """Yield every compared path with the members of the API that it is read from, whole; for a test against the API's own list."""

    def walk(
        fields: Iterable[Field], above: str, members_above: tuple[str, ...]
    ) -> Iterator[tuple[str, tuple[str, ...], Field]]:
        for one in fields:
            path, whole = f"{above}.{one.name}" if above else one.name, (*members_above, *one.path)
            yield path, whole, one
            yield from walk(one.members, path, whole)

    return walk(item.fields, "", ())


def _fields(
    kind: KubernetesType, schema: Mapping[str, AttributeSchema], names: Iterable[str], above: str
) -> Iterator[Field]:
    for name in names:
        path = f"{above}.{name}" if above else name
        item = schema[name]
        if (
            path in kind.skipped
            or path.endswith(_NOT_IN_PODS)
            or item.write_only
            or name in {"generate_name", "timeouts"}
        ):
            continue
        is_many = item.members is not None and item.most != 1
        source = kind.at.get(path, _common(name, above) or (plural(name) if is_many else camel(name)))
        inner = _inner(kind, item, path)
        yield Field(
            name, _shape(kind, item, path, inner), tuple(filter(None, source.split("."))), kind.read.get(path), inner
        )


def _common(name: str, above: str) -> str | None:
    """Return where the API has what every kind with containers spells otherwise than the rule."""
    parent = above.rpartition(".")[2]
    return _EXCEPTIONS.get((parent, name)) or _EXCEPTIONS.get(("", name))


def _inner(kind: KubernetesType, item: AttributeSchema, path: str) -> tuple[Field, ...]:
    if item.members is None or path in kind.shapes:
        return ()
    names: Iterable[str] = item.members
    if path.endswith(".metadata"):  # a claim's name is what the mounts and the volumes that were made go by
        names = (*_META, "name") if path.endswith(".volume_claim_template.metadata") else _META
    return tuple(_fields(kind, item.members, [name for name in names if name in item.members], path))


def _shape(kind: KubernetesType, item: AttributeSchema, path: str, inner: tuple[Field, ...]) -> Shape:
    name = path.rpartition(".")[2]
    if path in kind.shapes:
        return kind.shapes[path]
    if (known := _SHAPES.get(name) or _SHAPES.get(".".join(path.split(".")[-2:]))) is not None:
        return known
    if item.members is not None:
        shapes = {one.name: one.shape for one in inner}
        if item.most == 1:
            return kept(shapes) if name in SELECTORS else block(shapes)
        if name == "toleration":
            return tolerations(members(shapes))
        return _collection(path, item)(members(shapes))
    if item.kind in {"list", "set"}:
        return _collection(path, item)(number_or_zero if item.element == "n" else written)
    if item.kind == "map":
        return quantities if name in _QUANTITIES else labels if name in _META else string_map
    return {"number": number_or_zero, "bool": boolean}.get(item.kind, written)


def _collection(path: str, item: AttributeSchema) -> Callable[[Shape], Shape]:
    if item.kind == "set":
        return set_of
    is_unordered = path == "rule" or path.rpartition(".")[2] in _UNORDERED
    return in_any_order if is_unordered else list_of


def _paths(fields: Iterable[Field], above: str) -> Iterator[str]:
    for item in fields:
        path = f"{above}.{item.name}" if above else item.name
        yield path
        yield from _paths(item.members, path)


def _value(item: Field, data: Item) -> object:
    found = item.reading(data) if item.reading else member(data, *item.path) if item.path else data
    if not item.members or found is None or found is UNREAD:
        return found
    elements: list[Any] = found if isinstance(found, list) else [found]
    if not all(isinstance(element, Mapping) for element in elements):
        raise TypeError("a nested object is none")
    return [{one.name: _value(one, element) for one in item.members} for element in elements]


def _in_one_form(declared: Declared, kind: KubernetesType) -> Declared:
    """Put a state's resource under the type it is compared as, with what stands in `metadata` and `spec` member by member."""
    attributes = dict(declared.attributes)
    if kind.state is not None:
        attributes = dict(kind.state(attributes))
    sensitive = set(declared.sensitive)
    is_passing = bool(kind.passes) and _is_said(attributes, kind.passes)
    for name in LIFTED:
        block_of = attributes.pop(name, None)
        lifted = {f"{name}.{inner}": value for inner, value in first(block_of).items()}
        if name in sensitive:
            sensitive |= lifted.keys()
        attributes |= lifted
    if sensitive:  # the whole object holds what one attribute hides
        sensitive.add(MANIFEST)
    return replace(
        declared,
        type=kind.type,
        attributes=attributes,
        sensitive=frozenset(sensitive),
        is_deposed=declared.is_deposed or is_passing,
    )


def _is_said(attributes: Attributes, path: str) -> bool:
    value: object = attributes
    for name in path.split("."):
        value = first(value).get(name)
    return value not in (None, "")
