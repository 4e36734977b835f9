"""Live documents in the form in which they are remembered: canonical, without what changes by itself, without secrets.

Decides what is kept of a cloud's reply. What is secret by its name, by its look, or because a state or a type's spec says so, is
kept as keyed digests (ADR-0006). Bounded in depth, members and bytes. Must not compare, read or store.
"""

from __future__ import annotations

import base64
import hashlib
import json
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import Any, TypeAlias

from shared.security.redact import holds_secret

from .sealing import Sealer, is_sealed
from .volatile import is_free_form, is_volatile, joined, words
from .volatile_clouds import is_body, is_map_of, moves_by_itself

Plain: TypeAlias = Any  # plain JSON

MOST_BYTES = 64 * 1024
_MOST_DEPTH = 24
_MOST_MEMBERS = 20_000
_MOST_JSON_TEXT = 256 * 1024
_TOO_DEEP = "$too_deep"
_SECRET = frozenset(
    {"password", "passwd", "passphrase", "secret", "secrets", "credential", "credentials", "pwd", "pin"}
)
_SECRET_PAIRS = (("auth", "token"), ("access", "token"), ("private", "key"), ("secret", "key"), ("api", "key"), ("user", "data"),
                 ("connection", "string"), ("shared", "key"), ("pre", "shared"), ("session", "token"), ("bearer", "token"))  # fmt: skip
# A name that ends so speaks about a secret (where it lies, how it is turned) and holds none.
_ABOUT = frozenset(
    {
        "arn", "arns", "id", "ids", "name", "enabled", "type", "version", "rotation", "policy", "length", "days", "source", "required", "status",
        "location", "count", "mode", "algorithm", "uri", "url", "path", "time", "date",
    }
)  # fmt: skip
_TAGS = frozenset({"tag", "taglist", "tags", "tagset"})
_VALUES_SECRET = frozenset(
    {"environment", "environmentvariables", "variables", "stagevariables", "sensitiveparameters"}
)
_PAIRS = (("Key", "Value"), ("key", "value"), ("TagKey", "TagValue"), ("Name", "Value"), ("name", "value"),
          ("ParameterName", "ParameterValue"), ("ParameterKey", "ParameterValue"))  # fmt: skip
# Lists whose order means something; the items of all others are in whatever order the API likes.
_ORDERED = frozenset(
    {
        "actions", "argument", "arguments", "args", "cachebehaviors", "command", "defaultactions", "entrypoint", "layers", "origins",
        "processors", "rules", "stages", "steps",
    }
)  # fmt: skip


@dataclass(slots=True)
class _Walk:
    kind: str
    hidden: frozenset[str]
    seal: Sealer | None
    members: int = field(default=0)


def canonical_document(
    kind: str, raw: Mapping[str, object], *, hidden: Iterable[str] = (), seal: Sealer | None = None
) -> dict[str, Plain]:
    """Return what is remembered of a cloud's reply, as plain JSON.

    Args:
        kind: Terraform type of the resource.
        raw: the reply about one resource, as botocore or Cloud Control has it.
        hidden: attribute names that a state or a spec marks as sensitive; members of the same name are sealed.
        seal: makes digests; None only for what never leaves the process.
    """
    walk = _Walk(kind, frozenset(joined(name) for name in hidden), seal)
    found = _mapping(walk, raw, (), is_free=False)
    return _within_bounds(kind, found if isinstance(found, dict) else {}, seal)


def document_hash(document: Mapping[str, Plain]) -> str:
    """Return the hash of a canonical document, in hexadecimal."""
    return hashlib.sha256(_text(document).encode()).hexdigest()


def fingerprint(
    kind: str, attributes: Mapping[str, object], sensitive: Iterable[str], seal: Sealer
) -> dict[str, object]:
    """Return the keyed digests of everything that a state says of one resource and that does not change by itself.

    Two states that say the same have a digest in common, whatever was refreshed in between; unmapped attributes count too.
    """
    plain = canonical_document(kind, attributes)
    return seal.digests(kind, "$state", [plain, sorted(sensitive)])


def holds_digest(value: object) -> bool:
    """Say whether a value is a digest or has one within it, so that it cannot be shown."""
    if is_sealed(value):
        return True
    if isinstance(value, Mapping):
        return any(holds_digest(inner) for inner in value.values())
    return isinstance(value, list) and any(holds_digest(inner) for inner in value)


def is_ordered(name: str) -> bool:
    """Say whether the order of a list means something."""
    return joined(name) in _ORDERED


def _value(walk: _Walk, name: str, value: object, path: tuple[str, ...], *, is_free: bool, is_secret: bool) -> Plain:
    walk.members += 1
    if len(path) > _MOST_DEPTH or walk.members > _MOST_MEMBERS:
        return _TOO_DEEP
    if is_sealed(value):
        return value
    if is_secret or _is_secret(walk, name):
        return _sealed(walk, path, value)
    if isinstance(value, Mapping):
        return _mapping(walk, value, path, is_free=is_free)
    if isinstance(value, list | tuple | set | frozenset):
        return _list(walk, name, list(value), path, is_free=is_free)
    return _scalar(walk, value, path)


def _mapping(walk: _Walk, value: Mapping[Any, object], path: tuple[str, ...], *, is_free: bool) -> Plain:
    found: dict[str, Plain] = {}
    members = dict(dict.items(value)) if isinstance(value, dict) else dict(value)
    secret = _secret_members(path, members)
    for key, inner in members.items():
        name = str(key)
        moves = not is_free and (is_volatile(name, inner) or moves_by_itself(walk.kind, name, inner))
        if moves or _is_of_aws(path, name):
            continue
        is_map = is_map_of(walk.kind, name) or (is_free_form(name) and not is_body(walk.kind, name))
        plain = _value(walk, name, inner, (*path, name), is_free=is_free or is_map, is_secret=key in secret)
        if plain not in (None, "", {}, []):
            found[name] = plain
    return found


def _list(walk: _Walk, name: str, items: list[object], path: tuple[str, ...], *, is_free: bool) -> Plain:
    pairs = _as_pairs(items)
    if pairs is not None:
        secret = joined(path[-1]) in _VALUES_SECRET if path else False
        pairs = {key: inner for key, inner in pairs.items() if not _is_of_aws(path, key)}
        found = {
            key: _value(walk, key, inner, (*path, key), is_free=True, is_secret=secret)
            for key, inner in sorted(pairs.items())
        }
        return {key: plain for key, plain in found.items() if plain is not None}
    plain_items = [_value(walk, name, item, path, is_free=is_free, is_secret=False) for item in items]
    return plain_items if is_ordered(name) else sorted(plain_items, key=_text)


def _scalar(walk: _Walk, value: object, path: tuple[str, ...]) -> Plain:
    if value is None or isinstance(value, bool | int):
        return value
    if isinstance(value, float | Decimal):
        number = float(value)
        return str(value) if not math.isfinite(number) else int(number) if number.is_integer() else number
    if isinstance(value, datetime | date):
        return value.isoformat()
    if isinstance(value, bytes | bytearray):
        return _sealed(walk, path, base64.b64encode(bytes(value)).decode())
    text = str(value)
    if text[:1] in "{[" and 2 < len(text) <= _MOST_JSON_TEXT:
        try:
            parsed = json.loads(text)
        except (ValueError, RecursionError):
            parsed = None
        if isinstance(parsed, dict | list):  # a policy or the like: free-form, in whatever order it was written
            return _value(walk, path[-1] if path else "", parsed, path, is_free=True, is_secret=False)
    return _sealed(walk, path, text) if holds_secret(text) else text


def _as_pairs(items: list[object]) -> dict[str, object] | None:
    """Return a list of key-value pairs as a map; None when it is no such list."""
    for key, value in _PAIRS:
        if items and all(isinstance(item, Mapping) and key in item and set(item) <= {key, value} for item in items):
            found: dict[str, object] = {str(item[key]): item.get(value) for item in items if isinstance(item, Mapping)}
            return found if len(found) == len(items) else None
    return None


def _is_secret(walk: _Walk, name: str) -> bool:
    if joined(name) in walk.hidden:
        return True
    found = words(name)
    if not found or found[-1] in _ABOUT:
        return False
    return bool(_SECRET.intersection(found)) or any(
        pair == found[at : at + 2] for pair in _SECRET_PAIRS for at in range(len(found))
    )


def _is_of_aws(path: tuple[str, ...], name: str) -> bool:
    """Say whether a member is a tag that AWS sets by itself; nobody else can set one of that name."""
    return name.startswith("aws:") and bool(path) and joined(path[-1]) in _TAGS


def _secret_members(path: tuple[str, ...], members: Mapping[Any, object]) -> frozenset[Any]:
    """Name the members that are values of variables, which hold passwords under any name."""
    name = joined(path[-1]) if path else ""
    if name not in _VALUES_SECRET:
        return frozenset()
    values = frozenset(key for key in members if str(key).lower() == "value")
    if values:  # an item of a list, {"name": …, "value": …, "type": …}
        return values
    is_flat = all(isinstance(value, str) for value in members.values())
    return frozenset(members) if is_flat else frozenset()  # `Environment` is also what CodeBuild calls a machine


def _sealed(walk: _Walk, path: tuple[str, ...], value: object) -> Plain:
    if value in (None, "", {}, []):
        return None
    if walk.seal is None:
        return json.loads(json.dumps(value, default=str))
    return walk.seal.digests(walk.kind, ".".join(path), json.loads(json.dumps(value, default=str)))


def _within_bounds(kind: str, document: dict[str, Plain], seal: Sealer | None) -> dict[str, Plain]:
    """Keep a document small: of its largest members only digests are kept, so that a change is still seen."""
    sizes = {name: len(_text(value)) for name, value in document.items()}
    while seal is not None and sum(sizes.values()) > MOST_BYTES:
        largest = max(sizes, key=lambda name: sizes[name])
        if is_sealed(document[largest]):
            break
        document[largest] = seal.digests(kind, largest, document[largest])
        sizes[largest] = len(_text(document[largest]))
    return document


def _text(value: object) -> str:
    return json.dumps(value, sort_keys=True, separators=(",", ":"), default=str)
