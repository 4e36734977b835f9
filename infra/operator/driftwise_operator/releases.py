"""Releases of Helm, read out of the secrets in which Helm keeps them.

Of a release leave: chart, versions, revision, status, which objects it holds, and a keyed digest of its values.
Source: https://helm.sh/docs/topics/advanced/#storage-backends; a release is JSON, packed with gzip, in base64, in a secret's data.
"""

from __future__ import annotations

import base64
import binascii
import json
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import yaml

from .kinds import Kind
from .stripping import digest

TYPE = "helm.sh/release.v1"
KIND = Kind("HelmRelease", "operator.driftwise", "v1", "")
_GZIP = 16 + zlib.MAX_WBITS
_MOST_BYTES = 32 * 1024 * 1024  # unpacked; the secret itself has at most one
_MOST_OBJECTS = 5000


@dataclass(slots=True)
class Releases:
    """The newest revision of every release that was seen.

    Attributes:
        digest_key: of digests of values.
        newest: namespace and name -> revision and what is reported of it.
    """

    digest_key: bytes
    newest: dict[tuple[str, str], tuple[int, dict[str, Any]]] = field(default_factory=dict)

    def put(self, secret: Mapping[str, Any]) -> dict[str, Any] | None:
        """Take a secret of Helm's; returns the release when this is its newest revision."""
        release = release_of(secret, self.digest_key)
        if release is None:
            return None
        name = (release["metadata"]["namespace"], release["metadata"]["name"])
        revision = int(release["spec"]["revision"])
        known = self.newest.get(name)
        if known is not None and known[0] > revision:
            return None
        self.newest[name] = (revision, release)
        return release

    def drop(self, secret: Mapping[str, Any]) -> dict[str, Any] | None:
        """Take that a secret of Helm's is gone; returns the release when it went with it."""
        labels = (secret.get("metadata") or {}).get("labels") or {}
        name = (str((secret.get("metadata") or {}).get("namespace") or ""), str(labels.get("name") or ""))
        known = self.newest.get(name)
        if known is None or str(known[0]) != str(labels.get("version")):
            return None  # an old revision that Helm no longer keeps
        del self.newest[name]
        return known[1]


def is_release(secret: Mapping[str, Any]) -> bool:
    """Say whether a secret is one of Helm's."""
    return secret.get("type") == TYPE


def release_of(secret: Mapping[str, Any], digest_key: bytes) -> dict[str, Any] | None:
    """Return what is reported of a release; None when it cannot be read."""
    packed = (secret.get("data") or {}).get("release")
    namespace = str((secret.get("metadata") or {}).get("namespace") or "")
    try:
        found = json.loads(_unpacked(str(packed)))
        info, chart = found.get("info") or {}, (found.get("chart") or {}).get("metadata") or {}
        name, revision = str(found["name"]), int(found["version"])
        values = json.dumps(found.get("config") or {}, sort_keys=True)
        objects = list(_objects(str(found.get("manifest") or ""), namespace))
    except (
        ValueError,
        TypeError,
        KeyError,
        AttributeError,
        zlib.error,
        binascii.Error,
        yaml.YAMLError,
        RecursionError,
    ):
        return None
    spec = {
        "chart": chart.get("name"),
        "version": chart.get("version"),
        "appVersion": chart.get("appVersion"),
        "revision": revision,
        "status": info.get("status"),
        "valuesDigest": digest(digest_key, f"{namespace}/{name}", values),
        "objects": objects,
    }
    metadata = {"name": name, "namespace": namespace}
    return {"apiVersion": KIND.api_version, "kind": KIND.kind, "metadata": metadata, "spec": spec}


def _unpacked(packed: str) -> bytes:
    inner = base64.b64decode(base64.b64decode(packed, validate=True), validate=True)
    machine = zlib.decompressobj(_GZIP)
    found = machine.decompress(inner, _MOST_BYTES + 1)
    if len(found) > _MOST_BYTES or not machine.eof:
        raise ValueError("the release is too large or cut off")
    return found


def _objects(manifest: str, namespace: str) -> Iterator[dict[str, str]]:
    """Yield which objects a manifest holds, and nothing else of them."""
    for number, document in enumerate(yaml.load_all(manifest, _Names)):
        if number >= _MOST_OBJECTS:
            raise ValueError("the release holds too many objects")
        if not isinstance(document, dict) or not isinstance(document.get("metadata"), dict):
            continue
        group, _, _ = str(document.get("apiVersion") or "").rpartition("/")
        kind = str(document.get("kind") or "")
        name = str(document["metadata"].get("name") or "")
        if kind and name:
            place = str(document["metadata"].get("namespace") or namespace)
            yield {"kind": f"{kind}.{group}" if group else kind, "namespace": place, "name": name}


class _Names(yaml.SafeLoader):
    """Reads YAML without aliases: a few of them can stand for more than fits in memory."""

    def compose_node(self, parent: Any, index: Any) -> Any:
        if self.check_event(yaml.events.AliasEvent):
            raise yaml.YAMLError("aliases are not read")
        return super().compose_node(parent, index)
