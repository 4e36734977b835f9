"""Work: whatever was begun is over, nobody holds anything any more, and the queue has nothing left to deliver."""

from __future__ import annotations

import json
import sqlite3
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass

from pg8000 import native

from .world import Owner, World

_POLL_SECONDS = 2.0
_EXAMPLES = 3

# What is open, by name: whose, and which. What waits for a moment that is still to come (a digest, a schedule, the next look at who
# made a drift) is not open; what is due counts once the ticks that serve it have had two minutes.
OPEN = {
    "messages in outboxes": "select org_id, topic || ' ' || id from core.outbox",
    "scans": "select org_id, status || ' ' || id from scan.scans where status in ('pending', 'running', 'comparing')",
    "shards": """
      select h.org_id, h.service || ' ' || h.region || ' ' || h.status || ' ' || h.id
      from scan.shards h
      join scan.scans s on s.org_id = h.org_id and s.id = h.scan_id
      where h.status in ('pending', 'running') and s.status not in ('failed', 'cancelled')
    """,
    "schedules that are due": """
      select org_id, name || ' ' || id from scan.schedules where next_run_at < now() - interval '2 minutes'
    """,
    "asset feeds that are due": """
      select org_id, id::text from scan.asset_feeds where due_at < now() - interval '2 minutes'
    """,
    "drift whose maker is to be looked up": """
      select org_id, id::text from scan.drift_items where status = 'open' and attribution_due_at < now() - interval '2 minutes'
    """,
    "deliveries that came in": """
      select org_id, provider || ' ' || id from webhook.deliveries_in where status = 'received'
    """,
    "notifications": """
      select org_id, event_kind || ' ' || id from webhook.deliveries_out
      where status = 'pending' or (status = 'collecting' and due_at < now() - interval '2 minutes')
    """,
    "claims of bodies whose delivery is not there": """
      select b.org_id, b.taken_as::text
      from webhook.body_claims b
      where not exists (select from webhook.deliveries_in d where d.org_id = b.org_id and d.id = b.taken_as)
    """,
    "comments at pull requests": """
      select org_id, repository || '#' || pull_request from analysis.pull_request_comments where status = 'pending'
    """,
    "narratives": "select org_id, item_id::text from analysis.drift_narratives where status = 'pending'",
    "packs": "select org_id, status || ' ' || id from core.audit_exports where status in ('pending', 'running')",
    "runs over sealed columns": "select cast(null as uuid), sealed_column || ' ' || id from core.reseal_runs where status = 'open'",
    "transactions": """
      select cast(null as uuid), usename || ': ' || coalesce(state, '') || ' since ' || xact_start
      from pg_stat_activity
      where datname = current_database() and pid <> pg_backend_pid() and backend_type = 'client backend'
        and xact_start < now() - interval '2 minutes'
    """,
    "prepared transactions": "select cast(null as uuid), gid from pg_prepared_xacts where database = current_database()",
}
_TOLD = """
with o (org_id, what) as materialized ({sql})
select (select count(*) from o) as open,
  (select string_agg(concat_ws(' of org ', f.what, f.org_id::text), ', ') from (select what, org_id from o limit {most}) as f) as examples
"""
# Leases end by themselves; one that has not ended is held by somebody, or was taken by a clock that went wrong.
_LEASES = """
select format('%I.%I', n.nspname, c.relname) as name, a.attname::text as until
from pg_attribute a
join pg_class c on c.oid = a.attrelid
join pg_namespace n on n.oid = c.relnamespace
where c.relkind in ('r', 'p') and a.attname ~ 'leased_until$' and not a.attisdropped
order by 1, 2
"""
_LEASED = "select org_id, id || ' until ' || {until} from {name} where {until} > now()"
_WAITING = """
select subscription, count(*), min(published_at), max(failures) from messages group by subscription order by subscription
"""

# What a dead letter of each subscription means: the others are ended, asked for again or shown as open above.
LOST_FOR_GOOD = {"notification-events": "nobody is told of that event"}
_GIVEN_UP = b"message given up"


@dataclass(frozen=True, slots=True)
class Open:
    """Work of one kind that is not over.

    Attributes:
        count: how many pieces of it.
        text: the first few.
    """

    kind: str
    count: int
    text: str

    def line(self) -> str:
        """Return it as a line of the report."""
        return f"{self.count:,} {self.kind}: {self.text}"


def wait_until_settled(world: World, seconds: float) -> list[Open]:
    """Wait until nothing is open, or so long; returns what is open then.

    A database that does not answer yet is waited for, and is what is open if it never does.
    """
    ends_at = time.monotonic() + seconds
    while True:
        found = list(find_open(world))
        if not found or time.monotonic() >= ends_at:
            return found
        time.sleep(min(_POLL_SECONDS, max(0.0, ends_at - time.monotonic())))


def find_open(world: World) -> Iterator[Open]:
    """Yield what is open at this moment."""
    try:
        with world.owner() as owner:
            yield from _in_database(owner)
    except (native.DatabaseError, native.InterfaceError, OSError) as error:
        yield Open("databases that do not answer", 1, f"{type(error).__name__}: {error}")
    yield from _in_queue(world)


def nothing_is_left_over(world: World, counts: Counter[str]) -> Iterator[str]:
    """Nothing is open; what a clock's tick began at this very moment has a little time to end."""
    found = wait_until_settled(world, world.patience_seconds)
    counts["kinds of work"] = len(OPEN)
    with world.owner() as owner:
        counts["kinds of leases"] = len(owner.rows(_LEASES))
    yield from (one.line() for one in found)


def nothing_was_given_up_for_good(world: World, counts: Counter[str]) -> Iterator[str]:
    """No message went to the dead letters whose loss nothing makes good. How many went there is to be known.

    The worker that reads all dead letters logs each. One that no worker took is in the queue, so it is left over.
    """
    for path in world.function_logs().values():
        for line in path.read_bytes().splitlines():
            if _GIVEN_UP not in line:
                continue
            try:
                subscription = str(json.loads(line).get("subscription", ""))
            except (ValueError, AttributeError):
                continue  # another invariant's
            counts["messages given up"] += 1
            counts[f"of {subscription}"] += 1
            if subscription in LOST_FOR_GOOD:
                yield f"{subscription}: {LOST_FOR_GOOD[subscription]}: {line.decode(errors='replace')[:300]}"


def _in_database(owner: Owner) -> Iterator[Open]:
    statements = OPEN | {f"leases ({row['name']}.{row['until']})": _LEASED.format(**row) for row in owner.rows(_LEASES)}
    for kind, sql in statements.items():
        row = owner.rows(_TOLD.format(sql=sql, most=_EXAMPLES))[0]
        if row["open"]:
            yield Open(kind, row["open"], row["examples"])


def _in_queue(world: World) -> Iterator[Open]:
    """Read what the suite's subscriptions still have to deliver from the stand-in's file, dead letters included.

    Whoever listens for a test has a subscription of its own, which is no work of the suite's.
    """
    with closing(sqlite3.connect(f"file:{world.queue_file}?mode=ro", uri=True, timeout=10)) as connection:
        waiting = connection.execute(_WAITING).fetchall()
    for subscription, count, since, failures in waiting:
        name = str(subscription).rpartition("/")[2]
        if name in world.suite.subscriptions:
            yield Open(f"messages of {name}", count, f"since {since}, up to {failures} failures")
