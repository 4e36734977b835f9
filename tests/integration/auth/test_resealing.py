"""The key `identity` is rotated, over a real Postgres: our SAML keys open as before, and the old version is needed no more."""

from __future__ import annotations

from uuid import UUID

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from functions.auth.queries import sso
from functions.auth.saml_party import open_key
from functions.auth.wiring import SEALING_KEY, SP_KEY
from shared.ports.errors import VersionUnusable
from shared.security.envelope import key_version
from tests.support.auth_orgs import AuthFunction
from tests.support.database import actor_in
from tests.support.saml_idp import SamlIdp

TICK = "/_events/auth-sealed-columns"
OAEP = padding.OAEP(padding.MGF1(hashes.SHA256()), hashes.SHA256(), None)


def connect(auth: AuthFunction) -> UUID:
    """Set up SAML for a new organisation, as its owner does; returns the organisation."""
    org = auth.org(plan="enterprise")
    body = {"enabled": True, "metadata_xml": SamlIdp().metadata().decode()}
    org.person("owner").done("PUT", org.path("/sso-config"), body)
    return org.id


def opens(auth: AuthFunction, org_id: UUID) -> bool:
    """Whether our key opens what somebody encrypts to the certificate that we show."""
    with auth.db.unit(actor_in(org_id)) as tx:
        row = sso.get_connection(tx)
    assert row is not None
    public = x509.load_pem_x509_certificate(row["sp_certificate"].encode()).public_key()
    assert isinstance(public, rsa.RSAPublicKey)
    return open_key(auth.deps, org_id, row).decrypt(public.encrypt(b"an assertion's key", OAEP), OAEP) == (
        b"an assertion's key"
    )


def stored(auth: AuthFunction) -> list[bytes]:
    rows = auth.database.owner.run("select sp_key_encrypted, sp_key_version from core.sso_connections order by id")
    assert [row[1] for row in rows] == [key_version(bytes(row[0])) for row in rows]
    return [bytes(row[0]) for row in rows]


def test_our_keys_open_after_the_old_version_is_gone(lone_auth: AuthFunction) -> None:
    orgs = [connect(lone_auth) for _ in range(3)]
    assert lone_auth.tick(TICK)["opened"] == 0, "there is something to do before the key is rotated"
    before = stored(lone_auth)
    lone_auth.vault.add_wrapping_key(SEALING_KEY)
    done = lone_auth.tick(TICK)
    assert (done["opened"], done["finished"], done["changed"], done["unreadable"]) == (1, 1, 3, 0)
    after = stored(lone_auth)
    assert [key_version(sealed) for sealed in after] == [2, 2, 2]
    assert [sealed[-40:] for sealed in after] == [sealed[-40:] for sealed in before], "a body was encrypted again"
    lone_auth.vault.disable_version(SEALING_KEY, "1")
    assert all(opens(lone_auth, org_id) for org_id in orgs)
    with pytest.raises(VersionUnusable):  # it would not do without
        lone_auth.deps.envelope.open(before[0], SP_KEY.place(orgs[0], orgs[0]))


def test_our_keys_are_encrypted_anew_when_an_operator_asks(lone_auth: AuthFunction) -> None:
    org_id = connect(lone_auth)
    (before,) = stored(lone_auth)
    lone_auth.database.owner.run(
        "insert into core.reseal_runs (sealed_column, kind) values (:name, 'reencrypt')", name=SP_KEY.name
    )
    assert lone_auth.tick(TICK)["changed"] == 1
    (after,) = stored(lone_auth)
    assert after[-40:] != before[-40:]
    assert opens(lone_auth, org_id)
