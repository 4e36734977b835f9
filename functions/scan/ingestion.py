"""Taking a state in: parse, store. The one path for uploads and for sources that a scan fetches.

Owns the order, and when a state need not be taken in again. Must not compare, and must not fetch.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from shared.data.rows import Row
from shared.data.unit_of_work import UnitOfWork

from .domain.records import declared_rows
from .domain.sealing import Sealer
from .domain.state import StateFile, parse_state
from .errors import StateOlder
from .queries import sources as queries
from .state_sources.port import within_cap
from .types.tables import COMPARED, DECLARABLE

_DECIDING = ("records", "regional", "sealing", "shapes", "specs", "state", "state_places")


def read_state(content: bytes) -> StateFile:
    """Parse a state within the size cap.

    Raises:
        StateTooLarge: (413 `state_too_large`).
        StateUnreadable, StateVersionUnsupported, StateEncrypted: (422).
    """
    within_cap(len(content))
    return parse_state(content, DECLARABLE)


@cache
def mapping_hash() -> bytes:
    """Return a digest of the rules that decide what is kept of a state: under other rules it must be taken in again."""
    root = Path(__file__).parent
    files = [*(root / "domain" / f"{name}.py" for name in _DECIDING), *sorted((root / "types").rglob("*.py"))]
    digest = hashlib.sha256()
    for path in files:
        content = path.read_bytes()
        digest.update(f"{path.relative_to(root).as_posix()} {len(content)}\n".encode() + content)
    return digest.digest()


def known_version(source: Mapping[str, Any], seal: Sealer) -> str | None:
    """Return the version of a source's state that need not be fetched again; None when it must be, whatever its version."""
    is_current = _is_current(source, seal)
    return source["version_token"] if is_current else None


def store_state(
    tx: UnitOfWork,
    source: Mapping[str, Any],
    content: bytes,
    state: StateFile,
    seal: Sealer,
    *,
    force: bool = True,
    version: str | None = None,
) -> Row:
    """Store what a state declares, unless it is the very state that is known already, by the same rules and the newest digest key.

    Args:
        tx: the unit of work.
        source: the locked row of its source.
        content: the bytes, for the hash.
        state: the parsed state.
        seal: hides sensitive values.
        force: take a lower serial or another lineage too (a source that fetches always tells the present).
        version: what the source calls this version of it.

    Raises:
        StateOlder: (409 `state_older`).
    """
    is_same_line = source["lineage"] in (None, "", state.lineage)
    is_older = source["serial"] is not None and state.serial < source["serial"]
    if not force and (not is_same_line or is_older):
        raise StateOlder("send force=true to take it all the same", known_serial=source["serial"], serial=state.serial)
    content_hash = hashlib.sha256(content).digest()
    is_known = source["content_hash"] is not None and bytes(source["content_hash"]) == content_hash
    is_taken = is_known and _is_current(source, seal)
    if not is_taken:
        queries.replace_resources(tx, source["id"], declared_rows(state.declared, COMPARED, seal))
    return queries.set_fetched(
        tx,
        source["id"],
        serial=state.serial,
        lineage=state.lineage,
        terraform_version=state.terraform_version,
        content_hash=content_hash,
        digest_version=source["digest_version"] if is_taken else seal.version,
        version_token=version,
        mapping_hash=mapping_hash(),
        resource_count=len({item.address for item in state.declared}),
    )


def _is_current(source: Mapping[str, Any], seal: Sealer) -> bool:
    is_same_mapping = source["mapping_hash"] is not None and bytes(source["mapping_hash"]) == mapping_hash()
    return is_same_mapping and source["digest_version"] >= seal.version
