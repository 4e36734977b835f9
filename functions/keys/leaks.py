"""A report of leaked keys, from a secret-scanning partner: check, revoke, audit, notify, answer.

Source: https://docs.github.com/en/code-security/secret-scanning/secret-scanning-partnership-program/secret-scanning-partner-program
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from shared.http.call import Call, validated
from shared.http.reply import Reply
from shared.http.strict_json import parse_json
from shared.ports.errors import VersionUnusable
from shared.ports.secret_store import Secret
from shared.security.actor import Actor
from shared.security.api_keys import PATTERN, parse_key
from shared.security.reporter_signatures import check_report

from . import domain, queries
from .models import LeakedToken, LeakFeedback, LeakFeedbacks, LeakReport
from .wiring import KeysDeps

_KEY = re.compile(PATTERN)
_MOST_PLACES = 20
_REPORTER = "secret-scanning"


def report_leaks(call: Call, deps: KeysDeps) -> Reply:
    """Take a secret scanner's report of keys that it found in public, and revoke them.

    The body is a JSON list of `{token, type, url, source}`, signed as GitHub signs it; a repeated report changes nothing. The
    answer says of each token whether it was a key of ours, and of what was not one no more than that.
    """
    check_report(call.headers, call.content, deps.reporter_keys)
    places: dict[str, list[LeakedToken]] = {}
    for find in validated(LeakReport, parse_json(call.content)).root:
        places.setdefault(find.token, []).append(find)
    leaked = _find_keys(places, deps)
    by_org: dict[UUID, dict[UUID, list[LeakedToken]]] = {}
    for token, row in leaked.items():
        by_org.setdefault(row["org_id"], {})[row["key_id"]] = places[token]
    for org_id, keys in by_org.items():
        _revoke(org_id, keys, deps)
    feedback = [_feedback(token, found[0].type, is_ours=token in leaked) for token, found in places.items()]
    return Reply.ok(LeakFeedbacks(feedback))


def _find_keys(tokens: Mapping[str, object], deps: KeysDeps) -> Mapping[str, Mapping[str, Any]]:
    public_ids = sorted({key.public_id for token in tokens if (key := parse_key(token)) is not None})
    rows = queries.find_reported_keys(deps.db, public_ids) if public_ids else []
    peppers: dict[int, Secret] = {}
    for version in {row["pepper_version"] for row in rows}:
        try:
            peppers[version] = deps.peppers.version(version)
        except VersionUnusable:
            if any(row["is_live"] for row in rows if row["pepper_version"] == version):
                raise  # it was disabled too early: the reporter tries again, and an operator hears of it
    return domain.confirm(tokens, [row for row in rows if row["pepper_version"] in peppers], peppers)


def _revoke(org_id: UUID, keys: Mapping[UUID, Sequence[LeakedToken]], deps: KeysDeps) -> None:
    """Revoke the keys of one organisation, in one order everywhere, so that two reports never wait for each other."""
    with deps.db.unit(Actor("event", _REPORTER, org_id)) as tx:
        for key_id in sorted(keys):
            name = queries.revoke_live(tx, key_id, deps.clock.now())
            if name is None:  # dead already: an earlier report, or somebody was faster
                continue
            places = [{"url": _KEY.sub("dw2_(key)", find.url), "source": find.source} for find in keys[key_id]]
            facts: dict[str, Any] = {"name": name, "places": places[:_MOST_PLACES]}
            tx.audit("keys:api_key:leaked", "api_key", key_id, **facts)
            tx.emit("org-events", {"event": "keys:api_key:leaked", "key_id": str(key_id)})
    for key_id in keys:
        deps.authenticator.forget_key(key_id)


def _feedback(token: str, kind: str, *, is_ours: bool) -> LeakFeedback:
    digest = hashlib.sha256(token.encode()).hexdigest()
    return LeakFeedback(token_hash=digest, token_type=kind, label="true_positive" if is_ours else "false_positive")
