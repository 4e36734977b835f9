"""The tables of a pack for auditors: their columns, and what each row says. Pure.

No secret, no hash of one and no value of a customer's resource is in any of them: queries do not read these columns at all.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from shared.security.audit import org_chain

from .packs import instant

UNUSED_AFTER = timedelta(days=90)
_Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Table:
    """One table of a pack.

    Attributes:
        stem: name of its files without number and ending.
        columns: in order.
        shape: makes a row of the table out of one of the database, as of a time.
    """

    stem: str
    columns: tuple[str, ...]
    shape: Callable[[_Row, datetime], dict[str, Any]]


def _as_is(columns: Sequence[str]) -> Callable[[_Row, datetime], dict[str, Any]]:
    return lambda row, _as_of: {name: row[name] for name in columns}


def _entry(row: _Row, _as_of: datetime) -> dict[str, Any]:
    """Tell an audit entry with all that is hashed of it; `facts` is the text that was hashed, byte for byte."""
    told = {name: row[name] for name in AUDIT_COLUMNS if name != "chain"}
    hashes = {name: bytes(row[name]).hex() for name in ("prev_hash", "hash")}
    return {"chain": org_chain(row["org_id"]), **told, "id": str(row["id"]), "at": instant(row["at"]), **hashes}


def _member(row: _Row, as_of: datetime) -> dict[str, Any]:
    used = [time for time in (row["last_sign_in_at"], row["last_seen_at"], row["last_change_at"]) if time is not None]
    last_used_at = max(used, default=None)
    notes = ["account switched off"] if row["is_disabled"] else []
    if row["came_by"] is None:
        notes.append("how they came is not in the audit log")
    return {
        **{name: row[name] for name in MEMBER_COLUMNS if name not in {"came_by", "last_used_at", "notes"}},
        "came_by": row["came_by"] or "unknown",
        "last_used_at": last_used_at,
        "notes": [*notes, *_unused(last_used_at, as_of)],
    }


def _credential(row: _Row, as_of: datetime) -> dict[str, Any]:
    """Tell an API key or a token of a directory."""
    status = _status(row, as_of)
    notes: list[str] = []
    if status == "live":
        notes += _unused(row["last_used_at"], as_of)
        notes += [] if row["expires_at"] is not None else ["never expires"]
        notes += [] if row["maker_role"] is not None else ["whoever made it does not belong to the organisation"]
    columns = {name: row[name] for name in row if name in {*KEY_COLUMNS, *TOKEN_COLUMNS}}
    return {**columns, "prefix": f"{row['kind']}_{row['public_id']}", "status": status, "notes": notes}


def _invitation(row: _Row, as_of: datetime) -> dict[str, Any]:
    status = "accepted" if row["accepted_at"] is not None else _status(row, as_of, live="open")
    return {**{name: row[name] for name in INVITATION_COLUMNS if name != "status"}, "status": status}


def _scan(row: _Row, _as_of: datetime) -> dict[str, Any]:
    ends = row["started_at"], row["finished_at"]
    seconds = None if None in ends else round((row["finished_at"] - row["started_at"]).total_seconds(), 3)
    return {**{name: row[name] for name in SCAN_COLUMNS if name != "seconds"}, "seconds": seconds}


def _item(row: _Row, _as_of: datetime) -> dict[str, Any]:
    is_fixed = row["fixed_at"] is not None
    seconds = round((row["fixed_at"] - row["first_seen_at"]).total_seconds(), 3) if is_fixed else None
    return {**{name: row[name] for name in DRIFT_COLUMNS if name != "seconds_to_fix"}, "seconds_to_fix": seconds}


def _status(row: _Row, as_of: datetime, live: str = "live") -> str:
    if row["revoked_at"] is not None:
        return "revoked"
    return "expired" if row["expires_at"] is not None and row["expires_at"] <= as_of else live


def _unused(last_used_at: datetime | None, as_of: datetime) -> list[str]:
    if last_used_at is None:
        return ["no use known"]
    return [f"not used for {UNUSED_AFTER.days} days"] if as_of - last_used_at > UNUSED_AFTER else []


AUDIT_COLUMNS = (
    "chain", "seq", "version", "id", "at", "action", "actor_kind", "actor_id", "target_kind", "target_id", "facts",
    "request_id", "prev_hash", "hash",
)  # fmt: skip
MEMBER_COLUMNS = (
    "user_id", "email", "name", "role", "is_disabled", "member_since", "came_by", "came_at", "granted_by", "granted_by_email",
    "is_in_directory", "last_sign_in_at", "last_seen_at", "last_change_at", "last_used_at", "notes",
)  # fmt: skip
TOKEN_COLUMNS = (
    "id", "prefix", "name", "status", "created_by", "created_by_email", "maker_role", "created_at", "expires_at", "last_used_at",
    "revoked_at", "notes",
)  # fmt: skip
KEY_COLUMNS = (
    "id", "prefix", "name", "status", "scopes", "cidrs", "created_by", "created_by_email", "maker_role", "created_at",
    "expires_at", "last_used_at", "revoked_at", "replaces_id", "notes",
)  # fmt: skip
INVITATION_COLUMNS = (
    "id", "email", "role", "status", "invited_by", "invited_by_email", "created_at", "expires_at", "accepted_at", "revoked_at",
)  # fmt: skip
SCAN_COLUMNS = (
    "id", "account_id", "account", "provider", "external_account", "status", "requested_by", "created_at", "started_at",
    "finished_at", "seconds", "shards_total", "shards_done", "resources", "summary", "error_code",
)  # fmt: skip
DRIFT_COLUMNS = (
    "id", "account_id", "account", "kind", "type", "key", "address", "cloud_id", "region", "path", "is_sensitive", "severity",
    "rule", "status", "first_seen_at", "last_seen_at", "fixed_at", "seconds_to_fix", "attribution_status", "attribution",
    "acknowledged_at", "acknowledged_by", "assignee", "note", "ignore_rule_id", "ignored_until",
)  # fmt: skip
FIX_TIME_COLUMNS = (
    "severity", "opened", "fixed", "open_at_end", "mean_seconds_to_fix", "median_seconds_to_fix", "longest_seconds_to_fix",
)  # fmt: skip

AUDIT = Table("audit-log/entries", AUDIT_COLUMNS, _entry)
MEMBERS = Table("access/members", MEMBER_COLUMNS, _member)
KEYS = Table("access/api-keys", KEY_COLUMNS, _credential)
TOKENS = Table("access/directory-tokens", TOKEN_COLUMNS, _credential)
INVITATIONS = Table("access/invitations", INVITATION_COLUMNS, _invitation)
SCANS = Table("scans/scans", SCAN_COLUMNS, _scan)
DRIFT = Table("drift/items", DRIFT_COLUMNS, _item)
FIX_TIMES = Table("drift/fix-times", FIX_TIME_COLUMNS, _as_is(FIX_TIME_COLUMNS))


def read_me(facts: Mapping[str, Any]) -> str:
    """Write the page that auditors read first."""
    window, organisation = facts["window"], facts["organisation"]
    return f"""Audit pack of DriftWise
=======================

Organisation: {json.dumps(organisation["name"])} ({organisation["id"]})
Window:       {window["from"]} (inclusive) to {window["to"]} (exclusive)
Built:        from {facts["built"]["started_at"]}, as of which access is told
Made by:      {facts["issuer"]}

Verify it before you read on, offline, with nothing but Python:

    python3 verify_pack.py PACK.zip --keys audit-export-keys.json

Take the verifier from the source of DriftWise (infra/verify_pack/verify_pack.py) and the keys from
{facts["keys_url"]} yourself, not from whoever gave you this pack.

Each table comes as JSON lines (.jsonl), which are exact, and as CSV for people: there a cell that a spreadsheet would run as a
formula begins with an apostrophe. Long tables go on in the next number. All times are UTC.

manifest.json             every file with its length and SHA-256; manifest.jws signs it (ES256, detached JWS, RFC 7515 appendix F)
audit-log/entries-*       who did what in the window; each entry carries the hash of the one before it
audit-log/attestation.json  where the slice begins and ends in the chain, the anchors of its entries, and what
                          the platform found when it verified the whole chain, from the first entry on
access/members-*          who belongs to the organisation, with which role, how they came and who let them in, and when they were
                          last here: last sign-in and last use of sessions that are still kept, last change in the audit log
access/api-keys-*         API keys that are live, or were so within the window; never the keys
access/directory-tokens-* the same for tokens of a directory (SCIM)
access/invitations-*      invitations that are open, or were so within the window
scans/scans-*             scans that were asked for in the window, with what they could not read (summary)
drift/items-*             drift that was open at some time in the window; values of resources are not told
drift/fix-times-*         for each severity: opened and fixed in the window, still open at its end, and how long fixing took

Access review: the column `notes` of the tables under access/ says what deserves a look: no use for {UNUSED_AFTER.days} days,
no end, an owner who has left, an account that is switched off.

The hash of an entry (form driftwise-audit-1) is SHA-256 over these texts in this order, each as a netstring, which is its length in
bytes, a colon, the text in UTF-8, a comma:

    "driftwise-audit", "1", chain, seq, id, at, action, actor_kind, actor_id, target_kind, target_id, facts, request_id,
    prev_hash (hexadecimal; 64 zeros for the first entry)

What history is kept follows from the organisation's plan; what was deleted by then is not in the pack. Tables other than the audit
log were read one after the other while the organisation went on working.
"""
