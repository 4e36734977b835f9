"""Releases of Helm: `helm_release` in a state, a digest of Helm's own record in the cluster.

The operator reads Helm's secret where it lies and reports of it the chart, versions, revision and status, which objects the release
holds, and a keyed digest of the values. Neither values nor manifests leave the cluster. Must not do I/O.
Source: https://helm.sh/docs/topics/advanced/#storage-backends; Terraform Helm provider 2.17 and 3.0, `helm_release`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

from ...domain.resources import Attributes, Declared, LiveResource, Parent
from ...domain.shapes import Canonical, Shape, number, text
from ...domain.specs import TypeSpec
from .mapping import DEFAULT_NAMESPACE, first, object_key

TYPE: Final = "helm_release"
KIND: Final = "HelmRelease.operator.driftwise"
_OBJECTS = "objects"  # never in a state: it says that a release tells of the objects that it holds


def version(value: object) -> Canonical:
    """A chart's version; a `v` in front carries no meaning (semver.org, "Is v1.2.3 a semantic version?")."""
    found = text(value)
    return found.removeprefix("v") if isinstance(found, str) else found


_SHAPES: Mapping[str, Shape] = {
    "metadata.app_version": text,
    "metadata.chart": text,
    "metadata.revision": number,
    "status": text,
    "version": version,
    _OBJECTS: text,
}


def release_key(attributes: Attributes) -> str | None:
    """Name a release: namespace and name."""
    name = attributes.get("name")
    namespace = attributes.get("namespace") or DEFAULT_NAMESPACE
    return object_key(name, namespace) if isinstance(name, str) and name else None


def _lifted(declared: Declared) -> tuple[Declared, ...]:
    """Take what the provider read of the release; values and notes are left behind, as they may hold secrets."""
    metadata = first(declared.attributes.get("metadata"))
    found: dict[str, object] = {
        name: declared.attributes[name] for name in ("id", "name", "namespace", "status") if name in declared.attributes
    }
    found |= {f"metadata.{name}": metadata[name] for name in ("app_version", "chart", "revision") if name in metadata}
    if metadata.get("version") or declared.attributes.get(
        "version"
    ):  # the one that was found for a range is in `metadata`
        found["version"] = metadata.get("version") or declared.attributes["version"]
    return (replace(declared, attributes=found),)


SPEC: Final = TypeSpec(TYPE, _SHAPES, key=release_key, expand=_lifted)


def release_of(data: Mapping[str, Any], name: str, namespace: str) -> LiveResource:
    """Make the resource of a reported release."""
    spec = first(data.get("spec"))
    return LiveResource(
        TYPE,
        object_key(name, namespace),
        "global",
        {
            "metadata.app_version": spec.get("appVersion"),
            "metadata.chart": spec.get("chart"),
            "metadata.revision": spec.get("revision"),
            "status": spec.get("status"),
            "version": spec.get("version"),
            _OBJECTS: None,
        },
        f"helm release {object_key(name, namespace)}",
        document=data,
    )


def held_by(data: Mapping[str, Any], name: str, namespace: str) -> dict[tuple[str, str], Parent]:
    """Return the objects that a release holds, by kind and key, each with the release as its parent."""
    parent = Parent(TYPE, object_key(name, namespace), _OBJECTS)
    held = first(data.get("spec")).get("objects")
    found: dict[tuple[str, str], Parent] = {}
    for item in held if isinstance(held, list) else []:
        if isinstance(item, Mapping) and item.get("kind") and item.get("name"):
            kind, held_name = str(item["kind"]), str(item["name"])
            found[kind, object_key(held_name, item.get("namespace"))] = parent
            # Of what lies in no namespace the record does not tell: every key in a namespace has one before the name.
            found[kind, held_name] = parent
    return found
