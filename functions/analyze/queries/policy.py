"""SQL of policies: every version is kept, the highest one holds."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from shared.data.rows import Row
from shared.data.unit_of_work import UnitOfWork

_COLUMNS = "version, rules, changed_by, created_at"
_GET = f"""
select {_COLUMNS}
from analysis.policies
where org_id = :org_id and (cast(:version as integer) is null or version = cast(:version as integer))
order by version desc
limit 1
"""
_INSERT = f"""
insert into analysis.policies (version, rules, changed_by, created_at)
values (:version, cast(:rules as jsonb), :changed_by, :created_at)
returning {_COLUMNS}
"""


def get_policy(tx: UnitOfWork, version: int | None = None) -> Row | None:
    """Read a version of the policy, the one that holds when none is named; None when there is none."""
    return tx.row(_GET, version=version)


def insert_policy(
    tx: UnitOfWork, *, version: int, rules: Sequence[dict[str, Any]], changed_by: str, created_at: datetime
) -> Row:
    """Insert a version; returns its row."""
    return tx.rows(_INSERT, version=version, rules=json.dumps(rules), changed_by=changed_by, created_at=created_at)[0]
