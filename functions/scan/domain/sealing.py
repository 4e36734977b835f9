"""Sensitive values as keyed digests: equal values stay equal, nothing can be read back.

Decides which attributes of a resource are stored, and in which form. Source: NIST FIPS 198-1 (HMAC).
"""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Callable, Mapping
from uuid import UUID

from shared.ports.secret_store import Secret

from .resources import Attributes
from .shapes import Canonical
from .specs import TypeSpec

_MARK = "$sealed"
_ALWAYS_KEPT = ("id", "arn", "tags_all")

Sealer = Callable[[TypeSpec, str, object], object]


def is_sealed(value: object) -> bool:
    """Say whether a stored value is a digest."""
    return isinstance(value, Mapping) and len(value) == 1 and _MARK in value


def make_sealer(key: Secret, org_id: UUID) -> Sealer:
    """Make the function that seals one attribute of one organisation: `(spec, name, value) -> digest`."""

    def seal(spec: TypeSpec, name: str, value: object) -> object:
        if is_sealed(value):
            return value
        canonical: Canonical = spec.shapes[name](value)
        if canonical is None:
            return None
        text = json.dumps([str(org_id), spec.type, name, canonical], sort_keys=True, default=str)
        return {_MARK: hmac.new(key.reveal(), text.encode(), hashlib.sha256).hexdigest()}

    return seal


def stored_attributes(
    spec: TypeSpec | None, attributes: Attributes, sensitive: frozenset[str], seal: Sealer
) -> dict[str, object]:
    """Keep what a comparison needs of a resource: mapped attributes, sensitive ones as digests.

    Args:
        spec: the type's rules; None for a type that no spec covers, of which only its ids are kept.
        attributes: as the state or the cloud has them.
        sensitive: names that the state marks, besides those the spec marks.
        seal: from `make_sealer`.
    """
    if spec is None:
        return {name: attributes[name] for name in ("id", "arn") if name in attributes}
    hidden = sensitive | spec.sensitive
    kept: dict[str, object] = {}
    for name, value in attributes.items():
        if name in spec.shapes:
            kept[name] = seal(spec, name, value) if name in hidden else value
        elif name in _ALWAYS_KEPT:
            kept[name] = value
    return kept


def sealed_like(spec: TypeSpec, state: Attributes, live: Attributes, seal: Sealer) -> Attributes:
    """Seal the live values whose counterparts in the state are sealed, so that the two can be compared."""
    names = [name for name, value in state.items() if is_sealed(value) and name in live and name in spec.shapes]
    return {**live, **{name: seal(spec, name, live[name]) for name in names}} if names else live
