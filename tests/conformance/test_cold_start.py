"""What loading a function must not load: clients and drivers come with the first request that needs them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from infra.suite import load_suite

ROOT = Path(__file__).parents[2]
HEAVY = (
    "boto3", "botocore", "google.api_core", "google.auth", "google.cloud", "grpc", "httpx", "opentelemetry", "pg8000", "redis",
    "sqlalchemy",
)  # fmt: skip
# `google.cloud` itself is there before anything is imported, as a namespace: the framework's distribution makes it
LOAD = """
import json, sys
before = set(sys.modules)
import functions.{name}.main
print(json.dumps(sorted(set(sys.modules) - before)))
"""


@pytest.mark.parametrize("name", load_suite().functions)
def test_loading_a_function_loads_no_client(name: str) -> None:
    environment = {**os.environ, "DW_ENV": "emulator", "DW_FUNCTION": name, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [sys.executable, "-c", LOAD.format(name=name)],
        env=environment, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode == 0, f"functions.{name}.main cannot be imported:\n{done.stderr}"
    loaded: list[str] = json.loads(done.stdout.splitlines()[-1])
    heavy = sorted({root for root in HEAVY for module in loaded if module == root or module.startswith(f"{root}.")})
    assert not heavy, f"importing functions.{name}.main loads {', '.join(heavy)}; import them where they are used"
