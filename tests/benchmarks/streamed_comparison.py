"""The comparison over a database: 100,000 pairs cold and unchanged, against 10,000; and an organisation of 1,000,000 resources.

Each size runs in a process of its own, whose peak of memory is the worker's: nothing else is done in it.
"""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
import time
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from typing import Any
from uuid import UUID

from functions.scan.domain.sealing import Sealer
from functions.scan.handlers import comparing
from functions.scan.queries import accounts
from functions.scan.queries import comparing as queries
from functions.scan.streaming import Scope
from functions.scan.types.aws import SPECS
from shared.data.database import Database
from shared.ports.secret_store import Secret
from shared.security.actor import Actor
from shared.settings import Settings
from shared.testing.queue import MemoryQueue
from shared.testing.secret_store import MemorySecretStore
from tests.support.database import ClonedDatabase, database_server

from .result import Result

_ROOT = Path(__file__).parents[2]
# Pairs of which every hundredth differs, every thousandth is missing and as many are unmanaged; of the rest, one kind.
_DECLARE = """
insert into scan.state_resources (org_id, source_id, account_id, address, type, key, attributes)
select :org_id, :source_id, :account_id, 'aws_subnet.a["' || n || '"]', 'aws_subnet', 'subnet-' || n,
  jsonb_build_object('vpc_id', 'vpc-1', 'cidr_block', '10.0.0.0/24', 'availability_zone', 'us-east-1a', 'map_public_ip_on_launch', false,
    'tags', jsonb_build_object('Name', 'subnet ' || n, 'Team', 'network', 'Stage', 'production'))
from generate_series(1, cast(:pairs as integer)) as n
"""
_SEE = """
insert into scan.live_resources (org_id, account_id, scan_id, type, key, region, cloud_id, attributes)
select :org_id, :account_id, :scan_id, 'aws_subnet', 'subnet-' || case when n % 1000 = 0 then n + :pairs else n end, 'us-east-1', 'arn:' || n,
  jsonb_build_object('vpc_id', 'vpc-1', 'cidr_block', case when n % 100 = 1 then '10.9.9.0/24' else '10.0.0.0/24' end,
    'availability_zone', 'us-east-1a', 'map_public_ip_on_launch', false,
    'tags', jsonb_build_object('Name', 'subnet ' || n, 'Team', 'network', 'Stage', 'production'))
from generate_series(1, cast(:pairs as integer)) as n
on conflict (org_id, account_id, type, key) do update set scan_id = excluded.scan_id, attributes = excluded.attributes
"""


def measure() -> list[Result]:
    """Measure 10,000 and 100,000 pairs, each cold and then unchanged, three times in turn."""
    with database_server() as server, server.clone() as database:
        small = [_run(database, [10_000], turn) for turn in range(3)]
        large = [_run(database, [100_000], turn) for turn in range(3)]
    cold = median(item["cold_seconds"] for item in large)
    ratio = median(big["cold_seconds"] / little["cold_seconds"] for big, little in zip(large, small, strict=True))
    unchanged = median(item["unchanged_seconds"] for item in large)
    peak, peak_small = (max(item["peak_mib"] for item in found) for found in (large, small))
    return [
        Result("100,000 pairs over a database", "10,000", f"{cold:.2f} s", ratio, "at most 11, under 10 s", ratio <= 11 and cold < 10),
        Result("the same, unchanged", "cold", f"{unchanged:.2f} s", unchanged / cold, "under 1 s", unchanged < 1),
        Result("its worker's memory", "10,000", f"{peak:.0f} MiB", peak / peak_small, "under 1 GiB", peak < 1024),
    ]  # fmt: skip


def measure_organisation() -> list[Result]:
    """Measure 1,000,000 resources in 500 accounts against 100,000 in 50, and one account of 1,000,000 against one of 100,000."""
    found: list[Result] = []
    with database_server() as server, server.clone() as database:
        for name, few, many in (
            ("500 accounts of 2,000", [2_000] * 50, [2_000] * 500),
            ("1 account of 1,000,000", [100_000], [1_000_000]),
        ):
            small, large = _run(database, few, 0), _run(database, many, 1)
            ratio = large["peak_mib"] / small["peak_mib"]
            measured = f"{large['peak_mib']:.0f} MiB, {large['cold_seconds']:.0f} s, unchanged {large['unchanged_seconds']:.1f} s"
            found.append(Result(f"memory, {name}", "a tenth of it", measured, ratio, "at most 1.2", ratio <= 1.2))
    return found


def _run(database: ClonedDatabase, sizes: list[int], turn: int) -> dict[str, Any]:
    """Fill accounts, compare them twice in a process of its own; returns the seconds and the peak of memory."""
    org_id = database.make_org(f"Bench {sizes[0]} {len(sizes)} {turn}")
    scans = [_fill(database, org_id, number, pairs) for number, pairs in enumerate(sizes)]
    cold = _worker(database, org_id, [scan_id for _, scan_id, _ in scans])
    again = [_see(database, org_id, account_id, pairs) for account_id, _, pairs in scans]
    database.owner.run("vacuum (analyze) scan.live_resources")
    unchanged = _worker(database, org_id, again)
    assert cold["drift"] == unchanged["drift"] > 0, "the pairs differ by design"
    return {
        "cold_seconds": cold["seconds"], "unchanged_seconds": unchanged["seconds"],
        "peak_mib": max(cold["peak_mib"], unchanged["peak_mib"]),
    }  # fmt: skip


def _fill(database: ClonedDatabase, org_id: UUID, number: int, pairs: int) -> tuple[UUID, UUID, int]:
    owner = database.owner
    account_id = _inserted(
        database,
        "insert into scan.cloud_accounts (org_id, provider, name, external_account, regions, auth_kind, role_arn) "
        "values (:org_id, 'aws', 'a', :external, '{us-east-1}', 'role', 'arn:aws:iam::123456789012:role/x') returning id",
        org_id=org_id, external=f"{number:012}",
    )  # fmt: skip
    source_id = _inserted(
        database,
        "insert into scan.state_sources (org_id, account_id, kind, name) values (:org_id, :account_id, 'upload', 's') returning id",
        org_id=org_id, account_id=account_id,
    )  # fmt: skip
    owner.run(_DECLARE, org_id=org_id, source_id=source_id, account_id=account_id, pairs=pairs)
    scan_id = _see(database, org_id, account_id, pairs)
    if number == 0:
        owner.run("vacuum (analyze) scan.state_resources, scan.live_resources")
    return account_id, scan_id, pairs


def _inserted(database: ClonedDatabase, sql: str, **values: object) -> UUID:
    found: UUID = (database.owner.run(sql, **values) or [])[0][0]
    return found


def _see(database: ClonedDatabase, org_id: UUID, account_id: UUID, pairs: int) -> UUID:
    scan_id = _inserted(
        database,
        "insert into scan.scans (org_id, account_id, status) values (:org_id, :account_id, 'comparing') returning id",
        org_id=org_id, account_id=account_id,
    )  # fmt: skip
    database.owner.run(_SEE, org_id=org_id, account_id=account_id, scan_id=scan_id, pairs=pairs)
    return scan_id


def _worker(database: ClonedDatabase, org_id: UUID, scans: list[UUID]) -> dict[str, Any]:
    job = {"url": database.url("scan_login"), "org_id": str(org_id), "scans": [str(item) for item in scans]}
    done = subprocess.run(
        [sys.executable, "-m", "tests.benchmarks.streamed_comparison"],
        input=json.dumps(job), capture_output=True, text=True, check=False, cwd=_ROOT, env=dict(os.environ),
    )  # fmt: skip
    if done.returncode != 0:
        raise RuntimeError(f"the comparison failed:\n{done.stderr[-3000:]}")
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def _work(job: dict[str, Any]) -> dict[str, Any]:
    """Compare scans as the worker does: part by part, each in a transaction of its own."""
    org_id = UUID(job["org_id"])
    settings = Settings(env="emulator", function="scan", database_url=job["url"], pool_size=1)
    db = Database(settings, MemoryQueue(), MemorySecretStore())
    actor, seal = Actor(kind="human", id="x", org_id=org_id, plan="team"), Sealer([(1, Secret(bytes(32)))], org_id)
    drift = 0
    with closing(db):
        began = time.perf_counter()
        for scan_id in map(UUID, job["scans"]):
            summary = None
            while summary is None:
                with db.unit(actor) as tx:
                    scan = queries.take_scan(tx, scan_id)
                    assert scan is not None
                    account = accounts.get_account(tx, scan["account_id"])
                    summary = comparing.step(
                        tx, scan, account, Scope.of(tx, scan, account, SPECS, seal), now=datetime.now(UTC)
                    )
            drift += summary["drift"]
        seconds = time.perf_counter() - began
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return {"seconds": seconds, "peak_mib": peak, "drift": drift}


if __name__ == "__main__":
    sys.stdout.write(json.dumps(_work(json.loads(sys.stdin.read()))) + "\n")
