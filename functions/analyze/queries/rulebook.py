"""Reading an organisation's whole rulebook in one round trip."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from shared.data.unit_of_work import UnitOfWork

from ..domain.custom_rules import MOST_RULES, CustomRule, compile_rule
from ..domain.plan_noise import MOST_SUPPRESSIONS, NoiseKey, Settings, Suppression
from ..domain.policy import Policy, PolicyRule
from ..domain.rulebook import Rulebook

MOST_RECURRING = 5_000
_DEFAULT = Settings()

_LOAD = """
with settings as (
  select
    coalesce(max(cast(s.is_enabled as integer)), cast(:is_enabled as integer)) = 1 as is_enabled,
    coalesce(max(s.times), cast(:times as smallint)) as times,
    coalesce(max(s.days), cast(:days as smallint)) as days,
    coalesce(max(cast(s.hides_recurring as integer)), cast(:hides_recurring as integer)) = 1 as hides_recurring
  from analysis.noise_settings s
  where s.org_id = :org_id
)
select
  (
    select jsonb_build_object('version', p.version, 'rules', p.rules)
    from analysis.policies p
    where p.org_id = :org_id
    order by p.version desc
    limit 1
  ) as policy,
  (
    select jsonb_agg(d.rule_id)
    from analysis.disabled_rules d
    where d.org_id = :org_id
  ) as disabled,
  (
    select jsonb_agg(to_jsonb(c))
    from (
      select r.name, r.title, r.expression, r.severity, r.reason, r.remedy, r.resource_pattern
      from analysis.custom_rules r
      where r.org_id = :org_id and r.is_enabled
      order by r.name
      limit :most_custom
    ) as c
  ) as custom,
  (select to_jsonb(settings) from settings) as noise,
  (
    select jsonb_agg(to_jsonb(u))
    from (
      select x.id, x.attribute_pattern, x.type_pattern, x.address_pattern, x.reason, x.expires_at
      from analysis.noise_suppressions x
      where x.org_id = :org_id and (x.expires_at is null or x.expires_at > cast(:now as timestamptz))
      order by x.id
      limit :most_suppressions
    ) as u
  ) as suppressions,
  (
    select jsonb_agg(to_jsonb(k))
    from (
      select n.type, n.address, n.attribute, n.reason
      from settings
      join analysis.noise_seen n on n.org_id = :org_id
        and n.last_seen_at >= cast(:now as timestamptz) - make_interval(days => settings.days)
        and n.recent_at[settings.times] >= cast(:now as timestamptz) - make_interval(days => settings.days)
      where settings.is_enabled
      order by n.last_seen_at desc
      limit :most_recurring
    ) as k
  ) as recurring
"""


def load_rulebook(tx: UnitOfWork, now: datetime) -> Rulebook:
    """Read how an organisation wants plans judged.

    Args:
        tx: of the organisation.
        now: time of the decision; what has expired by then is not in the rulebook.
    """
    found = tx.rows(
        _LOAD,
        now=now,
        is_enabled=int(_DEFAULT.is_enabled),
        times=_DEFAULT.times,
        days=_DEFAULT.days,
        hides_recurring=int(_DEFAULT.hides_recurring),
        most_custom=MOST_RULES,
        most_suppressions=MOST_SUPPRESSIONS,
        most_recurring=MOST_RECURRING,
    )[0]
    policy: dict[str, Any] = found["policy"] or {"version": 0, "rules": []}
    return Rulebook(
        policy=Policy(policy["version"], tuple(map(PolicyRule.of, policy["rules"]))),
        disabled=frozenset(found["disabled"] or ()),
        custom=tuple(compile_rule(CustomRule.of(item)) for item in found["custom"] or ()),
        noise=Settings(**found["noise"]),
        recurring=frozenset(NoiseKey(**item) for item in found["recurring"] or ()),
        suppressions=tuple(_suppression(item) for item in found["suppressions"] or ()),
    )


def _suppression(item: dict[str, Any]) -> Suppression:
    ends_at = item["expires_at"]
    return Suppression(
        id=UUID(item["id"]),
        attribute_pattern=item["attribute_pattern"],
        type_pattern=item["type_pattern"],
        address_pattern=item["address_pattern"],
        reason=item["reason"],
        expires_at=None if ends_at is None else datetime.fromisoformat(ends_at),
    )
