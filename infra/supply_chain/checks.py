"""The checks of the supply chain, and how one is run: its planted defect first, the tree then.

A scanner that does not see its planted defect is not believed: it is blind, or it judges by data that it does not have.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from . import planted
from .accepted import Accepted, sift, stale
from .results import Finding, Result, ScannerBroken, ScannerMissing, Verdict
from .scanners import advisories, bills, infrastructure, licences, migrations, packages, secrets, source, workflows
from .tools import Environment

Scan = Callable[[Path], Iterable[Finding]]


@dataclass(frozen=True, slots=True)
class Check:
    """One check.

    Attributes:
        name: what it is called at the command line and in `accepted.toml`.
        words: what it looks for.
        scan: returns what it finds below a folder.
        plant: writes a tree in which it must find something.
        needs: what it judges by and does not bring along; without it the check is not run. None when it brings everything.
        quick: whether it takes a few seconds at most.
        environment: its own environment, where it has one.
    """

    name: str
    words: str
    scan: Scan
    plant: Callable[[Path], None]
    needs: str | None = None
    quick: bool = False
    environment: Environment | None = None


CHECKS = (
    Check("sast-bandit", "unsafe calls in Python", source.bandit, planted.shell),
    Check("sast-ruff", "unsafe calls in Python, by other rules", source.ruff, planted.shell, quick=True),
    Check("sast-semgrep", "what the house never does, in Python and in pages", source.semgrep, planted.house, environment=source.SEMGREP),
    Check("secrets", "secrets in files", secrets.scan, planted.key),
    Check("vulnerabilities", "known vulnerabilities of what is pinned", advisories.scan, planted.vulnerable, needs="the OSV database"),
    Check("vulnerabilities-npm", "known vulnerabilities of what is locked from npm", packages.scan, planted.vulnerable_package, needs="the registry's database of advisories"),
    Check("licences", "licences of what is locked", licences.scan, planted.copyleft, quick=True),
    Check("bills", "bills of materials of the bundles", bills.scan, planted.bill),
    Check("workflows", "unsafe workflows of CI", workflows.zizmor, planted.unpinned, quick=True),
    Check("workflow-schema", "workflows that their system would not take", workflows.schema, planted.no_workflow, quick=True),
    Check("migrations", "migrations that hold locks or rewrite tables", migrations.squawk, planted.rewriting, quick=True),
    Check("contraction", "migrations that running releases cannot live with", migrations.contracting, planted.rewriting, quick=True),
    Check("terraform", "unsafe infrastructure", infrastructure.scan, planted.public_bucket, environment=infrastructure.CHECKOV),
)  # fmt: skip


def run(check: Check, root: Path, accepted: Sequence[Accepted], today: date) -> Result:
    """Run one check: its planted defect, then the tree.

    Args:
        check: the check.
        root: the tree.
        accepted: findings that stand.
        today: what the end of an acceptance is compared with.
    """
    began = time.monotonic()
    verdict, why, findings = _judge(check, root, accepted, today)
    return Result(check.name, verdict, why, findings, time.monotonic() - began)


def _judge(
    check: Check, root: Path, accepted: Sequence[Accepted], today: date
) -> tuple[Verdict, str, tuple[Finding, ...]]:
    try:
        if not sees_planted(check):
            if check.needs is None:
                return Verdict.FAILED, "it does not see its own planted defect, so nothing that it says is believed", ()
            return Verdict.NOT_RUN, f"{check.needs} does not know the planted defect: it is not there, or empty", ()
        left, used = sift(check.name, check.scan(root), accepted, today)
    except ScannerMissing as missing:
        return Verdict.NOT_RUN, str(missing), ()
    except ScannerBroken as broken:
        return Verdict.FAILED, str(broken), ()
    left += stale(check.name, accepted, used)
    if left:
        return Verdict.FAILED, f"{len(left)} found: {check.words}", tuple(left)
    return Verdict.PASSED, f"{check.words}: none, {len(used)} accepted" if used else f"{check.words}: none", ()


def sees_planted(check: Check) -> bool:
    """Whether a check finds its planted defect.

    Raises:
        ScannerMissing: it cannot look.
        ScannerBroken: it broke.
    """
    with tempfile.TemporaryDirectory(prefix="planted-") as folder:
        root = Path(folder).resolve()
        check.plant(root)
        return bool(list(check.scan(root)))
