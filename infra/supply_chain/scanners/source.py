"""Static analysis of the source: bandit, ruff's security rules, and semgrep with the rules of this project.

bandit's own marks of exceptions are not heeded: what stands is in `accepted.toml`, with its reason.
Source: https://bandit.readthedocs.io/en/latest/man/bandit.html, https://docs.astral.sh/ruff/linter/, https://semgrep.dev/docs/cli-reference
"""

from __future__ import annotations

from pathlib import Path

from ..results import Finding
from ..tools import ROOT, Environment, here, parsed, run
from ..tree import place

FOLDERS = ("functions", "shared", "infra", "local_emulator")
RULES = Path(__file__).parents[1] / "rules"
SEMGREP = Environment("semgrep")
# It asks its vendor for nothing: the rules are ours.
_QUIET = {"SEMGREP_ENABLE_VERSION_CHECK": "0", "SEMGREP_SEND_METRICS": "off"}


def bandit(root: Path) -> list[Finding]:
    """Return what bandit finds with medium or higher severity and confidence."""
    command = [str(here("bandit")), "--quiet", "--recursive", "-ll", "-ii", "--ignore-nosec", "--format", "json"]
    found = parsed(run([*command, *_folders(root)], root, good=(0, 1)), "bandit")
    errors = [Finding(place(root, item["filename"]), "unread", item["reason"]) for item in found["errors"]]
    return errors + [
        Finding(place(root, item["filename"]), item["test_id"], item["issue_text"], item["line_number"])
        for item in found["results"]
    ]


def ruff(root: Path) -> list[Finding]:
    """Return what ruff's security rules find; the exceptions are those of the project's `pyproject.toml`, each with its reason."""
    command = [
        str(here("ruff")),
        "check",
        "--no-cache",
        "--config",
        str(ROOT / "pyproject.toml"),
        "--output-format",
        "json",
    ]
    found = parsed(run([*command, *_folders(root)], root.resolve(), good=(0, 1)), "ruff")
    return [
        Finding(place(root.resolve(), item["filename"]), item["code"], item["message"], item["location"]["row"])
        for item in found
        if (item["code"] or "").startswith("S")
    ]


def semgrep(root: Path) -> list[Finding]:
    """Return what the project's own rules find: what leaves a page, a statement or a process by a way that the house does not use."""
    command = [str(SEMGREP.program()), "scan", "--config", str(RULES), "--metrics", "off", "--disable-version-check"]
    options = ["--json", "--quiet", "--no-git-ignore", "--disable-nosem", "--jobs", "1"]
    found = parsed(run([*command, *options, *_folders(root)], root, environment=_QUIET), "semgrep")
    errors = [
        Finding(place(root, item.get("path", ".")), "unread", item.get("message", ""))
        for item in found["errors"]
        if item.get("level") == "error"
    ]
    return errors + [
        Finding(
            place(root, item["path"]),
            item["check_id"].rpartition(".")[2],
            item["extra"]["message"],
            item["start"]["line"],
        )
        for item in found["results"]
    ]


def _folders(root: Path) -> list[str]:
    return [folder for folder in FOLDERS if (root / folder).is_dir()]
