"""The live progress of a scan."""

from __future__ import annotations

from ipaddress import ip_address
from uuid import UUID

from shared.http.access import authorise
from shared.http.call import Call
from shared.http.permissions import may
from shared.http.reply import Reply
from shared.security.authentication import Client

from ..domain.progress import CONTENT_TYPE, Picture, picture_of
from ..queries import scans as queries
from ..queries import shards as shard_queries
from ..streams import Stream, follow
from ..wiring import ScanDeps

_MOST_WORKING = 20
_ACCESS = may("scans:read")


def stream_scan(call: Call, deps: ScanDeps) -> Reply:
    """Send the progress of a scan as server-sent events until it ends, for at most some seconds a connection.

    Each event is the whole picture, its id a digest of that; who sends the last one as `Last-Event-ID` is told what changed since.
    204 when the scan is over and that was told: a browser then stops asking. 503 `streams_busy` when there is no place: poll the scan.
    """
    scan_id, last_id = call.path_uuid("scan_id"), call.headers.get("last-event-id")
    first = _look(call, deps, scan_id)
    if first.is_over and first.id == last_id:
        return Reply.no_content()
    body = follow(
        lambda: _look(call, deps, scan_id), lambda: _admit(call, deps), deps.clock, first=first, last_id=last_id
    )
    return Reply.stream(Stream(deps.places, body), CONTENT_TYPE)


def _look(call: Call, deps: ScanDeps, scan_id: UUID) -> Picture:
    """Read a scan in a transaction of its own: no connection is held while a stream waits."""
    with deps.db.unit(call.actor) as tx:
        row = queries.get_scan(tx, scan_id)
        return picture_of(row, shard_queries.list_working(tx, scan_id, most=_MOST_WORKING))


def _admit(call: Call, deps: ScanDeps) -> None:
    """Ask once more whether the caller may read: a key that was revoked is dead for open streams too."""
    client = Client("GET", ip_address(call.address) if call.address else None, call.cookies)
    actor = deps.authenticator.authenticate(call.headers, call.org_id, client)
    authorise(_ACCESS, actor, deps.clock.now())
