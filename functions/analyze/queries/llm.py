"""All SQL on language models: an organisation's own, and what was asked."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from shared.data.rows import Row
from shared.data.sealed_columns import SealedQueries
from shared.data.unit_of_work import UnitOfWork

MOST_USAGE = 1000
_COLUMNS = "id, provider, model, endpoint, region, credentials_encrypted, updated_at"

_FIND = f"select {_COLUMNS} from analysis.llm_configs where org_id = :org_id"
_PUT = f"""
insert into analysis.llm_configs as c (id, provider, model, endpoint, region, credentials_encrypted, updated_at)
values (:id, :provider, :model, :endpoint, :region, :credentials_encrypted, :now)
on conflict (org_id) do update
set id = excluded.id, provider = excluded.provider, model = excluded.model, endpoint = excluded.endpoint, region = excluded.region,
  credentials_encrypted = excluded.credentials_encrypted, updated_at = excluded.updated_at
where c.org_id = :org_id
returning {_COLUMNS}
"""
_DELETE = "delete from analysis.llm_configs where org_id = :org_id returning id, provider, model"
_COUNT = """
insert into analysis.llm_usage as u (day, source, provider, model, calls, failures, input_tokens, output_tokens)
values (:day, :source, :provider, :model, 1, :failures, :input_tokens, :output_tokens)
on conflict (org_id, day, source, provider, model) do update
set calls = u.calls + 1, failures = u.failures + excluded.failures, input_tokens = u.input_tokens + excluded.input_tokens,
  output_tokens = u.output_tokens + excluded.output_tokens
where u.org_id = :org_id
"""
_LIST_USAGE = """
select day, source, provider, model, calls, failures, input_tokens, output_tokens
from analysis.llm_usage
where org_id = :org_id and day > :after_day
order by day desc, source, provider, model
limit :most
"""
SEALED_CREDENTIALS = SealedQueries(
    orgs_sql="""
select org_id
from analysis.list_orgs_with_sealed_model_credentials(
  cast(:below_version as bigint), cast(:after_id as uuid), cast(:most as integer)
)
""",
    rows_sql="""
select id, credentials_encrypted as sealed
from analysis.llm_configs
where org_id = :org_id and credentials_key_version < :below_version and (cast(:after_id as uuid) is null or id > :after_id)
order by id
limit :most
""",
    swap_sql="""
update analysis.llm_configs as c
set credentials_encrypted = s.new
from jsonb_to_recordset(cast(:swaps as jsonb)) as s (id uuid, old bytea, new bytea)
where c.org_id = :org_id and c.id = s.id and c.credentials_encrypted = s.old
returning c.id
""",
)


def find_llm_config(tx: UnitOfWork) -> Row | None:
    """Read the organisation's own model; None when it has none."""
    return tx.row(_FIND)


def put_llm_config(tx: UnitOfWork, **values: object) -> Row:
    """Store the organisation's own model in the place of the one before; returns the row."""
    return tx.rows(_PUT, **values)[0]


def delete_llm_config(tx: UnitOfWork) -> Row:
    """Forget the organisation's own model.

    Raises:
        NotFound: (404 `not_found`) it has none.
    """
    return tx.one(_DELETE)


def count_llm_call(tx: UnitOfWork, **values: object) -> None:
    """Add one call to its day's line."""
    tx.execute(_COUNT, **values)


def list_llm_usage(tx: UnitOfWork, *, after_day: date) -> Sequence[Row]:
    """List what was asked after a day, newest first, a thousand lines at most."""
    return tx.rows(_LIST_USAGE, after_day=after_day, most=MOST_USAGE)
