"""Audit chains of a restored database: whole, and how far they go compared with what was anchored outside of it."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby
from uuid import UUID

from shared.data.audit_log import verify_org, verify_platform
from shared.ports.object_store import ObjectStore
from shared.security.audit import PLATFORM_CHAIN, Head, Verdict, org_chain, read_anchor

from . import queries
from .findings import Finding
from .owner import OwnerDatabase

CHECK = "audit chains"


def check_chains(database: OwnerDatabase, anchors: ObjectStore) -> Iterator[Finding]:
    """Verify every chain against its anchors.

    What is anchored beyond a chain's end was committed and is not here: expected after a restore to a point in time, and told;
    only these entries' content is lost, not that they existed. An anchor within the chain that differs is a problem.
    """
    kept = dict(read_anchors(anchors))
    platform = database.session.run(queries.GET_PLATFORM_HEAD)[0]
    heads: dict[str, tuple[UUID | None, Head]] = {PLATFORM_CHAIN: (None, _head(platform))}
    for row in database.lookup(queries.LIST_HEADS):
        heads[org_chain(row["org_id"])] = row["org_id"], _head(row)
    for chain, (org_id, head) in heads.items():
        yield from _judge(chain, _verify(database, org_id, [one for one in kept.get(chain, ()) if one.seq <= head.seq]))
        yield from _beyond(chain, head, kept.get(chain, ()))
    for chain in sorted(kept.keys() - heads.keys()):
        yield Finding(
            CHECK, f"{chain} was anchored up to entry {kept[chain][-1].seq} and is not here", is_problem=False
        )


def read_anchors(anchors: ObjectStore) -> Iterator[tuple[str, list[Head]]]:
    """Yield each anchored chain with its heads, in order of `seq`; names come in order, so each chain comes once."""
    for chain, names in groupby(anchors.names(""), key=lambda name: name.rpartition("/")[0]):
        yield chain, [read_anchor(chain, name) for name in names]


def _verify(database: OwnerDatabase, org_id: UUID | None, anchors: list[Head]) -> Verdict:
    with database.unit("auth_work", org_id) as tx:
        return verify_platform(tx, anchors=anchors) if org_id is None else verify_org(tx, anchors=anchors)


def _judge(chain: str, verdict: Verdict) -> Iterator[Finding]:
    if verdict.problem is not None:
        yield Finding(CHECK, f"{chain}: entry {verdict.problem.seq} is {verdict.problem.kind}")


def _beyond(chain: str, head: Head, anchors: list[Head] | tuple[()]) -> Iterator[Finding]:
    if anchors and anchors[-1].seq > head.seq:
        text = f"{chain} ends at entry {head.seq}; up to {anchors[-1].seq} was anchored, so at least {anchors[-1].seq - head.seq} are missing"
        yield Finding(CHECK, text, is_problem=False)


def _head(row: dict[str, object]) -> Head:
    seq, hash_ = row["seq"], row["hash"]
    if not isinstance(seq, int) or not isinstance(hash_, bytes | bytearray | memoryview):
        raise TypeError("a head is a number and a hash")
    return Head(seq, bytes(hash_))
