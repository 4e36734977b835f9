"""Rows of live documents and baselines to values and back. Pure conversions; the SQL stands in `queries/baselines.py`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .baseline import Observed, Remembered
from .comparison import Drift, identities_of
from .difference import Change
from .documents import canonical_document, document_hash, holds_digest
from .regional import without_region
from .resources import LiveResource
from .sealing import Marks, Sealer
from .specs import TypeSpec
from .traced import covered_by, source_of

FORM = "form 1"  # counts up when canonical documents come to look different, see `baseline.judge`


def document_row(
    resource: LiveResource, specs: Mapping[str, TypeSpec], seal: Sealer, *, marks: Marks | None = None
) -> dict[str, object] | None:
    """Turn a live resource's document into a row; None when it has none.

    Args:
        resource: with the document as the reader handed it on.
        specs: the type table, for what is sensitive.
        seal: of the organisation.
        marks: what the account's states mark as sensitive.
    """
    if resource.document is None:
        return None
    spec = specs.get(resource.type)
    hidden = (spec.sensitive if spec else frozenset[str]()).union(
        *((marks or {}).get(name, frozenset()) for name in identities_of(resource))
    )
    document = canonical_document(resource.type, resource.document, hidden=hidden, seal=seal)
    return {
        "type": resource.type,
        "key": resource.key,
        "region": resource.region,
        "cloud_id": resource.cloud_id,
        "is_there": True,
        "document": document,
        "document_hash": document_hash(document),
        "covered": sorted(covered_by(resource.document)),
        "source": f"{source_of(resource.document)}; {FORM}",
    }


def absent_row(kind: str, key: str, region: str) -> dict[str, object]:
    """Return the row of a resource that was asked for by itself and is not there."""
    nothing: dict[str, object] = {}
    return {
        "type": kind,
        "key": key,
        "region": region,
        "cloud_id": without_region(key, region),
        "is_there": False,
        "document": nothing,
        "document_hash": document_hash(nothing),
        "covered": [],
        "source": FORM,
    }


def observed_of(row: Mapping[str, Any]) -> Observed:
    """Turn a row of `page_changed` into what a scan saw."""
    return Observed(
        type=row["type"],
        document=row["document"],
        source=row["source"],
        declared=row["declared"],
        covered=frozenset(row["covered"]),
        read_at=row["read_at"],
        declared_at=row["declared_at"],
        sensitive=frozenset(name for names in row["sensitive"] for name in names),
    )


def remembered_of(row: Mapping[str, Any]) -> Remembered | None:
    """Turn a row of `page_changed` into its baseline; None when there is none."""
    if row["remembered_document"] is None:
        return None
    return Remembered(
        row["remembered_document"],
        row["remembered_source"],
        row["remembered_declared"],
        frozenset(row["remembered_covered"]),
    )


def baseline_row(row: Mapping[str, Any], document: Mapping[str, Any]) -> dict[str, object]:
    """Return the row of a baseline that remembers a document."""
    return {
        "type": row["type"],
        "key": row["key"],
        "document": document,
        "document_hash": document_hash(document),
        "source": row["source"],
        "declared": row["declared"],
        "covered": row["covered"],
    }


def drift_of(row: Mapping[str, Any], change: Change) -> Drift:
    """Turn a change that the baseline shows into a drift."""
    return Drift(
        kind="changed",
        type=row["type"],
        key=row["key"],
        address=row["address"],
        cloud_id=row["cloud_id"],
        region=row["region"],
        path=change.path,
        before=change.before,
        after=change.after,
        is_sensitive=holds_digest(change.before) or holds_digest(change.after),
        detector="baseline",
    )
