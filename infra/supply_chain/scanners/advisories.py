"""Known vulnerabilities of what is pinned, by pip-audit and the OSV database.

pip-audit says that there are none where the service knows nothing at all. So a requirement that everybody knows to be bad is asked for first
(`infra/supply_chain/planted.py`), by the caller; what was skipped is a finding, not a pass.
Source: https://github.com/pypa/pip-audit, https://google.github.io/osv.dev/post-v1-query/
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ..results import Finding, ScannerBroken, ScannerMissing
from ..tools import here, run
from ..tree import files, place

SERVICE = "https://api.osv.dev/v1/query"
SERVICE_VARIABLE = "DRIFTWISE_OSV_URL"


def scan(root: Path) -> list[Finding]:
    """Return each known vulnerability of each hashed requirements file below a folder.

    Raises:
        ScannerMissing: the service did not answer.
    """
    return [finding for path in files(root, "*requirements*.txt") for finding in _audit(root, path)]


def _audit(root: Path, path: Path) -> Iterator[Finding]:
    service = os.environ.get(SERVICE_VARIABLE, SERVICE)
    command = [
        str(here("pip-audit")),
        "--vulnerability-service",
        "osv",
        "--osv-url",
        service,
        "--requirement",
        str(path),
    ]
    options = ["--disable-pip", "--require-hashes", "--format", "json", "--progress-spinner", "off", "--timeout", "15"]
    try:
        said = run([*command, *options], root, good=(0, 1))
        found = json.loads(said)
    except (ScannerBroken, json.JSONDecodeError) as error:
        # One status for a vulnerability and for a service that is away: then nothing was printed.
        raise ScannerMissing(f"{service} did not answer") from error
    for item in found["dependencies"]:
        yield from _of(item, place(root, path))


def _of(item: dict[str, Any], name: str) -> Iterator[Finding]:
    if reason := item.get("skip_reason"):
        yield Finding(name, "not audited", f"{item['name']}: {reason}")
    for known in item.get("vulns", ()):
        fixed = ", ".join(known["fix_versions"]) or "no version yet"
        yield Finding(name, known["id"], f"{item['name']} {item['version']}, fixed in {fixed}")
