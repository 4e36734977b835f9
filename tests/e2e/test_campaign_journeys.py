"""The journeys of the fault campaign: nothing is wrong after undisturbed turns, and what is then taken away, doubled or changed is named."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TypeAlias
from uuid import uuid4

import pytest

from tests.chaos.calls import Calls
from tests.chaos.journeys.directory import Directory
from tests.chaos.journeys.journey import Journey, Scene
from tests.chaos.journeys.keys import Keys
from tests.chaos.journeys.notifications import Notifications
from tests.chaos.journeys.people import People
from tests.chaos.journeys.plans import Plans
from tests.chaos.journeys.settings import Settings
from tests.chaos.journeys.webhooks import Webhooks
from tests.support.running_suite import RunningSuite
from tests.support.scanning import Estate

_TURNS = 4

Kind: TypeAlias = Callable[[Scene], Journey]

# Statements with `:org_id` and `:text`, a new word, apart by semicolons; then what the check must call it, and nothing else.
DAMAGE: dict[Kind, tuple[str, set[str]]] = {
    Keys: (
        """
        delete from core.api_keys where org_id = :org_id and id = (
          select id from core.api_keys where org_id = :org_id and revoked_at is not null limit 1
        );
        update core.api_keys set revoked_at = null where org_id = :org_id and revoked_at is not null;
        insert into core.api_keys (org_id, public_id, secret_hash, pepper_version, name, scopes)
        select org_id, substr(:text, 1, 12), secret_hash, pepper_version, name, scopes
        from core.api_keys where org_id = :org_id order by id limit 1
        """,
        {"keys: lost", "keys: came back", "keys: doubled", "keys: audit"},
    ),
    Webhooks: (
        """
        delete from webhook.deliveries_in where org_id = :org_id and id = (
          select id from webhook.deliveries_in where org_id = :org_id limit 1
        );
        insert into webhook.deliveries_in
          (org_id, config_id, provider, external_id, proved_by, body_sha256, body_bytes, status, received_at)
        select d.org_id, c.id, d.provider, d.external_id, d.proved_by, d.body_sha256, d.body_bytes, 'failed', d.received_at
        from webhook.deliveries_in d join webhook.configs c on c.org_id = d.org_id and c.id <> d.config_id
        where d.org_id = :org_id limit 1
        """,
        {"webhooks: lost", "webhooks: doubled", "webhooks: unhandled", "webhooks: told"},
    ),
    Notifications: (
        """
        delete from webhook.deliveries_in where org_id = :org_id and external_id = (
          select cast(id as text) from webhook.deliveries_out where org_id = :org_id and seq = 1
        );
        update webhook.deliveries_out set status = 'failed' where org_id = :org_id and seq = 2;
        update webhook.deliveries_out set seq = seq + 100 where org_id = :org_id and seq = 3
        """,
        {"notifications: late", "notifications: lost", "notifications: out", "notifications: order"},
    ),
    Plans: (
        """
        delete from analysis.analyses where org_id = :org_id and branch like '%-1';
        update analysis.analyses set answer = jsonb_set(answer, '{risk_level}', '"none"')
        where org_id = :org_id and branch like '%-2';
        insert into analysis.analyses (org_id, requested_by, branch, risk_level, summary, answer, created_at)
        select org_id, requested_by, branch, risk_level, summary, answer, created_at
        from analysis.analyses where org_id = :org_id and branch like '%-3'
        """,
        {"plans: lost", "plans: changed", "plans: doubled"},
    ),
    Directory: (
        """
        update scim.users set active = not active where org_id = :org_id and user_name like 'person-3@%';
        delete from scim.users where org_id = :org_id and user_name like 'person-4@%';
        delete from scim.group_members m using scim.users u
        where m.org_id = :org_id and u.org_id = :org_id and u.id = m.user_id and u.user_name like 'person-2@%';
        insert into scim.groups (org_id, display_name, document) values (:org_id, :text, '{}')
        """,
        {"directory: lost", "directory: changed", "directory: member", "directory: unasked"},
    ),
    People: (
        """
        update core.sessions set revoked_at = null
        where kind = 'browser' and user_id = (select id from core.users where email = 'viewer@acme.example')
        """,
        {"people: came back"},
    ),
    Settings: (
        """
        update core.orgs set name = :text where id = :org_id;
        delete from analysis.disabled_rules where org_id = :org_id;
        delete from scan.ignore_rules where org_id = :org_id and reason like '% 1';
        insert into scan.ignore_rules (org_id, type_pattern, most_severity, reason, created_by, created_at)
        select org_id, type_pattern, most_severity, reason, created_by, created_at
        from scan.ignore_rules where org_id = :org_id and reason like '% 3'
        """,
        {"settings: changed", "settings: lost", "settings: doubled"},
    ),
}


@pytest.fixture
def scene(emulator: RunningSuite) -> Iterator[Scene]:
    made = Scene(emulator, Calls(), settle_seconds=20.0)
    yield made
    for caller in made.callers:
        caller.client.close()


@pytest.mark.parametrize("kind", DAMAGE, ids=lambda kind: kind.name)
def test_a_check_finds_nothing_wrong_until_something_is(scene: Scene, kind: Kind) -> None:
    journey = kind(scene)
    journey.prepare()
    for _ in range(_TURNS):
        journey.turn()
    assert list(journey.check()) == []
    damage, expected = DAMAGE[kind]
    org = getattr(journey, "org", None)
    values = {"org_id": org and org.id, "text": uuid4().hex}
    for statement in damage.split(";"):
        scene.run(statement, **{name: value for name, value in values.items() if f":{name}" in statement})
    scene.settle_seconds = 0.0
    found = list(journey.check())
    assert {violation.check for violation in found} == expected, found
    assert scene.calls.foreign() == []
    assert all(call.is_typed for call in scene.calls.all())


def test_a_second_telling_of_a_delivery_is_named(scene: Scene) -> None:
    journey = Webhooks(scene)
    journey.prepare()
    journey.turn()
    assert list(journey.check()) == []
    ((delivery_id,),) = journey.org.arrange("select id from webhook.deliveries_in where org_id = :org_id")
    told = {"event": "webhook:delivery:handled", "delivery_id": str(delivery_id)}
    Estate(scene.suite, "none").publish("org-events", told, org_id=str(journey.org.id), event_id=uuid4().hex)
    assert [violation.check for violation in journey.check()] == ["webhooks: told"]
