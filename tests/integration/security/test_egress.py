"""Outbound calls over real TLS on loopback: where they go, whom they trust, where they let themselves be sent."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

from shared.ports.clock import SystemClock
from shared.security.egress import EgressFailed, EgressGuard, EgressPolicy, EgressRefused, for_process
from shared.security.egress.transport import _tls_context
from shared.settings import Settings
from tests.support.tls_server import Authority, Seen, Server, answer, redirect

from .conftest import Answers, Guards, Watch

PUBLIC = "93.184.215.14"
NAME = "hooks.example.com"


def test_the_checked_address_is_dialled_under_the_name(authority: Authority, guards: Guards, watch: Watch) -> None:
    resolver = Answers({})
    with Server(authority.context(NAME), answer(b"thanks", headers=["X-Reply: 1", "x-reply: 2"])) as server:
        guard = guards.reaching(server, resolver=resolver)
        reply = guard.request("POST", f"https://{NAME}:{server.port}/a?b=c#d", headers={"X-Own": "1"}, content=b"{}")
    assert (reply.status, reply.content, reply.headers["x-reply"]) == (200, b"thanks", "1, 2")
    (seen,) = server.requests
    assert server.names == [NAME], "the server name in the handshake is not the URL's"
    assert seen.line == "POST /a?b=c HTTP/1.1"
    assert seen.header("host") == f"{NAME}:{server.port}"
    assert (seen.header("x-own"), seen.header("user-agent"), seen.content) == ("1", "DriftWise", b"{}")
    assert seen.header("accept-encoding") == "identity"
    assert resolver.asked == [NAME]
    assert watch.dialled == [("127.0.0.1", server.port)]
    assert [host for host in watch.looked_up if host != "127.0.0.1"] == [], "the client looked the name up once more"


@pytest.mark.parametrize("address", ["127.0.0.1", "::1"])
def test_an_address_in_the_url_needs_a_certificate_for_the_address(
    authority: Authority, guards: Guards, address: str
) -> None:
    host = f"[{address}]" if ":" in address else address
    if ":" in address and not _has_ipv6():
        pytest.skip("this machine has no IPv6")
    with Server(authority.context(address), answer(b"x"), address=address) as server:
        reply = guards.reaching(server).request("GET", f"https://{host}:{server.port}/")
    assert reply.content == b"x"
    assert server.requests[0].header("host") == f"{host}:{server.port}"
    with Server(authority.context(NAME), answer(b"x"), address=address) as other, pytest.raises(EgressFailed) as caught:
        guards.reaching(other).request("GET", f"https://{host}:{other.port}/")
    assert caught.value.facts == {"reason": "certificate"}
    assert other.requests == []


def _has_ipv6() -> bool:
    try:
        with socket.socket(socket.AF_INET6) as probe:
            probe.bind(("::1", 0))
    except OSError:
        return False
    return True


CERTIFICATES = {
    "for another name": {"names": ["other.example.com"]},
    "for a name below": {"names": [f"x.{NAME}"]},
    "for the parent": {"names": ["example.com"]},
    "for too wide a wildcard": {"names": ["*.com"]},
    "for the address only": {"names": ["127.0.0.1"]},
    "with the name as common name only": {"names": [], "common_name": NAME},
    "that has expired": {"names": [NAME], "expired": True},
}


@pytest.mark.parametrize("certificate", CERTIFICATES.values(), ids=CERTIFICATES)
def test_a_server_with_a_wrong_certificate_is_not_spoken_to(
    authority: Authority, guards: Guards, certificate: dict[str, object]
) -> None:
    names: list[str] = certificate.pop("names")  # type: ignore[assignment]
    context = authority.context(*names, **certificate)  # type: ignore[arg-type]
    certificate["names"] = names
    with Server(context, answer()) as server, pytest.raises(EgressFailed) as caught:
        guards.reaching(server).request("POST", f"https://{NAME}:{server.port}/", content=b"secret")
    assert caught.value.facts == {"reason": "certificate"}
    assert server.requests == [], "the request was sent all the same"


def test_an_authority_that_nobody_named_is_not_trusted(
    authority: Authority, guards: Guards, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bundle = tmp_path / "authorities.pem"
    bundle.write_text(authority.pem)
    for variable in ("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"):
        monkeypatch.setenv(variable, str(bundle))
    for others in ("", Authority(tmp_path, "Another").pem):
        with Server(authority.context(NAME), answer()) as server, pytest.raises(EgressFailed) as caught:
            guards.reaching(server, authorities_pem=others).request("GET", f"https://{NAME}:{server.port}/")
        assert caught.value.facts == {"reason": "certificate"}
        assert server.requests == []


def test_a_server_without_tls_is_not_spoken_to(guards: Guards) -> None:
    with Server(None, answer()) as server, pytest.raises(EgressFailed):
        guards.reaching(server).request("GET", f"https://{NAME}:{server.port}/")
    assert server.requests == []


def test_nobody_listening_is_a_failure_that_names_no_address(guards: Guards) -> None:
    with Server(None, answer()) as server:
        guard = guards.reaching(server)
    with pytest.raises(EgressFailed) as caught:
        guard.request("GET", f"https://{NAME}:{server.port}/")
    assert "127.0.0.1" not in f"{caught.value} {caught.value.detail} {caught.value.facts}"


# Rebinding: the name is public when it is checked and inside when it is dialled


def test_a_name_that_moves_inside_is_dialled_where_it_was_checked(watch: Watch) -> None:
    resolver = Answers({NAME: [(PUBLIC,), ("127.0.0.1",)]})
    guard = EgressGuard(EgressPolicy(), resolver, SystemClock())
    watch.stop_dialling = True
    with pytest.raises(EgressFailed):
        guard.request("GET", f"https://{NAME}/")
    assert resolver.asked == [NAME], "looked up more than once for one call"
    assert watch.dialled == [(PUBLIC, 443)]
    assert watch.looked_up == []
    with pytest.raises(EgressRefused):
        guard.request("GET", f"https://{NAME}/")
    assert watch.dialled == [(PUBLIC, 443)], "the second call followed the name inside"


def test_a_name_that_moves_between_two_servers_reaches_the_first_alone(authority: Authority, guards: Guards) -> None:
    resolver = Answers({NAME: [("127.0.0.2",), ("127.0.0.1",)]})
    context = authority.context(NAME)
    with (
        Server(context, answer(b"outer"), address="127.0.0.2") as outer,
        Server(context, answer(b"inner"), port=outer.port) as inner,
    ):
        guard = guards.reaching(outer, inner, resolver=resolver)
        assert guard.request("GET", f"https://{NAME}:{outer.port}/").content == b"outer"
    assert (resolver.asked, inner.connections, outer.connections) == ([NAME], 0, 1)


@pytest.mark.parametrize(
    "answers", [(PUBLIC, "10.0.0.1"), ("10.0.0.1", PUBLIC), (PUBLIC, "::1"), (PUBLIC, "nonsense"), ()]
)
def test_one_bad_answer_refuses_all(watch: Watch, answers: tuple[str, ...]) -> None:
    guard = EgressGuard(EgressPolicy(), Answers({NAME: [answers]}), SystemClock())
    with pytest.raises(EgressRefused) as caught:
        guard.request("GET", f"https://{NAME}/")
    assert caught.value.reason == "destination"
    assert watch.dialled == []


def test_a_connection_that_ends_up_elsewhere_is_not_used(
    authority: Authority, guards: Guards, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A firewall rule of this machine may send a connection on: the socket's own word decides."""
    context = authority.context(NAME)
    with Server(context, answer()) as elsewhere:

        class SentOn(socket.socket):
            def connect(self, address: object) -> None:
                super().connect(("127.0.0.1", elsewhere.port))

        checked = Server(context, answer(), address="127.0.0.2", port=elsewhere.port)
        guard = guards.reaching(checked, answers={NAME: [("127.0.0.2",)]})
        with monkeypatch.context() as patched, pytest.raises(EgressRefused) as caught:
            patched.setattr("socket.socket", SentOn)
            guard.request("GET", f"https://{NAME}:{elsewhere.port}/")
    assert caught.value.reason == "destination"
    assert elsewhere.requests == []


def test_the_public_authorities_are_trusted_by_default() -> None:
    assert _tls_context("").cert_store_stats()["x509_ca"] > 50


def test_loopback_is_let_through_for_the_named_port_alone(authority: Authority, guards: Guards) -> None:
    context = authority.context(NAME)
    with Server(context, answer()) as named, Server(context, answer()) as other:
        guard = guards.reaching(named, ports=frozenset({named.port, other.port}))
        assert guard.request("GET", f"https://{NAME}:{named.port}/").status == 200
        with pytest.raises(EgressRefused):
            guard.request("GET", f"https://{NAME}:{other.port}/")
    assert other.connections == 0


# Nothing from the surroundings, nothing from the call before


def test_proxies_and_netrc_of_the_environment_are_ignored(
    authority: Authority, guards: Guards, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text(f"machine {NAME}\nlogin me\npassword secret\n")
    netrc.chmod(0o600)
    monkeypatch.setenv("NETRC", str(netrc))
    monkeypatch.setenv("HOME", str(tmp_path))
    keys = tmp_path / "keys"
    monkeypatch.setenv("SSLKEYLOGFILE", str(keys))
    with Server(None, answer(status="502 Proxied")) as proxy, Server(authority.context(NAME), answer()) as server:
        for variable in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy"):
            monkeypatch.setenv(variable, f"http://127.0.0.1:{proxy.port}")
        monkeypatch.setenv("NO_PROXY", "")
        assert guards.reaching(server).request("GET", f"https://{NAME}:{server.port}/").status == 200
    assert proxy.connections == 0
    assert server.requests[0].header("authorization") is None
    assert not keys.exists(), "the session's keys were written down"


def test_no_cookie_and_no_connection_outlives_its_call(authority: Authority, guards: Guards) -> None:
    with Server(authority.context(NAME), answer(headers=["Set-Cookie: a=b; Path=/"])) as server:
        guard = guards.reaching(server)
        for _ in range(2):
            guard.request("GET", f"https://{NAME}:{server.port}/")
    assert [seen.header("cookie") for seen in server.requests] == [None, None]
    assert server.connections == 2


# Redirects


def test_a_redirect_is_handed_back_not_followed(authority: Authority, guards: Guards) -> None:
    with Server(authority.context(NAME), redirect("https://example.com/")) as server:
        reply = guards.reaching(server).request("GET", f"https://{NAME}:{server.port}/")
    assert (reply.status, reply.headers["location"], server.connections) == (302, "https://example.com/", 1)


PRIVATE = {
    "an inner address": "https://10.0.0.1/", "metadata": "https://169.254.169.254/latest/", "metadata by name": "https://metadata.google.internal/",
    "this machine": "https://127.0.0.1/", "an inner name": "https://inner.example.com/", "no TLS": "http://example.com/", "a file": "file:///etc/passwd",
    "another port": "https://example.com:22/", "no scheme": "//example.com/", "a relative path": "next", "nothing": "", "a user name": "https://a@example.com/",
    "a backslash": "https://example.com\\@10.0.0.1/", "two places": "https://example.com/, https://10.0.0.1/", "a path that is a host": "/\\10.0.0.1/",
    "a number": "https://2130706433/", "letters outside ASCII": "https://①②⑦.0.0.1/".encode().decode("latin-1"),
}  # fmt: skip


@pytest.mark.parametrize("location", PRIVATE.values(), ids=PRIVATE)
@pytest.mark.parametrize("status", ["302 Found", "308 Permanent Redirect"])
def test_a_redirect_to_where_no_call_may_go_is_refused(
    authority: Authority, guards: Guards, watch: Watch, location: str, status: str
) -> None:
    with Server(authority.context(NAME), redirect(location, status)) as server:
        guard = guards.reaching(server, redirects=3, answers={"inner.example.com": [("10.0.0.1",)]})
        with pytest.raises(EgressRefused):
            guard.request("GET", f"https://{NAME}:{server.port}/")
    assert watch.dialled == [("127.0.0.1", server.port)]


@pytest.mark.parametrize("hops", [1, 2, 3, 4])
def test_three_redirects_are_followed_a_fourth_is_not(authority: Authority, guards: Guards, hops: int) -> None:
    def behave(connection: socket.socket, seen: Seen) -> None:
        at = int(seen.line.split()[1][1:])
        (redirect(f"/{at + 1}") if at < hops else answer(b"there"))(connection, seen)

    with Server(authority.context(NAME), behave) as server:
        guard = guards.reaching(server, redirects=3)
        if hops <= 3:
            assert guard.request("GET", f"https://{NAME}:{server.port}/0").content == b"there"
        else:
            with pytest.raises(EgressRefused) as caught:
                guard.request("GET", f"https://{NAME}:{server.port}/0")
            assert caught.value.reason == "redirect"
    assert len(server.requests) == min(hops, 3) + 1


def test_a_redirect_never_leads_from_tls_to_none_not_even_in_the_emulator(authority: Authority, guards: Guards) -> None:
    with Server(None, answer()) as plain, Server(authority.context(NAME), answer()) as server:
        server.behave = redirect(f"http://127.0.0.1:{plain.port}/")
        exception = frozenset({("127.0.0.1", plain.port)})
        guard = guards.reaching(server, plain, redirects=1, plain_http=exception)
        assert guard.request("GET", f"http://127.0.0.1:{plain.port}/").status == 200
        with pytest.raises(EgressRefused):
            guard.request("GET", f"https://{NAME}:{server.port}/")
    assert plain.connections == 1


def test_more_than_three_redirects_are_no_policys_to_give() -> None:
    with pytest.raises(ValueError, match="redirects"):
        EgressPolicy(redirects=4)


@pytest.mark.parametrize("where", ["another name", "another port", "the same origin"])
def test_credentials_and_own_headers_stay_with_their_origin(authority: Authority, guards: Guards, where: str) -> None:
    context = authority.context(NAME, "other.example.com")
    with Server(context, answer()) as there, Server(context, answer()) as here:
        target = {
            "another name": f"https://other.example.com:{here.port}/there",
            "another port": f"https://{NAME}:{there.port}/there",
            "the same origin": "/there",
        }[where]

        def behave(connection: socket.socket, seen: Seen) -> None:
            (answer() if "/there" in seen.line else redirect(target))(connection, seen)

        here.behave = behave
        own = {"Authorization": "Bearer secret", "Cookie": "a=b", "X-Signature": "s", "Accept": "text/plain"}
        guards.reaching(here, there, redirects=1).request("GET", f"https://{NAME}:{here.port}/", headers=own)
    last = [*here.requests, *there.requests][-1]
    assert "/there" in last.line
    kept = {name for name, _ in last.headers} & set(own)
    assert kept == (set(own) if where == "the same origin" else {"Accept"})


@pytest.mark.parametrize(
    "status, same, sent",
    [
        ("302 Found", True, ("GET", b"")),
        ("303 See Other", True, ("GET", b"")),
        ("301 Moved Permanently", False, ("GET", b"")),
        ("307 Temporary Redirect", True, ("POST", b"body")),
        ("308 Permanent Redirect", True, ("POST", b"body")),
        ("307 Temporary Redirect", False, None),
        ("308 Permanent Redirect", False, None),
    ],
)
def test_a_body_goes_to_no_origin_that_it_was_not_written_for(
    authority: Authority, guards: Guards, status: str, same: bool, sent: tuple[str, bytes] | None
) -> None:
    def behave(connection: socket.socket, seen: Seen) -> None:
        host = NAME if same else "other.example.com"
        step = answer() if "/there" in seen.line else redirect(f"https://{host}:{server.port}/there", status)
        step(connection, seen)

    with Server(authority.context(NAME, "other.example.com"), behave) as server:
        guard = guards.reaching(server, redirects=2)
        url = f"https://{NAME}:{server.port}/"
        if sent is None:
            with pytest.raises(EgressRefused):
                guard.request("POST", url, content=b"body", headers={"Content-Type": "text/plain"})
            assert len(server.requests) == 1
            return
        guard.request("POST", url, content=b"body", headers={"Content-Type": "text/plain"})
    last = server.requests[-1]
    assert (last.line.split()[0], last.content) == sent
    assert (last.header("content-type") is not None) == bool(sent[1])


# The emulator's exception


def test_the_emulator_may_call_its_own_endpoints_without_tls() -> None:
    with Server(None, answer(b"hi")) as named, Server(None, answer()) as other:
        settings = Settings(env="emulator", egress_bypass=f"127.0.0.1:{named.port}, [::1]:9")
        guard = EgressGuard(for_process(EgressPolicy(), settings), Answers({}), SystemClock())
        assert guard.request("POST", f"http://127.0.0.1:{named.port}/x", content=b"1").content == b"hi"
        for url in (
            f"http://127.0.0.1:{other.port}/",
            f"http://127.0.0.2:{named.port}/",
            f"http://localhost:{named.port}/",
            f"http://{NAME}:{named.port}/",
            "http://10.0.0.1/",
            "http://example.com/",
        ):
            with pytest.raises(EgressRefused):
                guard.request("GET", url)
    assert other.connections == 0


@pytest.mark.parametrize(
    "value",
    [
        "true",
        "1",
        "127.0.0.1",
        "localhost:80",
        "10.0.0.1:80",
        "0.0.0.0:80",
        "127.0.0.1:0",
        "127.0.0.1:99999",
        "*:80",
        ",",
    ],
)
def test_an_exception_that_is_no_loopback_endpoint_stops_the_start(value: str) -> None:
    with pytest.raises(ValueError, match=r"loopback|address:port"):
        for_process(EgressPolicy(), Settings(env="emulator", egress_bypass=value))


def test_production_has_no_exception() -> None:
    with pytest.raises(ValueError, match="DW_EGRESS_BYPASS"):
        for_process(EgressPolicy(), Settings(egress_bypass="127.0.0.1:9000"))
    assert for_process(EgressPolicy(), Settings()) == EgressPolicy()


@pytest.mark.parametrize(
    "limits",
    [{"loopback": {("10.0.0.1", 443)}}, {"loopback": {("example.com", 443)}}, {"plain_http": {("127.0.0.1", 80)}}],
)
def test_no_policy_opens_a_private_network(limits: dict[str, set[tuple[str, int]]]) -> None:
    with pytest.raises(ValueError, match="loopback"):
        EgressPolicy(**{name: frozenset(value) for name, value in limits.items()})
