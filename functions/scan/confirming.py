"""A suspected change is read once more before it is reported.

Clouds answer with what was true a while ago. When the comparison of a scan's first reading finds something that is not open
already, the shards it comes from forget what they saw and read again; only what is found then is reported. Duplicated messages
do no harm: shards and their counts are those of the first reading, opened once more.
"""

from __future__ import annotations

from shared.data.rows import Row
from shared.data.unit_of_work import UnitOfWork

from .clouds import Cloud, cloud_of
from .queries import confirming as queries


def ask_again(tx: UnitOfWork, scan: Row, account: Row) -> bool:
    """Have the cloud read once more where a comparison found something new; returns whether that was asked for.

    An account's first good scan takes what is unmanaged as it was listed: everything would be new, and nothing is alarming yet.

    Args:
        tx: the unit of work that ends the comparison; when this returns True it must store nothing of it.
        scan: its row, locked and `comparing`; what was found so far stands in its findings.
        account: the row of its account.
    """
    standing = queries.get_readings(tx, scan["id"])
    if standing is None or standing["readings"] != 1:
        return False
    suspects = [
        (row["type"], row["region"])
        for row in queries.list_new_places(tx, account["id"], scan["id"])
        if standing["has_earlier"] or row["kind"] != "unmanaged"
    ]
    cloud = cloud_of(account)
    shards = cloud.rereads(suspects, account["regions"])
    reopened = [row for shard in shards if (row := _reopen(tx, cloud, scan, account, *shard))]
    if not reopened:
        return False
    resources = sum(int(row["resources"]) for row in reopened)
    queries.read_once_more(tx, scan["id"], shards=len(reopened), resources=resources)
    for row in reopened:
        tx.emit("scan-shards", {"shard_id": str(row["id"]), "scan_id": str(scan["id"])})
    return True


def _reopen(tx: UnitOfWork, cloud: Cloud, scan: Row, account: Row, service: str, region: str) -> Row | None:
    row = queries.reopen_shard(tx, scan["id"], service=service, region=region)
    if row is not None:
        for types, place in cloud.forgotten(service, region):
            queries.forget_seen(tx, account_id=account["id"], scan_id=scan["id"], types=types, region=place)
            if cloud.beyond(()).generic in types:
                queries.forget_listed(tx, account_id=account["id"], scan_id=scan["id"])
    return row
