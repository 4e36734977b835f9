"""The Kubernetes type table. It is put together at the first question, as the provider's schema is read for it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from functools import cache
from typing import Any, Final

from ...domain.manifests import manifest
from ...domain.resources import Attributes, Declared
from ...domain.specs import TypeSpec, index
from . import cluster, helm, workloads
from .manifests import MANIFEST, comparable, ignored_paths, manifest_of, namespace_in
from .mapping import DEFAULT_NAMESPACE, Mapped, mapped, member, object_key, specs_of
from .versions import current, moved

TYPES: Final = (*cluster.TYPES, *workloads.TYPES)
GENERIC: Final = "kubernetes_manifest"
"""The type of objects whose kind no table covers."""
_WHOLE: Final = frozenset({MANIFEST, "metadata.annotations", "metadata.labels", "spec", "data", "stringData"})
"""What hides all that a live object tells, as far as it is stored with a scan."""
MANIFEST_TYPES: Final = (GENERIC, "kubectl_manifest")


@cache
def by_kind() -> Mapping[str, Mapped]:
    """Return the type of each kind, e.g. of `Deployment.apps`."""
    return {item.kind: mapped(item) for item in TYPES}


@cache
def by_type() -> Mapping[str, Mapped]:
    """Return what each type that objects are compared as stands for."""
    return {item.kind.type: item for item in by_kind().values()}


@cache
def specs() -> Mapping[str, TypeSpec]:
    """Return the rules of every Kubernetes type, by Terraform type."""
    found = [spec for item in by_kind().values() for spec in specs_of(item)]
    manifests = [
        TypeSpec(name, {MANIFEST: manifest}, key=manifest_key, expand=lambda declared: (as_declared(declared),))
        for name in MANIFEST_TYPES
    ]
    return index((*found, *manifests, helm.SPEC))


def kind_name(api_version: object, kind: object) -> str:
    """Return a kind with its API group, e.g. `Deployment.apps`; core has none."""
    group, _, _ = str(api_version or "").rpartition("/")
    return f"{kind}.{group}" if group else str(kind)


def generic_key(kind: str, key: str) -> str:
    """Name an object of any kind."""
    return f"{kind} {key}"


def manifest_key(attributes: Attributes) -> str | None:
    """Name the object that a manifest declares; None when it does not say."""
    found = _identity(attributes)
    return None if found is None else generic_key(*found)


def as_declared(declared: Declared) -> Declared:
    """Put a manifest under the type of its kind, with what of it can be compared.

    Of one that the state marks as sensitive only that it exists is compared: a digest of some fields fits no whole object.
    """
    identity, found = _identity(declared.attributes), manifest_of(declared.attributes)
    if identity is None or found is None:
        return replace(declared, type=GENERIC, attributes={})
    kind, key = identity
    source, document = found
    is_hidden = source in declared.sensitive or (source == "yaml_body")
    written = comparable(document, ignored_paths(declared.attributes))
    attributes = {} if is_hidden else {MANIFEST: current(written) or written}
    known = by_kind().get(kind)
    return replace(
        declared,
        type=known.kind.type if known else GENERIC,
        key=key if known else generic_key(kind, key),
        attributes=attributes,
        sensitive=_WHOLE if source in declared.sensitive else frozenset(),
        is_deposed=declared.is_deposed or (known is not None and known.passes(document)),
    )


def _identity(attributes: Attributes) -> tuple[str, str] | None:
    """Return kind and key of what a manifest declares."""
    found = manifest_of(attributes)
    if found is None:
        return None
    document = found[1]
    name = member(document, "metadata", "name")
    if not isinstance(name, str) or not document.get("kind"):
        return None
    kind = moved(kind_name(document.get("apiVersion"), document["kind"]))
    return kind, object_key(name, _namespace(kind, document, attributes))


def _namespace(kind: str, document: Mapping[str, Any], attributes: Attributes) -> object:
    known = by_kind().get(kind)
    if known is not None and not known.kind.has_namespace:
        return ""
    live = attributes.get("object")
    inner = live.get("value") if isinstance(live, Mapping) and "value" in live else live
    named = (
        attributes.get("override_namespace")
        or member(document, "metadata", "namespace")
        or attributes.get("namespace")
        or member(inner, "metadata", "namespace")
        or namespace_in(attributes.get("id"))
    )
    return named or (DEFAULT_NAMESPACE if known is not None else "")


def types_of(kinds: Iterable[str]) -> tuple[str, ...]:
    """Return the Terraform types under which objects of some kinds are compared."""
    table = by_kind()
    found = {table[kind].kind.type if kind in table else helm.TYPE if kind == helm.KIND else GENERIC for kind in kinds}
    return tuple(sorted(found))
