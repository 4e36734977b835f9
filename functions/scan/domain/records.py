"""Rows of the database to resources and back. Pure conversions; the SQL stands in `queries/`."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any

from .comparison import Drift
from .documents import fingerprint
from .resources import Declared, LiveResource, NotChecked, Parent, Unread
from .sealing import Marks, Sealer, mark_live, stored_attributes
from .severity import judge
from .specs import TypeSpec

_MOST_KEY_BYTES = 1200  # an entry of an index holds two of them and must not be larger than 2,704 bytes
_KEPT_OF_LONG_KEYS = 200


def stored_key(key: str) -> str:
    """Return the form in which a match key is stored: a very long one as its beginning and its digest."""
    if len(key.encode()) <= _MOST_KEY_BYTES:
        return key
    return f"{key[:_KEPT_OF_LONG_KEYS]}~{hashlib.sha256(key.encode()).hexdigest()}"


def declared_rows(
    declared: Iterable[Declared], specs: Mapping[str, TypeSpec], seal: Sealer
) -> Iterator[dict[str, object]]:
    """Turn what a state declares into rows; one address may stand for several resources, told apart by `part`."""
    parts: Counter[str] = Counter()
    for item in declared:
        spec = specs.get(item.type)
        yield {
            "address": item.address,
            "part": parts[item.address],
            "type": item.type,
            "key": None if item.key is None else stored_key(item.key),
            "attributes": stored_attributes(spec, item.attributes, item.sensitive, seal),
            "sensitive": sorted(item.sensitive),
            "fingerprints": fingerprint(item.type, item.attributes, item.sensitive, seal),
            "parent": _parent_row(item.parent),
            "account": item.account,
            "region": item.region,
            "is_deposed": item.is_deposed,
        }
        parts[item.address] += 1


def declared_of(row: Mapping[str, Any]) -> Declared:
    """Turn a row back into what a state declares."""
    return Declared(
        address=row["address"],
        type=row["type"],
        key=row["key"],
        attributes=row["attributes"],
        sensitive=frozenset(row["sensitive"]),
        parent=_parent_of(row["parent"]),
        account=row["account"],
        region=row["region"],
        is_deposed=row["is_deposed"],
    )


def live_row(
    resource: LiveResource, specs: Mapping[str, TypeSpec], seal: Sealer, *, marks: Marks | None = None
) -> dict[str, object]:
    """Turn a live resource into a row; `marks` are those of the account's states (see `sealing.marks_of`)."""
    spec = specs.get(resource.type)
    resource = replace(
        resource,
        key=stored_key(resource.key),
        aliases=tuple((kind, stored_key(key)) for kind, key in resource.aliases),
    )
    resource = mark_live(resource, spec, marks or {}, seal)
    return {
        "type": resource.type,
        "key": resource.key,
        "region": resource.region,
        "cloud_id": resource.cloud_id,
        "attributes": stored_attributes(spec, resource.attributes, frozenset(), seal),
        "tags": dict(resource.tags),
        "cloud_made": resource.cloud_made,
        "parent": _parent_row(resource.parent),
        "aliases": [list(alias) for alias in resource.aliases],
    }


def live_of(row: Mapping[str, Any]) -> LiveResource:
    """Turn a row back into a live resource."""
    return LiveResource(
        type=row["type"],
        key=row["key"],
        region=row["region"],
        attributes=row["attributes"],
        cloud_id=row["cloud_id"],
        cloud_made=row["cloud_made"],
        parent=_parent_of(row["parent"]),
        aliases=tuple((str(kind), str(key)) for kind, key in row["aliases"]),
        tags=row["tags"],
    )


def gap_row(gap: NotChecked | Unread, region: str) -> dict[str, object]:
    """Turn a gap into a row; `region` is where a single resource was being read."""
    row: dict[str, object] = {"reason": gap.reason, "permission": gap.permission, "detail": gap.detail[:500]}
    if isinstance(gap, NotChecked):
        return {**row, "types": list(gap.types), "key": None, "attributes": [], "region": gap.region}
    return {
        **row,
        "types": [gap.type],
        "key": stored_key(gap.key),
        "attributes": list(gap.attributes),
        "region": region,
    }


def gaps_of(rows: Iterable[Mapping[str, Any]]) -> tuple[list[NotChecked], list[Unread]]:
    """Turn rows back into listings that failed and resources that could not be read."""
    not_checked: list[NotChecked] = []
    unread: list[Unread] = []
    for row in rows:
        if row["key"] is None:
            not_checked.append(
                NotChecked(tuple(row["types"]), row["region"], row["reason"], row["permission"], row["detail"])
            )
        else:
            unread.append(
                Unread(
                    row["types"][0],
                    row["key"],
                    tuple(row["attributes"]),
                    row["permission"],
                    row["reason"],
                    row["detail"],
                )
            )
    return not_checked, unread


def drift_row(drift: Drift) -> dict[str, object]:
    """Turn a drift into a row, with its severity; sensitive values are left out."""
    verdict = judge(drift)
    detector = () if drift.detector == "declared" else (drift.detector,)
    identity = "\n".join((drift.kind, drift.type, drift.key, drift.address or "", drift.path or "", *detector))
    return {
        "kind": drift.kind,
        "type": drift.type,
        "key": drift.key,
        "address": drift.address,
        "cloud_id": drift.cloud_id,
        "region": drift.region,
        "path": drift.path,
        "before": None if drift.is_sensitive else drift.before,
        "after": None if drift.is_sensitive else drift.after,
        "is_sensitive": drift.is_sensitive,
        "severity": verdict.severity,
        "rule": verdict.rule,
        "detector": drift.detector,
        "fingerprint": hashlib.sha256(identity.encode()).hexdigest(),
    }


def _parent_row(parent: Parent | None) -> list[str] | None:
    return None if parent is None else [parent.type, stored_key(parent.key), parent.attribute]


def _parent_of(row: Any) -> Parent | None:
    return None if row is None else Parent(*row)
