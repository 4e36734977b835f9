"""npm's `scim-patch` as an oracle: many cases in one run of Node."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from .peers import PEERS, require_peer


@dataclass(frozen=True)
class PatchCase:
    """A resource and operations, as they are sent."""

    resource: dict[str, Any]
    operations: list[dict[str, Any]]


def patched_by_peer(cases: Sequence[PatchCase]) -> list[dict[str, Any]]:
    """Return what the peer makes of each case: `{resource}` or `{error}`; skips the test where there is no Node or no package."""
    node = require_peer("scim-patch")
    asked = json.dumps([{"resource": case.resource, "operations": case.operations} for case in cases])
    done = subprocess.run(
        [node, "scim_patch.js"], cwd=PEERS, input=asked, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr
    found: list[dict[str, Any]] = json.loads(done.stdout)
    assert len(found) == len(cases)
    return found
