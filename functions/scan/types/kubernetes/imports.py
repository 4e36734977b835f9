"""How each Kubernetes type is imported: by namespace and name, a manifest by all that names it.

Source: Terraform Kubernetes provider 2.38 and Helm provider 3.0, section "Import" of each resource. Must not do I/O.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from ..import_rules import ImportRule, Source
from . import GENERIC, specs
from .helm import TYPE as RELEASE
from .manifests import MANIFEST
from .mapping import LIFTED, member

_METADATA: Final = ("name", "namespace", "labels", "annotations")


def rule_of(type_name: str) -> ImportRule | None:
    """Return the rule of a mapped type; None for others."""
    if type_name not in specs():
        return None
    if type_name == GENERIC:
        return ImportRule(_of_manifest, _manifest)
    return ImportRule(lambda source: source.key, lambda _source: {}) if type_name == RELEASE else _OBJECT


def _object(source: Source) -> Mapping[str, object]:
    """Put what is compared member by member back into its blocks, with the object's name."""
    namespace, _, name = source.key.rpartition("/")
    found: dict[str, dict[str, object]] = {name: {} for name in LIFTED}
    for path, value in source.attributes.items():
        above, dot, inner = path.partition(".")
        if dot and above in found:
            found[above][inner] = value
    found["metadata"] |= {"name": name, **({"namespace": namespace} if namespace else {})}
    return {above: [held] for above, held in found.items() if held}


def _of_manifest(source: Source) -> str | None:
    document = source.attributes.get(MANIFEST)
    kind, version = member(document, "kind"), member(document, "apiVersion")
    name, namespace = member(document, "metadata", "name"), member(document, "metadata", "namespace")
    if not (kind and version and name):
        return None
    inside = f",namespace={namespace}" if namespace else ""
    return f"apiVersion={version},kind={kind}{inside},name={name}"


def _manifest(source: Source) -> Mapping[str, object]:
    document: Any = source.attributes.get(MANIFEST)
    if not isinstance(document, Mapping):
        return {}
    metadata = {name: document["metadata"][name] for name in _METADATA if document["metadata"].get(name)}
    return {MANIFEST: {**document, "metadata": metadata}}


_OBJECT: Final = ImportRule(lambda source: source.key, _object)
