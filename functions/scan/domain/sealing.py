"""Sensitive values as keyed digests: equal values stay equal, nothing can be read back.

Decides which attributes of a resource are stored, and in which form. A value is kept under every version of the key that
there is, each with its number, so that what was stored before a rotation and what was stored after it have one in common.
Source: NIST FIPS 198-1 (HMAC); ADR-0006, ADR-0011.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from types import NoneType
from typing import TypeAlias
from uuid import UUID

from shared.ports.secret_store import Secret

from .resources import Attributes, Declared, LiveResource
from .shapes import Canonical
from .specs import TypeSpec

_MARK = "$sealed"
_ALWAYS_KEPT = ("id", "arn", "tags_all")
_FIRST_VERSION = 1  # of digests from before versions were named
_DIGEST = re.compile(r"[0-9a-f]{64}")
_NUMBER = re.compile(r"[1-9][0-9]{0,8}")
_PLAIN = frozenset({str, int, float, bool, list, tuple, NoneType})
_TAGS = frozenset({"tags", "tags_all"})
# Members of blocks that no shape reads. The provider calls them sensitive, but Terraform before 1.10 does not mark in a state
# what only the provider calls so. Source: Terraform AWS provider 5.100, `aws_lb_listener`, `aws_lb_listener_rule`.
NEVER_KEPT = frozenset({"client_secret"})

Identity: TypeAlias = tuple[str, str]
Marks: TypeAlias = Mapping[Identity, frozenset[str]]


@dataclass(frozen=True, slots=True)
class Sealer:
    """Seals attributes of one organisation.

    Attributes:
        keys: every version of the digest key that can be read, with its number, newest first.
        org_id: whose values they are.
    """

    keys: Sequence[tuple[int, Secret]]
    org_id: UUID

    @property
    def version(self) -> int:
        """The newest version."""
        return self.keys[0][0]

    def __call__(self, spec: TypeSpec, name: str, value: object) -> object:
        """Return the digests of one attribute's value; null stays null, and what is sealed stays as it is."""
        if is_sealed(value):
            return value
        canonical: Canonical = spec.shapes[name](value)
        if canonical is None:
            return None
        return self.digests(spec.type, name, canonical)

    def digests(self, kind: str, name: str, value: object) -> dict[str, object]:
        """Return the digests of a value that is canonical already.

        Args:
            kind: Terraform type that it belongs to.
            name: what it is within its resource; equal values under other names have other digests.
            value: plain JSON.
        """
        text = json.dumps([str(self.org_id), kind, name, value], sort_keys=True, default=str).encode()
        return {
            _MARK: {str(number): hmac.new(key.reveal(), text, hashlib.sha256).hexdigest() for number, key in self.keys}
        }


def is_sealed(value: object) -> bool:
    """Say whether a stored value is a digest."""
    return bool(_digests(value))


def comparable(state: object, live: object) -> tuple[object, object] | None:
    """Return two values in a form in which they can be compared; None when they cannot.

    Two digests are reduced to the newest version that both have. Without one nothing can be said: they were made under
    different keys, so that they differ whether or not the values do.
    """
    before, after = _digests(state), _digests(live)
    if not before or not after:
        return state, live
    common = before.keys() & after.keys()
    if not common:
        return None
    newest = max(common)
    return {_MARK: {str(newest): before[newest]}}, {_MARK: {str(newest): after[newest]}}


def stored_attributes(
    spec: TypeSpec | None, attributes: Attributes, sensitive: frozenset[str], seal: Sealer
) -> dict[str, object]:
    """Keep what a comparison needs of a resource: mapped attributes, sensitive ones as digests.

    Args:
        spec: the type's rules; None for a type that no spec covers, of which only its ids are kept.
        attributes: as the state or the cloud has them.
        sensitive: names that the state marks, besides those the spec marks.
        seal: seals for the organisation.
    """
    if spec is None:
        return {name: attributes[name] for name in ("id", "arn") if name in attributes}
    hidden = _hidden(spec, sensitive)
    kept: dict[str, object] = {}
    for name, value in attributes.items():
        compared = _compared(name)
        if name in hidden and compared in spec.shapes:
            kept[name] = seal(spec, compared, value)
        elif name in spec.shapes or (name in _ALWAYS_KEPT and name not in hidden - {"id", "arn"}):
            kept[name] = _without_secrets(value)
    return kept


def marks_of(declared: Iterable[Declared]) -> dict[Identity, frozenset[str]]:
    """Collect what states mark as sensitive, by the identity of the resource."""
    found: dict[Identity, frozenset[str]] = {}
    for item in declared:
        if item.key is not None and item.sensitive:
            identity = (item.type, item.key)
            found[identity] = found.get(identity, frozenset()) | item.sensitive
    return found


def mark_live(resource: LiveResource, spec: TypeSpec | None, marks: Marks, seal: Sealer) -> LiveResource:
    """Hide of a live resource what a state that declares it hides, under whichever of its identities."""
    names: set[str] = set()
    for identity in ((resource.type, resource.key), *resource.aliases):
        names |= marks.get(identity, frozenset())
    if spec is None or not names:
        return resource
    hidden = _hidden(spec, frozenset(names))
    attributes = _sealed(spec, resource.attributes, hidden, seal)
    return replace(resource, attributes=attributes, tags={} if hidden & _TAGS else resource.tags)


def mark_declared(
    item: Declared, spec: TypeSpec | None, live: LiveResource | None, marks: Marks, seal: Sealer
) -> Declared:
    """Hide of a declared resource what another state hides, and what is hidden of its live counterpart already."""
    if spec is None or item.key is None:
        return item
    sealed = {name for name, value in live.attributes.items() if is_sealed(value)} if live else set[str]()
    hidden = _hidden(spec, marks.get((item.type, item.key), frozenset()) | sealed)
    if not hidden:
        return item
    return replace(item, attributes=_sealed(spec, item.attributes, hidden, seal), sensitive=item.sensitive | hidden)


def _sealed(spec: TypeSpec, attributes: Attributes, hidden: frozenset[str], seal: Sealer) -> Attributes:
    names = [name for name in attributes if name in hidden and _compared(name) in spec.shapes]
    return {**attributes, **{name: seal(spec, _compared(name), attributes[name]) for name in names}}


def _hidden(spec: TypeSpec, sensitive: frozenset[str]) -> frozenset[str]:
    names = sensitive | spec.sensitive
    return names | _TAGS if names & _TAGS else names


def _compared(name: str) -> str:
    """Return the attribute under which a value is compared: `tags_all` stands for `tags` (see `TypeSpec.shapes`)."""
    return "tags" if name == "tags_all" else name


def _without_secrets(value: object) -> object:
    if isinstance(value, Mapping):
        return {name: _without_secrets(inner) for name, inner in value.items() if name not in NEVER_KEPT}
    return [_without_secrets(inner) for inner in value] if isinstance(value, list) else value


def incomparable(state: Attributes, live: Attributes) -> tuple[str, ...]:
    """Name the attributes about which nothing can be said, as their digests have no version of the key in common."""
    sealed = [name for name, value in state.items() if is_sealed(value) and name in live]
    return tuple(name for name in sealed if comparable(state[name], live[name]) is None)


def _digests(value: object) -> dict[int, str]:
    """Return version -> digest; nothing when the value is none of ours."""
    if type(value) in _PLAIN:  # nearly every value; asking whether it is a `Mapping` takes far longer
        return {}
    found = value[_MARK] if isinstance(value, Mapping) and len(value) == 1 and _MARK in value else None
    if isinstance(found, str) and _DIGEST.fullmatch(found):
        return {_FIRST_VERSION: found}
    if not isinstance(found, Mapping) or not all(_is_digest(number, digest) for number, digest in found.items()):
        return {}
    return {int(number): digest for number, digest in found.items()}


def _is_digest(number: object, digest: object) -> bool:
    is_number = isinstance(number, str) and _NUMBER.fullmatch(number) is not None
    return is_number and isinstance(digest, str) and _DIGEST.fullmatch(digest) is not None
