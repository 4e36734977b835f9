"""The audit log: every chain whole, against its anchors too, and nothing told twice."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from infra.recovery.__main__ import ANCHORS
from infra.recovery.chains import CHECK as CHAINS
from infra.recovery.chains import check_chains
from infra.recovery.checks import check
from infra.recovery.owner import owner_database

from .world import World

_CHAINS = "select (select count(*) from core.audit_heads) + 1"
_ENTRIES = "select (select count(*) from core.audit_log) + (select count(*) from core.platform_audit_log)"
_HEADS = """
select 'org/' || org_id as chain, seq, anchored_seq from core.audit_heads
union all
select 'platform', seq, anchored_seq from core.platform_audit_head
order by 1
"""
# A worker goes by its event's id as the request's, so an event that was worked on twice shows as well. One request that does one
# thing twice to one target (SCIM's Bulk) tells different facts.
_TOLD_TWICE = """
select org_id::text as org, request_id, action, target_kind, target_id, count(*) as times
from (
  select org_id, request_id, action, target_kind, target_id, facts::text as facts from core.audit_log
  union all
  select null, request_id, action, target_kind, target_id, facts::text from core.platform_audit_log
) as entries
where request_id <> ''
group by org_id, request_id, action, target_kind, target_id, facts
having count(*) > 1
order by count(*) desc
limit 50
"""


def chains_are_whole(world: World, counts: Counter[str]) -> Iterator[str]:
    """Every chain is whole and goes at least as far as it was anchored: no entry that was ever anchored is lost.

    After a restore a chain may end before its newest anchor; nothing was restored here, so that counts as well.
    """
    with world.owner() as owner:
        counts["chains"], counts["entries"] = owner.number(_CHAINS), owner.number(_ENTRIES)
    counts["anchors"] = sum(1 for _ in world.anchors.names(""))
    with owner_database(world.owner_url) as database:
        for finding in check_chains(database, world.anchors):
            yield finding.text


def the_database_is_protected(world: World, counts: Counter[str]) -> Iterator[str]:
    """What lets a restored database serve holds as well: migrations, row-level security, roles, triggers, indexes, outboxes."""
    with world.owner() as owner:
        counts["migrations"] = owner.number("select count(*) from public.schema_migrations")
    with owner_database(world.owner_url) as database:
        for finding in check(database, world.anchors, None):
            if finding.check != CHAINS and finding.is_problem:
                yield f"{finding.check}: {finding.text}"


def heads_are_anchored(world: World, counts: Counter[str]) -> Iterator[str]:
    """The clock's next call anchors every chain up to where it ended before."""
    if world.tick is None:
        return
    with world.owner() as owner:
        before = {row["chain"]: row["seq"] for row in owner.rows(_HEADS)}
        world.tick(ANCHORS)
        counts["chains"] = len(before)
        for row in owner.rows(_HEADS):
            if row["anchored_seq"] < before.get(row["chain"], 0):
                yield f"{row['chain']} is anchored up to entry {row['anchored_seq']} of {before[row['chain']]}"


def entries_stand_once(world: World, counts: Counter[str]) -> Iterator[str]:
    """No request told the same of the same target twice."""
    with world.owner() as owner:
        counts["entries"] = owner.number(_ENTRIES)
        for row in owner.rows(_TOLD_TWICE):
            where = f"org {row['org']}" if row["org"] else "the platform"
            told = f"{row['action']} of {row['target_kind']} {row['target_id']}".rstrip()
            yield f"{where}: {told} stands {row['times']} times, request {row['request_id']}"
