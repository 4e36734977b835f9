"""Each scanner, really run, turns red by its planted defect; the quick ones find this tree clean."""

from __future__ import annotations

import gzip
import json
import socket
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import yaml
from werkzeug import Request, Response

from infra.supply_chain import accepted, planted
from infra.supply_chain.__main__ import main
from infra.supply_chain.checks import CHECKS, Check, run, sees_planted
from infra.supply_chain.results import Verdict
from infra.supply_chain.scanners import advisories, source
from tests.support.running_suite import ROOT
from tests.support.wsgi_server import serving

BY_NAME = {check.name: check for check in CHECKS}
ADVISORY = {
    "id": "GHSA-0000-planted",
    "summary": "planted",
    "modified": "2026-01-01T00:00:00Z",
    "published": "2026-01-01T00:00:00Z",
    "affected": [
        {
            "package": {"ecosystem": "PyPI", "name": planted.VULNERABLE[0]},
            "ranges": [{"type": "ECOSYSTEM", "events": [{"introduced": "0"}, {"fixed": "1.0"}]}],
        }
    ],
}


def needs_environment(check: Check) -> None:
    if check.environment is not None and not check.environment.is_installed():
        pytest.skip(f"{check.name} has an environment of its own: `make supply-chain` makes it")


@pytest.mark.parametrize("check", [check for check in CHECKS if check.needs is None], ids=lambda check: check.name)
def test_a_planted_defect_turns_its_check_red(check: Check) -> None:
    needs_environment(check)
    assert sees_planted(check)


def test_every_rule_of_the_house_sees_its_breach(tmp_path: Path) -> None:
    needs_environment(BY_NAME["sast-semgrep"])
    rules = {
        rule["id"] for file in source.RULES.glob("*.yaml") for rule in yaml.safe_load(file.read_text("utf-8"))["rules"]
    }
    planted.house(tmp_path)
    assert {item.rule for item in BY_NAME["sast-semgrep"].scan(tmp_path)} == rules


@pytest.mark.parametrize("check", [check for check in CHECKS if check.quick], ids=lambda check: check.name)
def test_this_tree_is_clean(check: Check) -> None:
    stands = accepted.read(accepted.FILE.read_text("utf-8"))
    done = run(check, ROOT, stands, datetime.now(UTC).date())
    assert (done.verdict, [item.shown() for item in done.findings]) == (Verdict.PASSED, []), done.why


def test_an_empty_tree_has_nothing_to_find(tmp_path: Path) -> None:
    for name in ("secrets", "workflows", "workflow-schema", "migrations", "contraction"):
        assert list(BY_NAME[name].scan(tmp_path)) == []


def test_a_secret_is_found_and_never_shown(tmp_path: Path) -> None:
    planted.key(tmp_path)
    secret = (tmp_path / "functions/planted.py").read_text().partition('"')[2].partition('"')[0]
    [found] = BY_NAME["secrets"].scan(tmp_path)
    assert found.place == "functions/planted.py"
    assert secret not in found.shown()


@pytest.mark.parametrize(
    ("place", "text", "found"),
    [
        ("functions/a.py", 'PASSWORD = "correct-horse-9-battery"', True),
        ("functions/a.py", 'PASSWORD_SECRET = "smtp-password"', False),
        ("tests/unit/test_a.py", 'PASSWORD = "correct-horse-9-battery"', False),
        ("tests/unit/test_a.py", f'KEY = "{"glpat-"}{"0123456789abcdefghij"}"', True),
    ],
)
def test_guesses_are_made_about_what_ships_and_forms_are_known_everywhere(
    tmp_path: Path, place: str, text: str, found: bool
) -> None:
    planted.put(tmp_path, {place: text + "\n"})
    assert bool(BY_NAME["secrets"].scan(tmp_path)) is found


# Vulnerabilities: pip-audit really runs, against a database on this machine


@pytest.fixture
def known() -> list[dict[str, Any]]:
    return [ADVISORY]


@pytest.fixture
def database(known: list[dict[str, Any]], monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    asked: list[str] = []

    @Request.application
    def answer(request: Request) -> Response:
        name = request.get_json(force=True)["package"]["name"]
        asked.append(name)
        found = [item for item in known if item["affected"][0]["package"]["name"] == name]
        return Response(json.dumps({"vulns": found} if found else {}), mimetype="application/json")

    with serving(answer) as server:
        monkeypatch.setenv(advisories.SERVICE_VARIABLE, f"{server}/v1/query")
        yield asked


def clean(root: Path) -> Path:
    planted.put(root, {"requirements.txt": f"harmless==1.0 \\\n    --hash=sha256:{'0' * 64}\n"})
    return root


def audit(root: Path) -> tuple[Verdict, list[str]]:
    done = run(BY_NAME["vulnerabilities"], root, [], datetime.now(UTC).date())
    return done.verdict, [item.rule for item in done.findings]


def test_what_is_pinned_is_asked_about_and_passes(tmp_path: Path, database: list[str]) -> None:
    assert audit(clean(tmp_path)) == (Verdict.PASSED, [])
    assert database == ["flask", "harmless"]


def test_a_known_vulnerability_fails(tmp_path: Path, database: list[str], known: list[dict[str, Any]]) -> None:
    known.append(
        {
            **ADVISORY,
            "id": "GHSA-0000-harmful",
            "affected": [{**ADVISORY["affected"][0], "package": {"ecosystem": "PyPI", "name": "harmless"}}],
        }
    )
    known[-1]["affected"][0]["ranges"][0]["events"][1]["fixed"] = "1.1"
    assert audit(clean(tmp_path)) == (Verdict.FAILED, ["GHSA-0000-harmful"])


def test_a_database_that_knows_nothing_is_no_pass(
    tmp_path: Path, database: list[str], known: list[dict[str, Any]]
) -> None:
    known.clear()
    assert audit(clean(tmp_path)) == (Verdict.NOT_RUN, [])
    assert database == ["flask"]


# The same for npm, whose data is the registry's


@pytest.fixture
def advised() -> dict[str, str]:
    """Package to the title of its advisory."""
    return {planted.VULNERABLE_PACKAGE[0]: "planted"}


@pytest.fixture
def registry(advised: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    @Request.application
    def answer(request: Request) -> Response:
        if not request.path.endswith("/advisories/bulk"):
            name = request.path.strip("/")
            packument = {
                "name": name,
                "dist-tags": {"latest": "9.0.0"},
                "versions": {"9.0.0": {"name": name, "version": "9.0.0"}},
            }
            return Response(json.dumps(packument), mimetype="application/json")
        body = request.get_data()
        asked = json.loads(gzip.decompress(body) if request.headers.get("Content-Encoding") == "gzip" else body)
        found = {
            name: [
                {
                    "id": 1,
                    "url": "https://a.example/GHSA-0000",
                    "title": title,
                    "severity": "high",
                    "vulnerable_versions": "<9",
                }
            ]
            for name, title in advised.items()
            if name in asked
        }
        return Response(json.dumps(found), mimetype="application/json")

    with serving(answer) as server:
        monkeypatch.setenv("npm_config_registry", f"{server}/")
        yield


def audit_packages(root: Path, name: str) -> tuple[Verdict, list[str]]:
    planted.vulnerable_package(root)
    for file in root.glob("package*.json"):
        file.write_text(file.read_text("utf-8").replace(planted.VULNERABLE_PACKAGE[0], name), "utf-8")
    done = run(BY_NAME["vulnerabilities-npm"], root, [], datetime.now(UTC).date())
    return done.verdict, [item.rule for item in done.findings]


def test_a_known_vulnerability_of_a_package_fails(tmp_path: Path, registry: None, advised: dict[str, str]) -> None:
    assert audit_packages(tmp_path, "harmless") == (Verdict.PASSED, [])
    advised["harmless"] = "not any more"
    assert audit_packages(tmp_path, "harmless") == (Verdict.FAILED, ["GHSA-0000"])


def test_a_registry_without_advisories_is_no_pass(tmp_path: Path, registry: None, advised: dict[str, str]) -> None:
    advised.clear()
    assert audit_packages(tmp_path, "harmless") == (Verdict.NOT_RUN, [])


def test_a_database_that_is_away_is_no_pass_and_has_a_status_of_its_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # nobody listens there
        monkeypatch.setenv(advisories.SERVICE_VARIABLE, f"http://127.0.0.1:{taken.getsockname()[1]}/v1/query")
        arguments = ["--tree", str(clean(tmp_path)), "vulnerabilities"]
        assert main(arguments) == 3
        assert main(["--allow-not-run", *arguments]) == 0
    assert "vulnerabilities  not run" in capsys.readouterr().out
