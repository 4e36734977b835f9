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
from .mapping import LIFTED, SELECTORS, member

_MODES: Final = ("mode", "default_mode")
_SECRETS: Final = frozenset(
    {"data", "binary_data"}
)  # the kept schema is made of documentation, which does not say what is sensitive
_METADATA: Final = ("name", "namespace", "labels", "annotations")


def rule_of(type_name: str) -> ImportRule | None:
    """Return the rule of a mapped type; None for others."""
    if type_name not in specs():
        return None
    if type_name == GENERIC:
        return ImportRule(_of_manifest, _manifest)
    if type_name == RELEASE:
        return ImportRule(_key)
    secrets = _SECRETS if type_name.startswith("kubernetes_secret") else frozenset[str]()
    return ImportRule(_key, _object, present=_is_selector, secrets=secrets)


def _key(source: Source) -> str:
    return source.key


def _with_octal_modes(value: Any) -> Any:
    """Write modes of files as the provider does: the API has 420 where it has `0644`."""
    if isinstance(value, Mapping):
        return {
            name: f"0{item:o}" if name in _MODES and isinstance(item, int) else _with_octal_modes(item)
            for name, item in value.items()
        }
    return [_with_octal_modes(item) for item in value] if isinstance(value, list) else value


def _object(source: Source) -> Mapping[str, object]:
    """Put what is compared member by member back into its blocks, with the object's name."""
    namespace, _, name = source.key.rpartition("/")
    found: dict[str, dict[str, object]] = {name: {} for name in LIFTED}
    for path, value in source.attributes.items():
        above, dot, inner = path.partition(".")
        if dot and above in found:
            found[above][inner] = _with_octal_modes(value)
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


def _is_selector(path: str) -> bool:
    return path.rpartition(".")[2] in SELECTORS
