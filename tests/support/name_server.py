"""A DNS server for one host, whose answers change from one question to the next; nothing may be cached (TTL 0)."""

from __future__ import annotations

import socket
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import TracebackType
from typing import Self

import dns.flags
import dns.message
import dns.rcode
import dns.rdatatype
import dns.rrset

Answer = Sequence[str]  # addresses, `cname <name>`, or one of `nxdomain` and `servfail`


@dataclass
class NameServer:
    """Answers over UDP until it is left.

    Attributes:
        answers: name to answers in turn, the last one for ever; each question for an A record moves on.
        asked: every question, as (name, type).
    """

    answers: Mapping[str, Sequence[Answer]]
    address: str = "127.0.0.1"
    port: int = 53
    asked: list[tuple[str, str]] = field(default_factory=list)

    def __enter__(self) -> Self:
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind((self.address, self.port))
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._socket.close()

    def count(self, name: str) -> int:
        """Return how often a name's address was asked for."""
        return self.asked.count((name, "A"))

    def _serve(self) -> None:
        while True:
            try:
                question, peer = self._socket.recvfrom(4096)
                self._socket.sendto(self._reply(dns.message.from_wire(question)).to_wire(), peer)
            except OSError:
                return

    def _reply(self, question: dns.message.Message) -> dns.message.Message:
        asked = question.question[0]
        name, kind = asked.name.to_text(omit_final_dot=True).lower(), dns.rdatatype.to_text(asked.rdtype)
        known = self.answers.get(name, [("nxdomain",)])
        answer = known[min(self.count(name), len(known) - 1)]
        self.asked.append((name, kind))
        reply = dns.message.make_response(question)
        reply.flags |= dns.flags.RA
        for item in answer:
            if item in {"nxdomain", "servfail"}:
                reply.set_rcode(dns.rcode.from_text(item))
            elif item.startswith("cname "):
                reply.answer.append(dns.rrset.from_text(asked.name, 0, "IN", "CNAME", f"{item[6:]}."))
                reply.answer += self._addresses(item[6:], kind)
            elif kind == ("AAAA" if ":" in item else "A"):
                reply.answer.append(dns.rrset.from_text(asked.name, 0, "IN", kind, item))
        return reply

    def _addresses(self, name: str, kind: str) -> list[dns.rrset.RRset]:
        return [
            dns.rrset.from_text(f"{name}.", 0, "IN", kind, item)
            for item in self.answers.get(name, [()])[0]
            if kind == ("AAAA" if ":" in item else "A")
        ]
