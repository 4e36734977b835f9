"""Sealed columns of the auth and the webhook function, with the clients that their processes build, over the emulated KMS:
the key is rotated, the rows are wrapped anew, the old version is destroyed, and everything opens."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from functions.auth import wiring as auth
from functions.auth.queries import sso
from functions.auth.saml_party import key_place, make_key, open_key
from functions.webhook import wiring as webhook
from functions.webhook.queries import configs
from shared.ports.errors import VersionUnusable
from shared.ports.secret_store import Secret
from shared.security.actor import Actor
from tests.support.database import ClonedDatabase, actor_in
from tests.support.google_emulator import Emulator
from tests.support.kms_keys import PROJECT, REGION, destroy, make_keys, rotate

EVENT = Actor("event", "scheduler")


@pytest.fixture
def google(tmp_path: Path) -> Iterator[Emulator]:
    running = Emulator(tmp_path)
    make_keys(running.kms(), auth.SEALING_KEY, webhook.SECRETS_KEY)
    yield running
    assert running.stop() == 0


def settings(database: ClonedDatabase, function: str, google: Emulator) -> Any:
    endpoints = dict.fromkeys(("kms_endpoint", "secrets_endpoint", "pubsub_endpoint"), google.endpoint)
    return database.settings(function, project=PROJECT, region=REGION, **endpoints)


def test_the_secrets_of_a_webhook_outlive_the_version_that_wrapped_them(
    database: ClonedDatabase, google: Emulator
) -> None:
    deps, org_id = webhook.load_deps(settings(database, "webhook", google)), database.make_org()
    config_id, now = deps.entropy.uuid(), deps.clock.now()
    place = webhook.secret_place(org_id, config_id)
    first, second = (deps.envelope.seal(Secret(secret), place) for secret in (b"the first", b"the second"))
    with deps.db.unit(actor_in(org_id)) as tx:
        configs.insert_config(tx, id=config_id, provider="github", name="ours", current_secret_encrypted=first)
        configs.rotate_secret(
            tx, config_id, current_secret_encrypted=second, previous_secret_encrypted=first,
            previous_expires_at=now + timedelta(days=1), rotated_at=now,
        )  # fmt: skip
    rotate(google.kms(), webhook.SECRETS_KEY, 2)
    assert deps.resealer.tend(EVENT, seconds=600).changed == 2
    destroy(google.kms(), webhook.SECRETS_KEY, 1)
    with pytest.raises(VersionUnusable):
        deps.opened.open(first, place)
    row = configs.find_config(deps.db, config_id)
    assert row is not None
    opened = [
        deps.opened.open(bytes(row[f"{slot}_secret_encrypted"]), place).reveal() for slot in ("current", "previous")
    ]
    assert opened == [b"the second", b"the first"]
    deps.close()


def test_our_key_for_saml_outlives_the_version_that_wrapped_it(database: ClonedDatabase, google: Emulator) -> None:
    deps, org_id = auth.load_deps(settings(database, "auth", google)), database.make_org()
    connection_id, now = deps.entropy.uuid(), deps.clock.now()
    key, certificate = make_key(deps.entropy, "DriftWise", now)
    sealed = deps.envelope.seal(key, key_place(org_id, connection_id))
    with deps.db.unit(actor_in(org_id)) as tx:
        before = sso.insert_connection(
            tx, id=connection_id, is_enabled=True, is_enforced=False, allows_unsolicited=False, allows_cbc=False,
            idp_entity_id="https://idp.example", metadata_url=None, metadata_xml="<md/>", email_attribute="",
            default_role="viewer", sp_certificate=certificate, sp_key_encrypted=sealed, now=now,
        )  # fmt: skip
    wanted = open_key(deps, org_id, before).private_numbers()
    rotate(google.kms(), auth.SEALING_KEY, 2)
    assert deps.resealer.tend(EVENT, seconds=600).changed == 1
    destroy(google.kms(), auth.SEALING_KEY, 1)
    with pytest.raises(VersionUnusable):
        open_key(deps, org_id, before)
    with deps.db.unit(actor_in(org_id)) as tx:
        after = sso.get_connection(tx)
    assert after is not None
    assert open_key(deps, org_id, after).private_numbers() == wanted
    deps.close()
