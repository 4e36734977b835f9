"""A Slack channel by installing the app, over a real Postgres, against a Slack that answers as Slack documents."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit
from uuid import UUID

import pytest
from flask import Response

from functions.webhook.errors import SlackInstallFailed
from functions.webhook.outlets.slack import exchange
from functions.webhook.wiring import WebhookDeps
from shared.ports.secret_store import Secret
from shared.security.sessions import COOKIE, make_session_secret
from shared.testing.clock import FixedEntropy
from tests.support.http_app import PUBLIC_URL, SETTINGS, call
from tests.support.logs import fresh_loggers
from tests.support.notified_org import NotifiedOrg, reach
from tests.support.slack import BOT_TOKEN, CLIENT_ID, CLIENT_SECRET, HOOK_PATH, Slack, slack
from tests.support.tls_server import Authority, Behaviour, answer, redirect, say_forever
from tests.support.webhook_function import WebhookFunction, WebhookOrg

INSTALLS, CHANNELS = "/notification-channels/slack-installs", "/notification-channels"
CALLBACK = "/oauth/slack/callback"


@pytest.fixture
def workspace(authority: Authority) -> Iterator[Slack]:
    with slack(authority) as found:
        yield found


@dataclass
class Installing(NotifiedOrg):
    """An organisation whose admin installs the app."""

    workspace: Slack

    def begin(self, **wish: Any) -> str:
        """Begin; returns where the browser goes."""
        url: str = self.done("POST", INSTALLS, wish, 201)["authorize_url"]
        return url

    def browser(self, user_id: UUID | None = None, **session: Any) -> str:
        """Sign a person in, in a browser; returns its cookie."""
        secret = make_session_secret(self.function.world.entropy)
        user_id, now = user_id or self.admin, self.function.clock.now()
        self.function.database.make_session(user_id, now, secret=secret, **session)
        return f"{COOKIE}={secret}"

    def come_back(self, query: dict[str, str], cookie: str | None = None) -> Response:
        """Come back from Slack, in the admin's browser unless another is given."""
        headers = {"Cookie": self.browser() if cookie is None else cookie}
        return call(self.function.app, "GET", f"{CALLBACK}?{urlencode(query)}", headers=headers)

    def result(self, query: dict[str, str], cookie: str | None = None) -> str:
        """Come back from Slack; returns what the console is to say."""
        return result_of(self.come_back(query, cookie))

    def channels(self) -> list[dict[str, Any]]:
        """List channels."""
        found: list[dict[str, Any]] = self.done("GET", CHANNELS)["items"]
        return found


def result_of(response: Response) -> str:
    """Return what the console is to say; the browser goes nowhere else."""
    assert response.status_code == 303, response.get_data(as_text=True)
    parts = urlsplit(response.headers["Location"])
    assert (parts.scheme, parts.netloc, parts.path) == ("", "", "/")
    (result,) = parse_qs(parts.query)["slack_install"]
    return result


@pytest.fixture
def org(function: WebhookFunction, authority: Authority, workspace: Slack) -> Installing:
    function.settings = replace(SETTINGS, slack_client_id=CLIENT_ID, slack_endpoint=workspace.root)
    function.world.secrets.add_version("slack-client-secret", CLIENT_SECRET.encode())
    reach(function, authority, workspace.server)
    made = WebhookOrg.make(function)
    function.database.owner.run("update core.orgs set plan = 'team' where id = :id", id=made.id)
    return Installing(function, made.id, made.admin, workspace)


def test_an_install_ends_in_a_channel_that_is_told_and_shows_no_address(
    org: Installing, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    fresh_loggers(monkeypatch)
    assert org.result(org.workspace.approve(org.begin(name="Alerts"))) == "connected"
    (channel,) = org.channels()
    assert (channel["kind"], channel["name"], channel["target"]) == ("slack", "Alerts", "#alerts of Softball Team")
    org.tell("keys:api_key:leaked", name="ci", places=[])
    org.send()
    lines = capsys.readouterr()
    assert CALLBACK in lines.out, "the logs were not caught"
    (message,) = [seen for seen in org.workspace.server.requests if seen.line.startswith(f"POST {HOOK_PATH} ")]
    assert "was found in public" in message.content.decode()
    actions = [action for action, _ in org.audits()]
    assert actions == ["webhook:slack_install:begun", "webhook:channel:created"]
    rows = org.function.database.owner.run(
        "select to_jsonb(c)::text from webhook.notification_channels c where org_id = :org", org=org.id
    )
    told = (channel, rows, org.audits(), [dict(each.payload) for each in org.function.queue.messages("org-events")])
    everything = json.dumps([told, lines], default=str)
    (code,) = org.workspace.codes
    for secret in ("secret-part-of-the-hook", BOT_TOKEN, CLIENT_SECRET, code):
        assert secret not in everything
    # the secret goes by HTTP Basic and never in an address; the code in the body
    assert [seen.line for seen in org.workspace.exchanges] == ["POST /api/oauth.v2.access HTTP/1.1"]


def test_without_a_name_it_is_called_as_slack_calls_it(org: Installing) -> None:
    org.workspace.channel = "#prod\u202e<!channel>"
    org.workspace.more = {"team": None, "enterprise": {"id": "E1", "name": "Sports"}, "is_enterprise_install": True}
    assert org.result(org.workspace.approve(org.begin())) == "connected"
    (channel,) = org.channels()
    assert channel["name"] == "Slack #prod\\u202e<!channel>"
    assert channel["target"] == "#prod\\u202e<!channel> of Sports"


def test_a_state_works_once(org: Installing) -> None:
    query = org.workspace.approve(org.begin())
    assert org.result(query) == "connected"
    assert org.result(query) == "slack_install_refused"
    assert (
        org.result(org.workspace.approve(f"{org.workspace.root}/oauth/v2/authorize?{urlencode(asked(query))}"))
        == "slack_install_refused"
    )
    assert (len(org.channels()), len(org.workspace.exchanges)) == (1, 1)


def asked(query: dict[str, str]) -> dict[str, str]:
    """Return what an address that was used before asks Slack for."""
    uri = f"{PUBLIC_URL}{CALLBACK}"
    return {"client_id": CLIENT_ID, "scope": "incoming-webhook", "redirect_uri": uri, "state": query["state"]}


def test_a_state_is_stored_as_a_hash_and_ends_when_the_person_begins_again(org: Installing) -> None:
    first, second = (org.workspace.approve(org.begin()) for _ in range(2))
    rows = org.function.database.owner.run("select to_jsonb(i)::text from webhook.slack_installs i") or []
    assert len(rows) == 1
    assert second["state"] not in rows[0][0]
    assert org.result(first) == "slack_install_refused"
    assert org.result(second) == "connected"


def test_a_state_lives_ten_minutes(org: Installing) -> None:
    query = org.workspace.approve(org.begin())
    org.function.clock.advance(600)
    assert org.result(query) == "slack_install_refused"
    assert org.workspace.exchanges == []


def test_somebody_elses_browser_finishes_nothing_and_uses_nothing_up(org: Installing) -> None:
    """A victim's browser must neither bring the attacker's workspace in nor give the victim's away."""
    query = org.workspace.approve(org.begin())
    colleague = org.function.database.make_member(org.id, "owner")
    assert org.result(query, org.browser(colleague)) == "slack_install_refused"
    stranger = WebhookOrg.make(org.function)
    assert org.result(query, org.browser(stranger.admin)) == "slack_install_refused"
    assert org.come_back(query, "").status_code == 401, "without a session somebody gets in"
    assert org.come_back(query, f"{COOKIE}={make_session_secret(FixedEntropy('x'))}").status_code == 401
    assert org.workspace.exchanges == []
    assert org.result(query) == "connected"


def test_a_state_of_one_organisation_opens_no_other(org: Installing) -> None:
    other = WebhookOrg.make(org.function)
    org.function.database.owner.run(
        "insert into core.members (org_id, user_id, role) values (:org, :user, 'admin')", org=other.id, user=org.admin
    )
    org.function.database.owner.run("update core.orgs set plan = 'team' where id = :id", id=other.id)
    query = org.workspace.approve(org.begin())
    forged = base64.urlsafe_b64encode(other.id.bytes + base64.urlsafe_b64decode(query["state"])[16:]).decode()
    assert org.result({**query, "state": forged}) == "slack_install_refused"
    assert org.result({**query, "state": "x"}) == "slack_install_refused"
    assert org.workspace.exchanges == []
    assert org.done("GET", CHANNELS)["items"] == []


def test_who_is_no_admin_any_more_finishes_nothing(org: Installing) -> None:
    query = org.workspace.approve(org.begin())
    owner = org.function.database.owner
    owner.run("update core.members set role = 'member' where user_id = :id", id=org.admin)
    assert org.result(query) == "role_required"
    owner.run("delete from core.members where user_id = :id", id=org.admin)
    assert owner.run("select 1 from webhook.slack_installs") == []
    assert org.result(query) == "slack_install_refused"
    assert org.workspace.exchanges == []


@pytest.mark.parametrize(
    ("error", "result"), [("access_denied", "slack_install_denied"), ("<b>odd</b>", "slack_install_failed")]
)
def test_who_says_no_in_slack_gets_no_channel_and_begins_again(org: Installing, error: str, result: str) -> None:
    query = org.workspace.approve(org.begin(), error=error)
    assert org.result(query) == result
    assert org.result(query) == "slack_install_refused"
    assert (org.workspace.exchanges, org.channels()) == ([], [])


ODD: dict[str, tuple[Behaviour, str, str | None]] = {
    "5xx": (answer(status="503 Service Unavailable"), "slack_install_failed", "http_503"),
    "elsewhere": (redirect("https://evil.example/"), "slack_install_failed", "http_302"),
    "endless": (say_forever(b"HTTP/1.1 200 OK\r\n\r\n", b" " * 65536), "egress_too_large", None),
}  # fmt: skip


@pytest.mark.parametrize("odd", ODD)
def test_whatever_slack_answers_there_is_a_result_and_no_channel(
    org: Installing, odd: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    fresh_loggers(monkeypatch)
    org.workspace.behave, result, word = ODD[odd]
    assert org.result(org.workspace.approve(org.begin())) == result
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert org.channels() == []
    (ended,) = [line for line in lines if line.get("message") == "slack install ended"]
    assert (ended["code"], ended.get("slack_error")) == (result, word)


def test_a_slack_that_is_away_ends_as_a_result(org: Installing) -> None:
    query = org.workspace.approve(org.begin())
    org.function.resolver.others["slack.com"] = ()  # type: ignore[attr-defined]
    assert org.result(query) == "egress_refused"


def test_the_fake_slack_holds_us_to_what_slack_documents(org: Installing) -> None:
    deps: WebhookDeps = org.function.deps
    query = org.workspace.approve(org.begin())

    def word(
        code: str, uri: str = f"{PUBLIC_URL}{CALLBACK}", client: str = CLIENT_ID, secret: str = CLIENT_SECRET
    ) -> Any:
        try:
            exchange(
                deps.egress,
                code,
                client_id=client,
                client_secret=Secret(secret.encode()),
                redirect_uri=uri,
                root=org.workspace.root,
            )
        except SlackInstallFailed as error:
            return error.facts["slack_error"]
        return None

    assert word(query["code"], client="1.2") == "invalid_client_id"
    assert word(query["code"], secret="wrong") == "bad_client_secret"
    assert word("no-such-code") == "invalid_code"
    assert word(query["code"], uri=f"{PUBLIC_URL}/elsewhere") == "bad_redirect_uri"
    assert word(query["code"]) is None
    assert word(query["code"]) == "code_already_used"


def test_without_a_slack_app_it_is_off(org: Installing) -> None:
    query = org.workspace.approve(org.begin())
    org.function.settings = SETTINGS
    bare = WebhookFunction(org.function.database)
    without = WebhookOrg(bare, org.id, org.admin)
    without.refused("POST", INSTALLS, {}, 409, "slack_not_set_up")
    response = call(bare.app, "GET", f"{CALLBACK}?{urlencode(query)}", headers={"Cookie": org.browser()})
    assert result_of(response) == "slack_not_set_up"


def test_it_is_for_the_team_plan_and_for_people(org: Installing) -> None:
    query = org.workspace.approve(org.begin())
    org.function.database.owner.run("update core.orgs set plan = 'free' where id = :id", id=org.id)
    assert org.refused("POST", INSTALLS, {}, 402, "feature_required")["required_plan"] == "team"
    assert org.result(query) == "feature_required"
    assert org.call("POST", INSTALLS, {}, role="member").status_code == 403


def test_there_are_fifty_channels_at_most(org: Installing, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("functions.webhook.handlers.channels._MOST_CHANNELS", 0)
    assert org.result(org.workspace.approve(org.begin())) == "channel_limit_reached"


def test_an_app_that_was_uninstalled_ends_its_channel_at_once_with_a_notice(org: Installing) -> None:
    org.result(org.workspace.approve(org.begin()))
    org.workspace.hook = answer(b"no_service\n", "404 Not Found")
    org.tell("keys:api_key:leaked", name="ci", places=[])
    org.send()
    (channel,) = org.channels()
    assert channel["disabled_because"] == "gone"
    assert "webhook:channel:disabled" in [action for action, _ in org.audits()]
    told = [dict(each.payload) for each in org.function.queue.messages("org-events")]
    facts = {"kind": "slack", "because": "gone", "given_up": 1}
    assert {"event": "webhook:channel:disabled", "channel_id": channel["id"], **facts} in told


def test_what_may_pass_is_tried_again(org: Installing) -> None:
    org.result(org.workspace.approve(org.begin()))
    org.workspace.hook = answer(b"action_prohibited", "403 Forbidden")
    org.tell("keys:api_key:leaked", name="ci", places=[])
    org.send()
    (channel,) = org.channels()
    assert (channel["disabled_at"], channel["failing_since"] is not None) == (None, True)
