"""E-mail over the operator's server, by TLS or not at all."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from shared.ports.secret_store import SecretStore
from shared.settings import Settings

if TYPE_CHECKING:
    from email.message import EmailMessage
    from smtplib import SMTP

PASSWORD_SECRET = "smtp-password"  # noqa: S105  # a name
_MODES = ("starttls", "tls")
_STEP_SECONDS = 10


class MailFailed(Exception):
    """An e-mail was not taken by the server, or by nobody's mailbox; `code` is one word, `status` the server's."""

    def __init__(self, code: str, status: int | None = None) -> None:
        super().__init__(code)
        self.code = code
        self.status = status


@dataclass(frozen=True, slots=True)
class Mailer:
    """Sends e-mail as the settings say."""

    settings: Settings
    secrets: SecretStore

    @property
    def sender(self) -> str:
        """The operator's address, which messages come from."""
        return self.settings.smtp_from

    def send(self, message: EmailMessage, recipients: Sequence[str]) -> None:
        """Hand a message over to the server.

        Raises:
            MailFailed: it was not taken by anybody.
            ServiceAway: (503 `service_away`) the password cannot be read.
        """
        import smtplib
        import ssl

        password = self.secrets.read(PASSWORD_SECRET).reveal().decode() if self.settings.smtp_user else ""
        try:
            with self._connect() as server:
                if self.settings.smtp_user:
                    server.login(self.settings.smtp_user, password)
                server.send_message(message, from_addr=self.sender, to_addrs=list(recipients))
        except smtplib.SMTPResponseException as error:
            raise MailFailed("mail_refused", error.smtp_code) from None  # its text may repeat what was sent
        except smtplib.SMTPRecipientsRefused as error:
            codes = [code for code, _ in error.recipients.values()]
            raise MailFailed("recipients_refused", codes[0] if codes else None) from None
        except ssl.SSLCertVerificationError:
            raise MailFailed("mail_certificate") from None
        except (smtplib.SMTPException, OSError):
            raise MailFailed("mail_failed") from None

    def _connect(self) -> SMTP:
        """Open a connection under TLS, checked against the public authorities or the operator's own."""
        import smtplib
        import ssl

        settings = self.settings
        context = ssl.create_default_context(cadata=settings.smtp_ca or None)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        if settings.smtp_tls == "tls":
            return smtplib.SMTP_SSL(settings.smtp_host, settings.smtp_port, timeout=_STEP_SECONDS, context=context)
        server = smtplib.SMTP(settings.smtp_host, settings.smtp_port, timeout=_STEP_SECONDS)
        try:
            server.starttls(context=context)  # a server that does not offer it raises, and nothing was said yet
        except BaseException:
            server.close()
            raise
        return server


def build_mailer(settings: Settings, secrets: SecretStore) -> Mailer | None:
    """Return who sends e-mail; None where the operator set no server up.

    Raises:
        ValueError: the settings cannot work; names what is wrong.
    """
    if not settings.smtp_host:
        return None
    if settings.smtp_tls not in _MODES:
        raise ValueError(f"DW_SMTP_TLS must be one of {', '.join(_MODES)}")
    if "@" not in settings.smtp_from or not settings.smtp_from.isprintable():
        raise ValueError("DW_SMTP_HOST is set, which also needs an address in DW_SMTP_FROM")
    return Mailer(settings, secrets)
