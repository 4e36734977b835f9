"""A function that may call out one day pays for it on the first call, not when it starts."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[3]
LOAD = """
import json, sys
import shared.security.egress
print(json.dumps(sorted(sys.modules)))
"""


def test_importing_the_guard_loads_no_client() -> None:
    done = subprocess.run(
        [sys.executable, "-c", LOAD], cwd=ROOT, capture_output=True, text=True, timeout=60, check=True
    )
    heavy = {"httpcore", "httpx", "h11", "certifi", "idna", "ssl"} & set(json.loads(done.stdout))
    assert not heavy, f"importing the egress guard loads {', '.join(sorted(heavy))}"
