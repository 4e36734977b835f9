"""A name server for the laptop: TXT records out of a file, so that a domain can be proven without owning one.

Run as `python -m local_emulator.dns_server --port 5353 --records FILE`; the file is a JSON object of name to list of texts
and is read anew for every question. DNS over TCP only. Source: RFC 1035 section 4.2.2; RFC 7766.
"""

from __future__ import annotations

import argparse
import json
import socketserver
import struct
from pathlib import Path

import dns.exception
import dns.flags
import dns.message
import dns.rcode
import dns.rdatatype
import dns.rrset

from .ports import HOST
from .stopping import serve_until_told

_TTL_SECONDS = 1
_LENGTH = struct.Struct(">H")


def answer(question: bytes, records: dict[str, list[str]]) -> bytes:
    """Answer one question out of these records; names that are not there do not exist."""
    asked = dns.message.from_wire(question)
    reply = dns.message.make_response(asked)
    reply.flags |= dns.flags.AA
    name = asked.question[0].name
    texts = records.get(name.to_text(omit_final_dot=True).lower())
    if texts is None:
        reply.set_rcode(dns.rcode.NXDOMAIN)
    elif asked.question[0].rdtype == dns.rdatatype.TXT:
        reply.answer.append(
            dns.rrset.from_text_list(name, _TTL_SECONDS, "IN", "TXT", [json.dumps(text) for text in texts])
        )
    return reply.to_wire()


class _Handler(socketserver.StreamRequestHandler):
    server: _Server
    timeout = 10

    def handle(self) -> None:
        while len(head := self.rfile.read(_LENGTH.size)) == _LENGTH.size:
            try:
                wire = answer(self.rfile.read(_LENGTH.unpack(head)[0]), self.server.read())
            except (dns.exception.DNSException, IndexError):
                return  # no question of DNS: nothing to say
            self.wfile.write(_LENGTH.pack(len(wire)) + wire)


class _Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True

    def __init__(self, port: int, records: Path) -> None:
        super().__init__((HOST, port), _Handler)
        self._records = records

    def read(self) -> dict[str, list[str]]:
        """Read the records; none while the file is missing or half written."""
        try:
            found: dict[str, list[str]] = json.loads(self._records.read_bytes())
        except (OSError, ValueError):
            return {}
        return found


def main() -> None:
    """Serve until told to stop."""
    parser = argparse.ArgumentParser(description="A name server for the local emulator")
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--records", type=Path, required=True, metavar="FILE")
    arguments = parser.parse_args()
    server = _Server(arguments.port, arguments.records)
    serve_until_told(server)


if __name__ == "__main__":
    main()
