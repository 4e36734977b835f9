"""A Slack channel by installing our app: to Slack and back, ending in a notification channel."""

from __future__ import annotations

from uuid import UUID

from pydantic import SecretStr

from shared.http.access import authorise
from shared.http.call import Call
from shared.http.errors import AppError
from shared.http.permissions import may
from shared.http.reply import Reply
from shared.security.actor import Actor
from shared.security.authentication import Client
from shared.security.egress import EgressFailed, EgressRefused, EgressTimeout, EgressTooLarge
from shared.security.errors import NotFound, RoleRequired, SsoRequired
from shared.security.plans import FeatureRequired, require_feature
from shared.telemetry.log import logger

from ..channel_models import BeginSlackInstall, CreateChannel, SlackCallbackQuery, SlackInstallView
from ..domain import slack_installs as domain
from ..errors import (
    ChannelLimitReached,
    SlackInstallDenied,
    SlackInstallFailed,
    SlackInstallRefused,
    SlackNotSetUp,
)
from ..outlets.slack import CLIENT_SECRET, exchange
from ..queries import slack_installs as queries
from ..wiring import WebhookDeps, channel_target_place
from .channels import store_channel

_CALLBACK = "/oauth/slack/callback"
_CONNECTED = "connected"
# What a person can do something about is told by the console; everything else is a problem as on any route.
_SHOWN: tuple[type[AppError], ...] = (
    SlackInstallRefused, SlackInstallDenied, SlackInstallFailed, SlackNotSetUp, ChannelLimitReached, FeatureRequired, RoleRequired,
    SsoRequired, EgressRefused, EgressFailed, EgressTimeout, EgressTooLarge,
)  # fmt: skip
_log = logger("webhook")


def begin_install(call: Call, deps: WebhookDeps) -> Reply:
    """Say where the person chooses workspace and channel; what was begun before and not ended is void."""
    wish = call.body(BeginSlackInstall)
    client_id = _client_id(deps)
    require_feature("slack", call.actor.plan)
    state, now = domain.make_state(call.org_id, deps.entropy), deps.clock.now()
    expires_at = now + domain.LIFETIME
    with deps.db.unit(call.actor) as tx:
        hashed = domain.hash_state(state)
        queries.put_install(tx, UUID(call.actor.id), state_hash=hashed, name=wish.name, now=now, expires_at=expires_at)
        tx.audit("webhook:slack_install:begun", "person", call.actor.id)
    url = domain.authorize_url(client_id, _redirect_uri(deps), state, _root(deps))
    return Reply.created(SlackInstallView(authorize_url=url, expires_at=expires_at))


def finish_install(call: Call, deps: WebhookDeps) -> Reply:
    """Take the browser back from Slack and make the channel; ends on the console, which says how it went."""
    answer = call.query(SlackCallbackQuery)
    try:
        _finish(call, deps, answer)
    except _SHOWN as error:
        _log.info("slack install ended", code=error.code, slack_error=error.facts.get("slack_error"))
        return Reply.see_other(f"/?slack_install={error.code}")
    return Reply.see_other(f"/?slack_install={_CONNECTED}")


def _finish(call: Call, deps: WebhookDeps, answer: SlackCallbackQuery) -> None:
    """Check who comes back, then exchange the code; the state is used up before Slack is asked."""
    client_id, org_id = _client_id(deps), domain.org_of_state(answer.state)
    actor = _admin_of(call, deps, org_id)
    require_feature("slack", actor.plan)
    with deps.db.unit(actor) as tx:
        found = queries.take_install(tx, UUID(actor.id), state_hash=domain.hash_state(answer.state))
    begun = domain.check_install(found, now=deps.clock.now())
    code = domain.check_consent(answer.error, answer.code)
    grant = exchange(
        deps.egress,
        code,
        client_id=client_id,
        client_secret=deps.secrets.read(CLIENT_SECRET),
        redirect_uri=_redirect_uri(deps),
        root=_root(deps),
    )
    url = grant.url.reveal().decode()
    deps.egress.check(url)
    channel_id = deps.entropy.uuid()
    sealed = deps.envelope.seal(grant.url, channel_target_place(org_id, channel_id))
    wish = CreateChannel(kind="slack", name=domain.name_of(begun["name"], grant), url=SecretStr(url))
    with deps.db.unit(actor) as tx:
        columns = {"id": channel_id, "target_encrypted": sealed, "target_hint": grant.hint, "now": deps.clock.now()}
        store_channel(tx, wish, current_secret_encrypted=None, **columns)


def _admin_of(call: Call, deps: WebhookDeps, org_id: UUID) -> Actor:
    """Return the person in the organisation of the state: the path names none, so the router could not check that.

    Raises:
        SlackInstallRefused: (409 `slack_install_refused`) not a member: whether there is such an organisation is not told.
        RoleRequired, SsoRequired: (403) no longer an admin, or not signed in as the organisation wants.
    """
    try:
        actor = deps.authenticator.authenticate(call.headers, org_id, Client("GET", None, call.cookies))
        authorise(may("slack_installs:begin"), actor, deps.clock.now())
    except NotFound:
        raise SlackInstallRefused from None
    return actor


def _client_id(deps: WebhookDeps) -> str:
    if not deps.settings.slack_client_id:
        raise SlackNotSetUp
    return deps.settings.slack_client_id


def _redirect_uri(deps: WebhookDeps) -> str:
    return f"{deps.settings.public_url}{_CALLBACK}"


def _root(deps: WebhookDeps) -> str:
    return deps.settings.slack_endpoint or domain.SLACK
