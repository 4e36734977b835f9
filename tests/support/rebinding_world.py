"""A small internet of its own, to be run as `unshare --mount --net python -m tests.support.rebinding_world`.

In fresh namespaces the host has a public address, an inner one and the metadata service's; a DNS server that changes its mind
is the only one there is; and the system's own resolver asks it. Calls go through the egress guard as functions use it. Prints
what happened as JSON; judges nothing.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path

from shared.http.errors import AppError
from shared.ports.clock import SystemClock
from shared.security.egress import EgressGuard, EgressPolicy
from shared.security.egress.resolver import SystemResolver
from tests.support.name_server import NameServer
from tests.support.tls_server import Authority, Server, answer, redirect

PUBLIC, OTHER_PUBLIC, INNER, METADATA = "93.184.215.14", "93.184.215.15", "127.0.0.1", "169.254.169.254"
PUBLIC_SIX = "2606:4700::1"
TURNS = 40
ANSWERS = {
    "moves.example.com": [(PUBLIC,), (INNER,)],
    "starts.example.com": [(INNER,), (PUBLIC,)],
    "checked.example.com": [(PUBLIC,), (METADATA,)],
    "mixed.example.com": [(PUBLIC, METADATA)],
    "six.example.com": [(PUBLIC, "::1")],
    "mapped.example.com": [(f"::ffff:{INNER}",)],
    "alias.example.com": [("cname inner.example.com",)],
    "inner.example.com": [(INNER,)],
    "flips.example.com": [((PUBLIC,), (INNER,))[turn % 2] for turn in range(TURNS)],
    "sends-on.example.com": [(OTHER_PUBLIC,)],
    "gone.example.com": [("nxdomain",)],
    "broken.example.com": [("servfail",)],
}


def main() -> None:
    """Build the world, make the calls, tell."""
    with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
        _settle(Path(folder))
        names = stack.enter_context(NameServer(ANSWERS))
        authority = Authority(Path(folder))
        context = authority.context(*ANSWERS)
        outer = stack.enter_context(Server(context, answer(b"outer"), PUBLIC, 443))
        stack.enter_context(Server(context, redirect("https://inner.example.com/"), OTHER_PUBLIC, 443))
        inside = [
            stack.enter_context(Server(context, answer(b"inner"), place, 443)) for place in (INNER, METADATA, "::1")
        ]
        policy = EgressPolicy(authorities_pem=authority.pem, redirects=3, deadline_seconds=30.0)
        guard = EgressGuard(policy, SystemResolver(), SystemClock())
        told: dict[str, object] = {}
        for name in ANSWERS:
            turns = TURNS if name == "flips.example.com" else 2
            if name == "checked.example.com":
                guard.check(f"https://{name}/")
            told[name] = {"said": [_call(guard, name) for _ in range(turns)], "asked": names.count(name)}
        told["connections"] = {"outer": outer.connections, "inside": sum(server.connections for server in inside)}
        json.dump(told, sys.stdout)


def _call(guard: EgressGuard, name: str) -> str:
    try:
        return guard.request("GET", f"https://{name}/").content.decode()
    except AppError as error:
        return f"{error.code}: {error.facts.get('reason', '')}"


def _settle(folder: Path) -> None:
    """Give the host its addresses, and the system's resolver the one server to ask."""
    for command in (
        ["ip", "link", "set", "lo", "up"],
        *(["ip", "addr", "add", f"{place}/32", "dev", "lo"] for place in (PUBLIC, OTHER_PUBLIC, METADATA)),
        ["ip", "addr", "add", f"{PUBLIC_SIX}/128", "dev", "lo", "nodad"],  # without one, the resolver asks for none
    ):
        subprocess.run(command, check=True)
    for path, content in (
        ("/etc/resolv.conf", f"nameserver {INNER}\noptions timeout:2 attempts:1\n"),
        ("/etc/nsswitch.conf", "hosts: dns\n"),
    ):
        own = folder / Path(path).name
        own.write_text(content)
        subprocess.run(["mount", "--bind", str(own), path], check=True)


if __name__ == "__main__":
    main()
