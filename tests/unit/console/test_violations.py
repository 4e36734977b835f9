"""Reports of browsers. The forms follow https://www.w3.org/TR/reporting-1/#sample-reports and https://www.w3.org/TR/CSP3/#deprecated-serialize-violation."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from functions.console.routes import ROUTES
from functions.console.violations import MOST_REPORTS, Violation, read_violations
from tests.support.http_app import PUBLIC_URL, World, call, problem
from tests.support.logs import fresh_loggers

PATH = "/console/csp-reports"
BODY: dict[str, Any] = {
    "blockedURL": "inline",
    "columnNumber": 39,
    "disposition": "enforce",
    "documentURL": f"{PUBLIC_URL}/device?user_code=BCDF-GHJK#x",
    "effectiveDirective": "script-src-elem",
    "lineNumber": 121,
    "originalPolicy": "default-src 'none'",
    "referrer": "https://www.google.com/",
    "sample": 'console.log("lo")',
    "sourceFile": f"{PUBLIC_URL}/console/start.js?v=1",
    "statusCode": 200,
}
OLD = {
    "document-uri": f"{PUBLIC_URL}/",
    "referrer": "",
    "blocked-uri": "https://evil.example/css/style.css?stolen=dw2_secret",
    "violated-directive": "style-src-elem",
    "effective-directive": "style-src-elem",
    "original-policy": "default-src 'none'",
}
FOUND = Violation("script-src-elem", "inline", "/device", "/console/start.js", 121)


def reports(*bodies: Any, kind: str = "csp-violation") -> list[Any]:
    return [
        {"type": kind, "age": 53531, "url": PUBLIC_URL, "user_agent": "Mozilla/5.0", "body": body} for body in bodies
    ]


def test_both_forms_are_read() -> None:
    assert read_violations(reports(BODY), PUBLIC_URL) == [FOUND]
    old = Violation("style-src-elem", "https://evil.example", "/", None, None)
    assert read_violations({"csp-report": OLD}, PUBLIC_URL) == [old]


@pytest.mark.parametrize("changed", [
    {"documentURL": "https://other.example/"}, {"documentURL": None}, {"documentURL": "http://[::1"}, {"documentURL": f"{PUBLIC_URL}.evil.example/"},
    {"documentURL": f"{PUBLIC_URL}:8443/"}, {"documentURL": "https://driftwise.example:x/"},
    {"sourceFile": "chrome-extension://abcdef/content.js"}, {"sourceFile": "moz-extension://abcdef/content.js"},
])  # fmt: skip
def test_other_sites_and_extensions_of_the_browser_are_left_out(changed: dict[str, Any]) -> None:
    assert read_violations(reports(BODY | changed), PUBLIC_URL) == []


@pytest.mark.parametrize(("blocked", "kept"), [
    ("eval", "eval"), ("trusted-types-sink", "trusted-types-sink"), ("https://a.example:8443/p?q#f", "https://a.example:8443"),
    ("https://name:word@a.example/", "https://a.example"), ("wss://[2001:db8::1]:9/x", "wss://[2001:db8::1]:9"),
    ("data:text/html,x", "data:"), ("", "unknown"), (None, "unknown"), ("no url", "unknown"), ("http://[", "unknown"), (7, "unknown"),
    ("https://a.example/" + "x" * 5000, "unknown"),
])  # fmt: skip
def test_of_what_was_blocked_only_the_origin_is_kept(blocked: Any, kept: str) -> None:
    assert read_violations(reports(BODY | {"blockedURL": blocked}), PUBLIC_URL)[0].blocked == kept


def test_what_is_no_directive_and_no_line_is_not_repeated() -> None:
    odd = {
        "effectiveDirective": "script-src\nseverity=ERROR",
        "lineNumber": True,
        "sourceFile": "https://cdn.example/x.js?token=y",
    }
    found = read_violations(reports(BODY | odd), PUBLIC_URL)
    assert found == [Violation("unknown", "inline", "/device", "https://cdn.example", None)]


def test_one_body_makes_few_lines() -> None:
    assert len(read_violations(reports(*[BODY] * 1000), PUBLIC_URL)) == MOST_REPORTS


def test_reports_of_other_kinds_are_passed_over() -> None:
    assert read_violations(reports(BODY, kind="deprecation"), PUBLIC_URL) == []


_JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.text(max_size=30)
    | st.sampled_from([PUBLIC_URL, "inline", "http://["]),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.sampled_from([*BODY, *OLD, "csp-report", "type", "body"]), inner, max_size=6)
    ),
    max_leaves=20,
)


@given(_JSON)
def test_whatever_is_sent_is_read_or_left(document: Any) -> None:
    for sent in (document, reports(document), {"csp-report": document}):
        for each in read_violations(sent, PUBLIC_URL):
            assert all(len(text) <= 100 and text.isprintable() for text in (each.directive, each.blocked, each.page))


@pytest.mark.parametrize(
    "kind", ["application/reports+json", "application/csp-report; charset=utf-8", "application/json"]
)
def test_reports_are_logged_and_nothing_else_of_them(
    kind: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    fresh_loggers(monkeypatch)
    content = json.dumps(reports(BODY)).encode()
    response = call(World().app(ROUTES), "POST", PATH, content=content, headers={"Content-Type": kind})
    assert (response.status_code, response.data) == (204, b"")
    lines = [line for line in capsys.readouterr().out.splitlines() if "content security policy violated" in line]
    assert len(lines) == 1
    assert "script-src-elem" in lines[0]
    assert "/console/start.js" in lines[0]
    assert not [part for part in ("BCDF-GHJK", "www.google.com", "console.log", "Mozilla", "v=1") if part in lines[0]]


def test_what_is_no_report_is_refused() -> None:
    app = World().app(ROUTES)
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    problem(call(app, "POST", PATH, content=b"a=b", headers=form), 415, "media_type_unsupported")
    problem(
        call(app, "POST", PATH, content=b"{", headers={"Content-Type": "application/csp-report"}),
        400,
        "malformed_request",
    )
    large = b"[" + b" " * 70_000 + b"]"
    problem(
        call(app, "POST", PATH, content=large, headers={"Content-Type": "application/reports+json"}),
        413,
        "body_too_large",
    )


@pytest.mark.parametrize("path", ["/", "/device"])
def test_pages_say_where_reports_go(path: str) -> None:
    headers = call(World().app(ROUTES), "GET", path).headers
    assert headers["Reporting-Endpoints"] == f'csp="{PATH}"'
    assert f"report-to csp; report-uri {PATH}" in headers["Content-Security-Policy"]
