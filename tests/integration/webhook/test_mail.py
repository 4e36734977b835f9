"""Notifications by e-mail, over a real Postgres and a mail server on loopback: under TLS or not at all."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from email import message_from_bytes, policy

import pytest

from tests.support.http_app import SETTINGS
from tests.support.notified_org import NotifiedOrg, reach
from tests.support.smtp_server import MailServer
from tests.support.tls_server import Authority, Server, answer
from tests.support.webhook_function import WebhookFunction, WebhookOrg

CHANNELS = "/notification-channels"
RECIPIENTS = ["ann@a.example", "bob@b.example"]


@pytest.fixture
def mail(authority: Authority) -> Iterator[MailServer]:
    with MailServer(authority.context("127.0.0.1")) as found:
        yield found


@pytest.fixture
def mailed(function: WebhookFunction, authority: Authority, server: Server, mail: MailServer) -> NotifiedOrg:
    return with_mail(function, authority, server, mail)


def with_mail(
    function: WebhookFunction, authority: Authority, server: Server, mail: MailServer, *, ca: str | None = None
) -> NotifiedOrg:
    function.settings = replace(
        SETTINGS, smtp_host="127.0.0.1", smtp_port=mail.port, smtp_user="driftwise", smtp_from="DriftWise <no-reply@ops.example>",
        smtp_ca=authority.pem if ca is None else ca,
    )  # fmt: skip
    function.world.secrets.add_version("smtp-password", b"the password")
    reach(function, authority, server)
    made = WebhookOrg.make(function)
    return NotifiedOrg(function, made.id, made.admin)


def make_channel(org: NotifiedOrg) -> str:
    return str(org.make_channel(kind="email", recipients=RECIPIENTS)["id"])


def test_an_e_mail_comes_under_tls_to_everybody(mailed: NotifiedOrg, mail: MailServer) -> None:
    make_channel(mailed)
    mailed.tell("auth:member:joined", name="Eve\r\nBcc: victim@x.example <script>")
    mailed.send()
    (found,) = mail.received
    assert (found.is_secure, found.login, found.sender) == (True, "driftwise:the password", "no-reply@ops.example")
    assert found.recipients == tuple(RECIPIENTS)
    read = message_from_bytes(found.content, policy=policy.default)
    assert (read["To"], read["Bcc"]) == (", ".join(RECIPIENTS), None)
    assert read["Message-ID"] == f"<{mailed.outgoing()[0]['id']}@ops.example>"
    assert mailed.outgoing()[0]["status"] == "delivered"


def test_a_password_is_never_said_in_the_clear(
    function: WebhookFunction, authority: Authority, server: Server, mail: MailServer
) -> None:
    mail.offers_tls = False
    org = with_mail(function, authority, server, mail)
    make_channel(org)
    org.tell()
    org.send()
    assert mail.received == []
    assert not {"AUTH", "MAIL", "DATA"} & set(mail.commands)
    assert org.outgoing()[0]["error_code"] == "mail_failed"


def test_a_certificate_that_nobody_vouches_for_ends_it(
    function: WebhookFunction,
    authority: Authority,
    server: Server,
    mail: MailServer,
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    other = Authority(tmp_path_factory.mktemp("other"), "Another authority")
    org = with_mail(function, authority, server, mail, ca=other.pem)
    make_channel(org)
    org.tell()
    org.send()
    assert (mail.received, org.outgoing()[0]["error_code"]) == ([], "mail_certificate")


def test_a_server_that_refuses_is_asked_again_later(mailed: NotifiedOrg, mail: MailServer) -> None:
    make_channel(mailed)
    mail.answers_data = "451 try later"
    mailed.tell()
    mailed.send()
    found = mailed.outgoing()[0]
    assert (found["status"], found["error_code"], found["response_status"]) == ("pending", "mail_refused", 451)
    mail.answers_data = "250 kept"
    mailed.later(60)
    assert (len(mail.received), mailed.outgoing()[0]["status"]) == (1, "delivered")


def test_one_mailbox_that_is_gone_keeps_nothing_from_the_others(mailed: NotifiedOrg, mail: MailServer) -> None:
    make_channel(mailed)
    mail.refuses = frozenset({RECIPIENTS[0]})
    mailed.tell()
    mailed.send()
    assert mail.received[0].recipients == (RECIPIENTS[1],)
    mail.refuses = frozenset(RECIPIENTS)
    mailed.tell()
    mailed.send()
    assert mailed.outgoing()[1]["error_code"] == "recipients_refused"


def test_admins_hear_by_e_mail_that_a_channel_was_switched_off(
    mailed: NotifiedOrg, server: Server, mail: MailServer
) -> None:
    mailed.function.database.make_member(mailed.id, "owner", email="owner@acme.example")
    mailed.function.database.make_member(mailed.id, "member", email="member@acme.example")
    WebhookOrg.make(mailed.function)  # another organisation with an admin of its own
    mailed.make_channel(server)
    server.behave = answer(status="410 Gone")
    mailed.tell()
    mailed.send()
    (found,) = mail.received
    assert "owner@acme.example" in found.recipients
    assert "member@acme.example" not in found.recipients
    assert len(found.recipients) == 2
    assert b"webhook: channel disabled" in found.content


def test_a_notice_that_cannot_be_sent_stays_on_the_queue(mailed: NotifiedOrg, server: Server, mail: MailServer) -> None:
    mailed.make_channel(server)
    server.behave = answer(status="410 Gone")
    mail.answers_data = "451 try later"
    mailed.tell()
    mailed.send()
    (notice,) = [each for each in mailed.function.queue.messages("notification-sends") if "notice" in each.payload]
    assert mailed.function.push(notice, "notification-sends").status_code == 503
    mail.answers_data = "250 kept"
    assert mailed.function.push(notice, "notification-sends").status_code == 204
    assert len(mail.received) == 1
