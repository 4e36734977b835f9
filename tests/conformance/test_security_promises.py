"""SECURITY.md against the tree: every promise is there, every kept one names code and tests that exist, no open one claims any.

Tests are found in the source, not by collecting: a file that needs a database is read like any other.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.support.running_suite import ROOT

FILE = ROOT / "SECURITY.md"
HEAD = ("promise", "in our words", "where the code keeps it", "what proves it", "status")
NOTHING = "-"

# What the product's public security page promises, and what it names as still to come.
OF_THE_PAGE = """
edge-tls-only edge-rate-limit edge-only-origin database-tls-only database-private control-plane-allowlist hsts-preload
oidc-sign-in tokens-short-and-checked saml-sso scim-provisioning rbac-roles humans-only
keys-hmac-pepper keys-shown-once keys-scopes keys-revocation
tenancy-application-filter tenancy-rls-forced tenancy-least-privilege
tls-outbound at-rest-disk secrets-customer-key credentials-encrypted dump-holds-no-secret backups-pitr
egress-guard egress-boot-guard llm-envelope llm-never-applied markdown-sanitised csp-strict csp-regression caps-body
ratelimit-quotas llm-budgets webhook-signed webhook-replay
platform-admission platform-seccomp platform-nodes platform-keyless platform-image-digests
supply-vulnerabilities supply-sast supply-sbom supply-sbom-archive supply-real-database supply-browser-tests supply-ci-only
audit-every-change audit-append-only audit-without-secrets logs-structured traces platform-audit-logs browser-telemetry-scrubbed
rotation-pepper rotation-webhook-secrets rotation-database-passwords rollback disclosure-answered
next-iam-database next-database-mtls next-csp-reports
"""
# What the security core promises beyond it.
OF_THE_CORE = """
answers-hardened credentials-forged events-authenticated tenancy-sessions tenancy-not-found tenancy-given-up
scim-deprovisioning scim-own-people-only scim-tokens
refresh-once sessions-browser sessions-end saml-forged saml-domains roles-bounded invitations-once webhook-sealed
webhook-parsers channel-sealed channel-signed channel-slack-install channel-inert channel-own-harm
keys-form keys-follow-their-maker keys-bounded keys-last-used keys-leak-report rotation-api-keys rotation-token-keys rotation-kms-key
rotation-digests envelope-place envelope-untouched envelope-fresh envelope-kms-errors dump-opens-nothing state-values-digested state-source-trust
egress-rebinding egress-redirects egress-trust egress-bounded egress-only-way
audit-tampering-found audit-anchored audit-packs billing-hosted ratelimit-told ratelimit-outage caps-head caps-time caps-json
redaction-everywhere errors-say-little supply-lock supply-reproducible customers-keyless
history-purged reports-inert streams-bounded operator-reads-only operator-key-narrow feed-proven feed-bounded
cluster-reports-sealed
recovery-restore recovery-checked recovery-revocations recovery-history rotation-all incidents-prepared
supply-secrets supply-licences supply-workflows
"""
REQUIRED = frozenset((OF_THE_PAGE + OF_THE_CORE).split())


@dataclass(frozen=True)
class Promise:
    """One row."""

    id: str
    words: str
    code: tuple[str, ...]
    tests: tuple[str, ...]
    status: str


def read(text: str) -> list[Promise]:
    """Read the one table of the file."""
    rows = [
        [cell.strip() for cell in line.strip().strip("|").split("|")]
        for line in text.splitlines()
        if line.startswith("| ")
    ]
    starts = [number for number, row in enumerate(rows) if tuple(row) == HEAD]
    assert len(starts) == 1, "the table of promises is not there, or there are several"
    found = []
    for row in rows[starts[0] + 1 :]:
        assert len(row) == len(HEAD), f"a row of another width: {row}"
        found.append(Promise(row[0].strip("`"), row[1], names(row[2]), names(row[3]), row[4]))
    return found


def names(cell: str) -> tuple[str, ...]:
    return () if cell == NOTHING else tuple(name.strip().strip("`") for name in cell.split("<br>"))


def functions_of(path: Path) -> dict[str, ast.FunctionDef]:
    """Return the tests of a file by the name that pytest gives them behind the file's."""
    tree = ast.parse(path.read_bytes())
    found = {
        item.name: item for item in tree.body if isinstance(item, ast.FunctionDef) and item.name.startswith("test_")
    }
    for group in tree.body:
        if isinstance(group, ast.ClassDef) and group.name.startswith("Test"):
            for item in group.body:
                if isinstance(item, ast.FunctionDef) and item.name.startswith("test_"):
                    found[f"{group.name}::{item.name}"] = item
    return found


def marks_of(test: ast.FunctionDef) -> set[str]:
    """Return the names of pytest's marks on a test, whichever way they are written; helpers of our own count as `parametrize`."""
    found = set()
    for decorator in test.decorator_list:
        called = decorator.func if isinstance(decorator, ast.Call) else decorator
        text = ast.unparse(called)
        found.add(text.removeprefix("pytest.mark.") if text.startswith("pytest.mark.") else "parametrize")
    return found


def problem_of_test(node: str, root: Path) -> str | None:
    """Say what is wrong with a test's name, None when it is the name of a test that runs."""
    file, _, rest = node.partition("::")
    name, bracket, _ = rest.partition("[")
    path = root / file
    if not file.startswith("tests/") or not path.name.startswith("test_") or not path.is_file():
        return f"{file} is no file of tests"
    test = functions_of(path).get(name)
    if test is None:
        return f"{file} has no {name or 'test named'}"
    marks = marks_of(test)
    if bracket and "parametrize" not in marks:
        return f"{node} names a case of a test that has none"
    return f"{node} does not run" if marks & {"skip", "xfail"} else None


def problems_of(promise: Promise, root: Path) -> Iterator[str]:
    """Say everything that is wrong with a row."""
    if not re.fullmatch("[a-z]+(?:-[a-z]+)*", promise.id):
        yield "its id is not lower case with hyphens"
    if len(promise.words) < 20 or not promise.words.endswith((".", ")")):
        yield "it is not said in a sentence"
    if promise.status not in {"kept", "open"}:
        yield f"its status is {promise.status!r}, neither `kept` nor `open`"
    if promise.status == "kept" and not promise.code:
        yield "it is kept by no code"
    if promise.status == "kept" and not promise.tests:
        yield "it is proven by no test"
    if promise.status == "open" and promise.tests:
        yield "it is open and names tests"
    if promise.status == "open" and promise.code:
        yield "it is open and names code"
    for path in promise.code:
        if path.startswith(("/", "..")) or not (root / path).exists():
            yield f"there is no {path}"
    for node in promise.tests:
        if (problem := problem_of_test(node, root)) is not None:
            yield problem


PROMISES = read(FILE.read_text("utf-8"))


@pytest.mark.parametrize("promise", PROMISES, ids=[promise.id for promise in PROMISES])
def test_a_row_holds_what_it_says(promise: Promise) -> None:
    assert list(problems_of(promise, ROOT)) == []


def test_every_promise_has_one_row() -> None:
    ids = [promise.id for promise in PROMISES]
    assert sorted(ids) == sorted(set(ids)), "a promise stands there twice"
    assert REQUIRED - set(ids) == set(), "a promise went missing"
    assert set(ids) - REQUIRED == set(), "add the new promise to the lists of this test, so that it cannot go missing"


def test_it_is_said_how_to_report_and_what_is_supported() -> None:
    text = FILE.read_text("utf-8")
    sections = dict(re.findall(r"^## (.+?)\n(.*?)(?=^## |\Z)", text, re.MULTILINE | re.DOTALL))
    assert "`security@`" in sections["Reporting a vulnerability"]
    assert "one business day" in sections["Reporting a vulnerability"]
    assert not re.search(r"[\w.]@\w+\.\w", text), "an address that nobody may read"
    assert "newest release" in sections["Supported versions"]


# The reader itself: it must see what is wrong

GOOD = Promise("a-promise", "We promise something here.", ("code.py",), ("tests/test_x.py::test_it",), "kept")
BAD = {
    "it is kept by no code": {"code": ()},
    "it is proven by no test": {"tests": ()},
    "it is open and names tests": {"status": "open", "code": ()},
    "it is open and names code": {"status": "open", "tests": ()},
    "its status is 'done', neither `kept` nor `open`": {"status": "done"},
    "there is no gone.py": {"code": ("gone.py",)},
    "there is no /code.py": {"code": ("/code.py",)},
    "tests/test_gone.py is no file of tests": {"tests": ("tests/test_gone.py::test_it",)},
    "code.py is no file of tests": {"tests": ("code.py::test_it",)},
    "tests/test_x.py has no test_gone": {"tests": ("tests/test_x.py::test_gone",)},
    "tests/test_x.py has no test named": {"tests": ("tests/test_x.py",)},
    "tests/test_x.py has no test_inside": {"tests": ("tests/test_x.py::test_inside",)},
    "tests/test_x.py has no TestGroup::test_it": {"tests": ("tests/test_x.py::TestGroup::test_it",)},
    "tests/test_x.py::test_it[case] names a case of a test that has none": {"tests": ("tests/test_x.py::test_it[case]",)},
    "tests/test_x.py::test_skipped does not run": {"tests": ("tests/test_x.py::test_skipped",)},
    "tests/test_x.py::test_failing does not run": {"tests": ("tests/test_x.py::test_failing",)},
    "its id is not lower case with hyphens": {"id": "A promise"},
    "it is not said in a sentence": {"words": "Soon"},
}  # fmt: skip
SOURCE = """
import pytest
def test_it(): ...
@pytest.mark.parametrize("x", [1])
def test_cases(x): ...
@over(ROUTES)
def test_of_a_list(route): ...
@pytest.mark.skip(reason="later")
def test_skipped(): ...
@pytest.mark.xfail
def test_failing(): ...
class TestGroup:
    def test_inside(self): ...
def helper():
    def test_nested(): ...
"""


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    (tmp_path / "tests").mkdir()
    (tmp_path / "code.py").write_text("")
    (tmp_path / "tests" / "test_x.py").write_text(SOURCE)
    return tmp_path


def test_a_good_row_has_no_problem(tree: Path) -> None:
    for node in (
        "test_it",
        "test_cases",
        "test_cases[1]",
        "test_of_a_list",
        "test_of_a_list[x]",
        "TestGroup::test_inside",
    ):
        row = Promise(GOOD.id, GOOD.words, GOOD.code, (f"tests/test_x.py::{node}",), "kept")
        assert list(problems_of(row, tree)) == []
    assert list(problems_of(Promise(GOOD.id, GOOD.words, (), (), "open"), tree)) == []


@pytest.mark.parametrize(("problem", "changes"), BAD.items(), ids=BAD)
def test_a_bad_row_is_told(tree: Path, problem: str, changes: dict[str, object]) -> None:
    row = Promise(**{**GOOD.__dict__, **changes})  # type: ignore[arg-type]
    assert list(problems_of(row, tree)) == [problem]


def test_a_table_that_is_not_there_is_told() -> None:
    with pytest.raises(AssertionError, match="not there"):
        read("# Security\n")
    with pytest.raises(AssertionError, match="another width"):
        read(f"| {' | '.join(HEAD)} |\n|---|\n| a | b |\n")
