"""A mail server on loopback that offers STARTTLS and keeps what it is given, or behaves as badly as a test says."""

from __future__ import annotations

import base64
import socket
import ssl
import threading
from contextlib import suppress
from dataclasses import dataclass, field
from types import TracebackType
from typing import Self


@dataclass(frozen=True)
class Received:
    """One message as it came in.

    Attributes:
        is_secure: whether it came under TLS.
        login: user and password; empty for nobody.
    """

    sender: str
    recipients: tuple[str, ...]
    content: bytes
    is_secure: bool
    login: str


@dataclass
class MailServer:
    """Listens until it is left.

    Attributes:
        context: TLS.
        offers_tls: whether STARTTLS is offered.
        refuses: recipients that have no mailbox here.
        answers_data: what is said to the content of a message.
    """

    context: ssl.SSLContext
    offers_tls: bool = True
    refuses: frozenset[str] = frozenset()
    answers_data: str = "250 kept"
    received: list[Received] = field(default_factory=list)
    commands: list[str] = field(default_factory=list)

    def __enter__(self) -> Self:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._talk, args=(connection,), daemon=True).start()

    def _talk(self, connection: socket.socket) -> None:
        with suppress(OSError):
            _Talk(self, connection).run()
        connection.close()


@dataclass
class _Talk:
    server: MailServer
    connection: socket.socket
    is_secure: bool = False
    login: str = ""
    sender: str = ""
    recipients: list[str] = field(default_factory=list)

    def run(self) -> None:
        self._say("220 test")
        self._reader = self.connection.makefile("rb")
        while line := self._reader.readline().decode().strip():
            self.server.commands.append(line.partition(" ")[0].upper())
            if not self._answer(line):
                return

    def _answer(self, line: str) -> bool:
        verb, _, rest = line.partition(" ")
        verb = verb.upper()
        if verb == "EHLO":
            offered = ["250-test"]
            offered += ["250-STARTTLS"] if self.server.offers_tls and not self.is_secure else []
            self._say(*offered, "250 AUTH PLAIN")
        elif verb == "STARTTLS":
            self._say("220 go")
            self.connection = self.server.context.wrap_socket(self.connection, server_side=True)
            self._reader = self.connection.makefile("rb")
            self.is_secure = True
        elif verb == "AUTH":
            self.login = base64.b64decode(rest.split()[-1]).decode().strip("\0").replace("\0", ":")
            self._say("235 ok")
        elif verb == "MAIL":
            self.sender = rest.partition("<")[2].partition(">")[0]
            self._say("250 ok")
        elif verb == "RCPT":
            self._take_recipient(rest.partition("<")[2].partition(">")[0])
        elif verb == "DATA":
            self._take_content()
        elif verb == "RSET":
            self._say("250 ok")
        else:
            self._say("221 bye")
            return False
        return True

    def _take_recipient(self, address: str) -> None:
        if address in self.server.refuses:
            self._say("550 no such mailbox")
            return
        self.recipients.append(address)
        self._say("250 ok")

    def _take_content(self) -> None:
        self._say("354 go on")
        content = b""
        while (line := self._reader.readline()) not in {b".\r\n", b""}:
            content += line
        if self.server.answers_data.startswith("2"):
            self.server.received.append(
                Received(self.sender, tuple(self.recipients), content, self.is_secure, self.login)
            )
        self._say(self.server.answers_data)

    def _say(self, *lines: str) -> None:
        self.connection.sendall("".join(f"{line}\r\n" for line in lines).encode())
