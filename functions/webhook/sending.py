"""Sending one message to one channel, once: opens what is sealed, writes the message, hands it to the way out of its kind."""

from __future__ import annotations

from uuid import UUID

from shared.data.rows import Row
from shared.ports.errors import CiphertextRefused
from shared.ports.secret_store import Secret

from .domain import channels as domain
from .domain.channels import Outcome
from .domain.formats import WRITERS, Message, compose, fitted, measured
from .outlets import calling
from .outlets.mailing import MailFailed
from .wiring import WebhookDeps, channel_secret_place, channel_target_place


def send(deps: WebhookDeps, org_id: UUID, channel: Row, message: Message) -> Outcome:
    """Send a message to a channel once, with the time of now.

    Args:
        deps: the clients.
        org_id: whose channel it is.
        channel: the row.
        message: what to say.

    Raises:
        ServiceAway: (503 `service_away`) KMS or Secret Manager did not answer; nothing was sent.
    """
    try:
        target = deps.opened.open(bytes(channel["target_encrypted"]), channel_target_place(org_id, channel["id"]))
        secrets = _secrets(deps, org_id, channel)
    except CiphertextRefused:
        return Outcome("target_unreadable")
    if channel["kind"] == "email":
        return mail(deps, domain.read_recipients(target.reveal()), message)
    write = WRITERS[channel["kind"]]
    content = write(fitted(message, write))
    return calling.call(deps.egress, deps.clock, target, message.id, content, secrets)


def mail(deps: WebhookDeps, recipients: list[str], message: Message) -> Outcome:
    """Send a message by e-mail once.

    Raises:
        ServiceAway: (503 `service_away`) Secret Manager did not answer; nothing was sent.
    """
    mailer = deps.mailer
    if mailer is None:
        return Outcome("mail_not_set_up")
    part = fitted(message, measured)
    try:
        email = compose(part, sender=mailer.sender, recipients=recipients, sent_at=deps.clock.now())
        mailer.send(email, recipients)
    except MailFailed as error:
        return Outcome(error.code, error.status)
    except ValueError:
        return Outcome("mail_unwritable")
    return Outcome(None)


def _secrets(deps: WebhookDeps, org_id: UUID, channel: Row) -> list[Secret]:
    """Return the secrets that messages to a channel are signed with; none for kinds that sign nothing."""
    if channel["kind"] != "webhook":
        return []
    place = channel_secret_place(org_id, channel["id"])
    return [deps.opened.open(each, place) for each in domain.live_secrets(channel, now=deps.clock.now())]
