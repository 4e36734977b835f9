"""Nothing doubled, nothing half: what no constraint of the database holds by itself.

Constraints make impossible, and nothing here looks again for: an event claimed twice by one subscription, an Idempotency-Key with
two outcomes, two open drift items of one fingerprint (which is made of everything that tells two drifts apart), two deliveries of one
name, two notifications of one number, two active scans of an account, two shards of one service and region, two open invitations, two
memberships, two comments at one pull request, two parts of a pack of one path, two open runs over a sealed column.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from .world import World

# A sender that names no delivery is known by the body, which is taken in once a day.
_SAME_BODY = """
select org_id::text as org, config_id::text as config, id::text as id, earlier::text as earlier
from (
  select org_id, config_id, id, received_at,
    lag(id) over same as earlier, received_at - lag(received_at) over same as after
  from webhook.deliveries_in
  window same as (partition by org_id, config_id, body_sha256 order by received_at, id)
) as found
where after < interval '1 day'
limit 50
"""
# A trial is told as often as somebody asks for it.
_SAME_NOTICE = """
select d.org_id::text as org, d.channel_id::text as channel, n.notice ->> 'event' as event, n.notice ->> 'event_id' as event_id,
  count(*) as times
from webhook.deliveries_out d
cross join lateral jsonb_array_elements(d.content -> 'notices') as n (notice)
where n.notice ->> 'event' <> 'webhook:channel:tested'
group by 1, 2, 3, 4
having count(*) > 1
limit 50
"""
# Numbers are given and used in one transaction, so none is missing, unless the oldest were purged.
_NUMBERS = """
select c.org_id::text as org, c.id::text as channel, c.last_seq, max(d.seq) as newest, count(d.seq) as there,
  max(d.seq) - min(d.seq) + 1 as expected
from webhook.notification_channels c
left join webhook.deliveries_out d on d.org_id = c.org_id and d.channel_id = c.id
group by c.org_id, c.id, c.last_seq
having max(d.seq) <> c.last_seq or count(d.seq) <> max(d.seq) - min(d.seq) + 1
limit 50
"""
_MISCOUNTED = """
select s.org_id::text as org, s.id::text as scan, s.shards_done, s.shards_total, count(h.id) as shards,
  count(h.id) filter (where h.status in ('done', 'failed')) as ended, s.resources, coalesce(sum(h.resources), 0) as seen
from scan.scans s
left join scan.shards h on h.org_id = s.org_id and h.scan_id = s.id
where s.status = 'done'
group by s.org_id, s.id, s.shards_done, s.shards_total, s.resources
having s.shards_total <> count(h.id) or s.shards_done <> count(h.id) filter (where h.status in ('done', 'failed'))
  or s.resources <> coalesce(sum(h.resources), 0)
limit 50
"""
_REPLIES = """
select org_id::text as org, key, status
from core.idempotency_keys
where status is null or status >= 500
limit 50
"""
# The ZIP's directory is a part and no file.
_PACKS = """
select e.org_id::text as org, e.id::text as pack, e.files, count(p.number) as parts, max(p.number) as newest,
  e.packed_bytes, coalesce(sum(p.packed_bytes), 0) as there
from core.audit_exports e
left join core.audit_export_parts p on p.org_id = e.org_id and p.export_id = e.id
where e.status = 'done'
group by e.org_id, e.id, e.files, e.packed_bytes
having count(p.number) <> e.files + 1 or max(p.number) <> e.files + 1 or e.packed_bytes <> coalesce(sum(p.packed_bytes), 0)
limit 50
"""
_ORGS = (
    "select name, count(*) as times from core.orgs where name ~ '^mark[0-9a-f]{32}$' group by name having count(*) > 1"
)


def deliveries_came_in_once(world: World, counts: Counter[str]) -> Iterator[str]:
    """No body was taken in twice within a day, under whatever name its sender gave it."""
    with world.owner() as owner:
        counts["deliveries"] = owner.number("select count(*) from webhook.deliveries_in")
        for row in owner.rows(_SAME_BODY):
            yield f"org {row['org']}, config {row['config']}: {row['id']} is {row['earlier']} once more"


def notifications_stand_once(world: World, counts: Counter[str]) -> Iterator[str]:
    """No channel is told of an event twice, and no number of a channel's is missing."""
    with world.owner() as owner:
        counts["notifications"] = owner.number("select count(*) from webhook.deliveries_out")
        for row in owner.rows(_SAME_NOTICE):
            yield f"org {row['org']}, channel {row['channel']}: {row['event']} {row['event_id']} stands {row['times']} times"
        for row in owner.rows(_NUMBERS):
            there = f"{row['there']} of {row['expected']} numbers up to {row['newest']}"
            yield f"org {row['org']}, channel {row['channel']}: {there}, and {row['last_seq']} were given"


def shards_were_counted_once(world: World, counts: Counter[str]) -> Iterator[str]:
    """A scan that is done counted each of its shards once, with what it saw."""
    with world.owner() as owner:
        counts["scans"] = owner.number("select count(*) from scan.scans where status = 'done'")
        for row in owner.rows(_MISCOUNTED):
            shards = (
                f"{row['shards_done']} of {row['shards_total']} shards counted, {row['ended']} of {row['shards']} ended"
            )
            yield f"org {row['org']}, scan {row['scan']}: {shards}; {row['resources']} resources counted, {row['seen']} seen"


def replies_were_kept_whole(world: World, counts: Counter[str]) -> Iterator[str]:
    """Every Idempotency-Key that was claimed was settled in the same transaction, and never with a failure of ours."""
    with world.owner() as owner:
        counts["keys"] = owner.number("select count(*) from core.idempotency_keys")
        for row in owner.rows(_REPLIES):
            yield f"org {row['org']}: key {row['key']} was left with {row['status'] or 'no answer'}"


def packs_have_their_parts(world: World, counts: Counter[str]) -> Iterator[str]:
    """A pack that is done has all of its parts, and none more."""
    with world.owner() as owner:
        counts["packs"] = owner.number("select count(*) from core.audit_exports where status = 'done'")
        for row in owner.rows(_PACKS):
            parts = f"{row['files']} files in {row['parts']} parts up to number {row['newest']}"
            yield f"org {row['org']}, pack {row['pack']}: {parts}; {row['packed_bytes']} bytes told, {row['there']} there"


def organisations_were_made_once(world: World, counts: Counter[str]) -> Iterator[str]:
    """No two organisations go by one word."""
    with world.owner() as owner:
        counts["organisations"] = owner.number("select count(*) from core.orgs")
        for row in owner.rows(_ORGS):
            yield f"{row['times']} organisations are called {row['name']}"
