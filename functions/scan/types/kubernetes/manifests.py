"""Objects that a state declares as they are written: `kubernetes_manifest` and `kubectl_manifest`.

Owns how a state's manifest is found, and what of it can be compared; how it is, `domain/manifests.py` says. Must not do I/O.
Source: Terraform Kubernetes provider 2.38, `kubernetes_manifest`; alekc/kubectl 2.1 and gavinbunney/kubectl 1.19, `kubectl_manifest`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

import yaml

from ...domain.resources import Attributes

MANIFEST: Final = "manifest"
_MOST_YAML_BYTES = 2 * 1024 * 1024  # an object in the cluster has at most 1.5 MiB
_HIDDEN_VALUE = "(sensitive value)"  # what the provider writes in the place of what it hides
_SERVER_SIDE = frozenset({"status"})
_METADATA = frozenset({"name", "labels", "annotations"})  # the namespace may be another one than the text says
_IN_NAMESPACE = re.compile(r"/namespaces/([a-z0-9-]{1,63})/[^/]{1,253}/[^/]{1,253}\Z")
_IN_BRACKETS = re.compile(r"""\[(?:["']([^"']{0,317})["']|([0-9]{1,9}))\]""")


def manifest_of(attributes: Attributes) -> tuple[str, Mapping[str, Any]] | None:
    """Find the manifest in a state's resource, and the name of the attribute it stands in; None when there is none.

    Args:
        attributes: of a `kubernetes_manifest` or `kubectl_manifest`.
    """
    for name in ("manifest", "yaml_body_parsed", "yaml_body"):
        found = _parsed(attributes.get(name))
        if found is not None:
            return name, found
    return None


def comparable(document: Mapping[str, Any], ignored: Iterable[str] = ()) -> dict[str, Any]:
    """Return what of a declared manifest can be compared: without what the server sets, hidden values and what is ignored.

    Args:
        document: the manifest.
        ignored: dotted paths that the configuration leaves to others.
    """
    found = {name: item for name, item in document.items() if name not in _SERVER_SIDE}
    metadata = found.get("metadata")
    if isinstance(metadata, Mapping):
        found["metadata"] = {name: item for name, item in metadata.items() if name in _METADATA}
    if found.get("kind") == "Secret":
        are_hidden = _HIDDEN_VALUE in (found.get("data"), found.get("stringData"))
        found = without_values(found)
        if are_hidden:  # nothing is known of the names
            found.pop("data", None)
    pruned = _pruned(found, "", tuple(ignored))
    return pruned if isinstance(pruned, dict) else {}


def without_values(secret: Mapping[str, Any]) -> dict[str, Any]:
    """Return a secret with the names of its data and nothing of the values."""
    held = [secret.get(member) for member in ("data", "stringData")]
    names = {name for item in held if isinstance(item, Mapping) for name in item}
    rest = {name: item for name, item in secret.items() if name not in {"data", "stringData"}}
    return {**rest, "data": sorted(str(name) for name in names)} if names else rest


def ignored_paths(attributes: Attributes) -> list[str]:
    """Return the paths that a configuration leaves to others: `ignore_fields` and `computed_fields`."""
    found: list[str] = []
    for name in ("ignore_fields", "computed_fields"):
        value = attributes.get(name)
        found += [_IN_BRACKETS.sub(r".\1\2", str(item)) for item in value] if isinstance(value, list) else []
    return found


def namespace_in(identity: object) -> str | None:
    """Return the namespace in the path of an object in the API, by which `kubectl_manifest` goes; None when it has none."""
    found = _IN_NAMESPACE.search(identity) if isinstance(identity, str) else None
    return found[1] if found else None


def _parsed(value: object) -> Mapping[str, Any] | None:
    if isinstance(value, Mapping):
        inner = value.get("value") if {"type", "value"} == set(value) else value  # Terraform writes the type beside it
        return inner if isinstance(inner, Mapping) else None
    if isinstance(value, str) and value and len(value.encode()) <= _MOST_YAML_BYTES:
        try:
            found = yaml.load(value, _WithoutAliases)  # noqa: S506  # a safe loader that takes no aliases
        except (yaml.YAMLError, RecursionError, ValueError):
            return None
        return found if isinstance(found, Mapping) else None
    return None


class _WithoutAliases(yaml.SafeLoader):
    """Reads YAML without aliases: a few of them can stand for more than fits in memory."""

    def compose_node(self, parent: Any, index: Any) -> Any:
        if self.check_event(yaml.events.AliasEvent):
            raise yaml.YAMLError("aliases are not read")
        return super().compose_node(parent, index)


def _pruned(value: Any, path: str, ignored: Sequence[str]) -> Any:
    """Drop what is null, hidden or ignored."""
    if isinstance(value, Mapping):
        found: dict[str, Any] = {}
        for name, item in value.items():
            inner = f"{path}.{name}" if path else str(name)
            if item is None or item == _HIDDEN_VALUE or inner in ignored:
                continue
            found[str(name)] = _pruned(item, inner, ignored)
        return found
    if isinstance(value, list | tuple):
        return [_pruned(item, f"{path}.{position}", ignored) for position, item in enumerate(value)]
    return value
