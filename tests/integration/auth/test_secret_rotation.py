"""Notices of Secret Manager, as https://cloud.google.com/secret-manager/docs/event-notifications has them, and what comes of them."""

from __future__ import annotations

import base64
import json
from datetime import timedelta

import pytest
from flask import Response

from functions.auth.handlers.secret_rotation import ROTATED_BYTES
from tests.support.auth_orgs import EVENTS_AUDIENCE, EVENTS_SENDER, AuthFunction, send
from tests.support.http_app import problem
from tests.support.logs import fresh_loggers

PATH = "/_events/secret-rotations"


def notice(auth: AuthFunction, full_name: str, kind: str = "SECRET_ROTATE") -> Response:
    attributes = {
        "eventType": kind,
        "secretId": full_name,
        "dataFormat": "JSON_API_V1",
        "timestamp": "2026-01-20T11:15:14.260831-08:00",
    }
    data = base64.b64encode(json.dumps({"name": full_name, "replication": {"automatic": {}}}).encode()).decode()
    message = {"data": data, "messageId": "1", "attributes": attributes}
    claims = {"sub": "1", "email": EVENTS_SENDER, "email_verified": True}
    token = auth.events_issuer.issue(claims, audience=EVENTS_AUDIENCE, kind="JWT", lifetime=timedelta(hours=1))
    body = {"message": message, "subscription": "projects/p/subscriptions/secret-rotations"}
    return send(auth.worker, "POST", PATH, token, body)


def named(name: str) -> str:
    return f"projects/123456789/secrets/{name}"


@pytest.mark.parametrize("name", sorted(ROTATED_BYTES))
def test_a_random_secret_gets_a_new_version_and_the_one_before_stays(lone_auth: AuthFunction, name: str) -> None:
    before = lone_auth.secrets.add_version(name, b"made when the platform was")
    assert notice(lone_auth, named(name)).status_code == 204
    assert lone_auth.secrets.latest_version(name) == before + 1
    made = lone_auth.secrets.read(name).reveal()
    assert len(made) == ROTATED_BYTES[name]
    assert lone_auth.secrets.read(name, str(before)).reveal() == b"made when the platform was"
    [entry] = [each for each in lone_auth.audits(None) if each["action"] == "auth:secret:rotated"]
    assert (entry["target_id"], entry["facts"]) == (name, {"version": before + 1})


def test_a_notice_that_comes_again_adds_nothing_until_another_day(lone_auth: AuthFunction) -> None:
    name = "value-digest-key"
    for expected in (1, 1):
        assert notice(lone_auth, named(name)).status_code == 204
        assert lone_auth.secrets.latest_version(name) == expected
    lone_auth.clock.advance(24 * 3600)
    assert notice(lone_auth, named(name)).status_code == 204
    assert lone_auth.secrets.latest_version(name) == 2


@pytest.mark.parametrize("kind", ["SECRET_VERSION_ADD", "SECRET_UPDATE", "TOPIC_CONFIGURED", ""])
def test_other_notices_change_nothing(lone_auth: AuthFunction, kind: str) -> None:
    before = lone_auth.secrets.latest_version("api-key-pepper")
    assert notice(lone_auth, named("api-key-pepper"), kind).status_code == 204
    assert lone_auth.secrets.latest_version("api-key-pepper") == before


def test_for_a_secret_that_others_know_people_are_asked(
    lone_auth: AuthFunction, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    fresh_loggers(monkeypatch)
    before = lone_auth.secrets.add_version("oidc-client-secret", b"the provider's")
    assert notice(lone_auth, named("oidc-client-secret")).status_code == 204
    assert lone_auth.secrets.latest_version("oidc-client-secret") == before
    [line] = [line for line in capsys.readouterr().out.splitlines() if "secret due for rotation" in line]
    assert json.loads(line)["due"] == "oidc-client-secret"
    assert lone_auth.audits(None) == []


def test_a_notice_without_a_secret_is_refused_for_good(
    lone_auth: AuthFunction, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    fresh_loggers(monkeypatch)
    assert notice(lone_auth, "projects/123456789").status_code < 300, "or the queue would send it again and again"
    assert "event refused for good" in capsys.readouterr().out


def test_while_the_store_is_away_the_queue_tries_again_and_nothing_is_said_to_be_done(lone_auth: AuthFunction) -> None:
    lone_auth.secrets.is_away = True
    problem(notice(lone_auth, named("api-key-pepper")), 503, "service_away")
    assert lone_auth.audits(None) == []
    lone_auth.secrets.is_away = False
    assert notice(lone_auth, named("api-key-pepper")).status_code == 204
    assert len(lone_auth.audits(None)) == 1
