"""Terraform over a copy of `terraform/`: every module and environment, planned and applied against providers that never ask Google.

Owns where providers come from and what a copy looks like. A mirror is used where `DRIFTWISE_TF_MIRROR` lists some (like PATH), else
Terraform's own configuration, else the registry. Applied is only what a schema-only provider answers for: with the real one, applying
would need an account, and nothing here ever does that.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from .resident_providers import resident

ROOT = Path(__file__).resolve().parents[2]
SOURCES = ROOT / "terraform"
EXAMPLE = "envs/example"

# The providers of the copy are stand-ins, so the state of the copy lives beside it.
_LOCAL_BACKEND = 'terraform {\n  backend "local" {}\n}\n'
_MARK = "terraform-provider-google"  # a file of this name lies beside the mirror of the schema-only provider


@dataclass(frozen=True)
class Done:
    """How a run of Terraform ended."""

    status: int
    text: str


@dataclass(frozen=True)
class Resource:
    """One resource, as applied.

    Attributes:
        address: with its modules.
        values: every attribute; what Google would compute is a stand-in.
    """

    address: str
    type: str
    values: Mapping[str, Any]


def why_no_terraform() -> str | None:
    """Say why Terraform cannot be run here; None when it can."""
    if shutil.which("terraform") is None:
        return "there is no `terraform` on PATH"
    if "google" not in _providers():
        return "no Google provider: DRIFTWISE_TF_MIRROR names no mirror with one, and TF_CLI_CONFIG_FILE none either"
    return None


def folders() -> list[str]:
    """Return every folder of `terraform/` that is a configuration of its own, relative to it."""
    found = {path.parent.relative_to(SOURCES).as_posix() for path in SOURCES.rglob("*.tf") if "/." not in str(path)}
    return sorted(found)


def missing_providers(folder: str) -> set[str]:
    """Return the types of the providers that a folder names and that are in no mirror; empty where a registry is asked."""
    named = re.findall(r'source\s*=\s*"hashicorp/([a-z-]+)"', (SOURCES / folder / "versions.tf").read_text("utf-8"))
    return set(named) - _providers() if _all_mirrors() else set()


class Copy:
    """A copy of `terraform/`, and the one file outside of it that it reads."""

    def __init__(self, home: Path, told: Mapping[str, str] | None = None) -> None:
        """Copy.

        Args:
            home: an empty folder.
            told: more variables of Terraform's environment.
        """
        self._home, self._told = home, dict(told or {})
        self.root = home / "terraform"
        shutil.copytree(SOURCES, self.root, ignore=shutil.ignore_patterns(".terraform*", "*.tfstate*"))
        (home / "infra").mkdir()
        shutil.copy(ROOT / "infra" / "suite.yaml", home / "infra" / "suite.yaml")
        for folder in folders():
            if any('backend "' in path.read_text("utf-8") for path in (self.root / folder).glob("*.tf")):
                (self.root / folder / "backend_override.tf").write_text(_LOCAL_BACKEND, encoding="utf-8")

    def run(self, folder: str, *arguments: str) -> Done:
        """Run Terraform in a folder."""
        done = subprocess.run(
            ["terraform", *arguments],
            cwd=self.root / folder, env=self._environment, capture_output=True, text=True, check=False,
        )  # fmt: skip
        return Done(done.returncode, done.stdout + done.stderr)

    def must(self, folder: str, *arguments: str) -> str:
        """Run Terraform in a folder and return what it printed.

        Raises:
            RuntimeError: it failed; the message holds the end of what it printed.
        """
        done = self.run(folder, *arguments)
        if done.status != 0:
            raise RuntimeError(f"terraform {' '.join(arguments)} in {folder}:\n{done.text[-6000:]}")
        return done.text

    def init(self, folder: str) -> None:
        """Make a folder ready. Raises: RuntimeError."""
        self.must(folder, "init", "-input=false", "-no-color")

    @cached_property
    def _environment(self) -> dict[str, str]:
        environment = {name: value for name, value in os.environ.items() if not name.startswith("TF_")}
        # a state of some hundred resources is copied again and again: a quarter of the time goes into collecting garbage otherwise
        environment |= {"CHECKPOINT_DISABLE": "1", "TF_IN_AUTOMATION": "1", "GOGC": "400", **self._told}
        if mirrors := _mirrors():
            blocks = "".join(f"  filesystem_mirror {{\n    path = {json.dumps(str(path))}\n  }}\n" for path in mirrors)
            file = self._home / "terraform.rc"
            file.write_text(f"provider_installation {{\n{blocks}}}\n", encoding="utf-8")
            environment["TF_CLI_CONFIG_FILE"] = str(file)
        elif configured := _configuration():
            environment["TF_CLI_CONFIG_FILE"] = str(configured)
        return environment


class Applied:
    """The example environment, planned and applied on an empty project."""

    def __init__(self, copy: Copy, folder: str = EXAMPLE, variables: Sequence[str] = ()) -> None:
        self._copy = copy
        self._folder = folder
        example = copy.root / folder / "terraform.tfvars.example"
        shutil.copy(example, copy.root / folder / "terraform.tfvars")
        copy.init(folder)
        chosen = [f"-var={variable}" for variable in variables]
        copy.must(folder, "plan", "-input=false", "-no-color", "-out=plan.tfplan", *chosen)

    @cached_property
    def plan(self) -> dict[str, Any]:
        """The plan as JSON."""
        found: dict[str, Any] = json.loads(self._copy.must(self._folder, "show", "-json", "plan.tfplan"))
        return found

    @cached_property
    def addresses(self) -> list[str]:
        """Every resource of the plan, data sources left out."""
        return sorted(item["address"] for item in self.plan["resource_changes"] if item["mode"] == "managed")

    @cached_property
    def state(self) -> dict[str, Any]:
        """The state after an apply, as JSON: nothing in it is unknown any more."""
        self._copy.must(self._folder, "apply", "-input=false", "-no-color", "plan.tfplan")
        found: dict[str, Any] = json.loads(self._copy.must(self._folder, "show", "-json"))
        return found

    @cached_property
    def settled_plan(self) -> dict[str, Any]:
        """A second plan as JSON, of what is applied: it changes nothing, and everything in it is known."""
        assert self.state
        self._copy.must(self._folder, "plan", "-input=false", "-no-color", "-refresh=false", "-out=settled.tfplan")
        found: dict[str, Any] = json.loads(self._copy.must(self._folder, "show", "-json", "settled.tfplan"))
        return found

    @cached_property
    def resources(self) -> list[Resource]:
        """Every resource of the state, data sources left out."""
        return list(_resources(self.state["values"]["root_module"]))

    def of(self, *types: str) -> list[Resource]:
        """Return the resources of these types."""
        return [item for item in self.resources if item.type in types]

    @property
    def outputs(self) -> dict[str, Any]:
        """The outputs' values."""
        return {name: item["value"] for name, item in self.state["values"]["outputs"].items()}


@contextmanager
def providers_kept() -> Iterator[dict[str, str]]:
    """Keep the schema-only providers running for the length of a block; yields what a `Copy` is told of them."""
    with resident(_all_mirrors(), SOURCES) as told:
        yield told


def is_schema_only() -> bool:
    """Tell whether the Google provider here is the schema-only one, with which an apply reaches nobody."""
    return any((mirror.parent / _MARK).is_file() for mirror in _all_mirrors())


def _resources(module: Mapping[str, Any]) -> Iterator[Resource]:
    for item in module.get("resources", ()):
        if item["mode"] == "managed":
            yield Resource(item["address"], item["type"], item["values"])
    for child in module.get("child_modules", ()):
        yield from _resources(child)


def _providers() -> set[str]:
    """Return the types of the providers in the mirrors: HOST/NAMESPACE/TYPE below each."""
    return {path.name for mirror in _all_mirrors() for path in mirror.glob("*/*/*") if path.is_dir()}


def _all_mirrors() -> list[Path]:
    if mirrors := _mirrors():
        return mirrors
    configured = _configuration()
    if configured is None:
        return []
    lines = [line.strip() for line in configured.read_text("utf-8").splitlines()]
    return [Path(line.split('"')[1]) for line in lines if line.startswith("path") and line.count('"') == 2]


def _mirrors() -> list[Path]:
    named = os.environ.get("DRIFTWISE_TF_MIRROR", "").split(os.pathsep)
    return [Path(name) for name in named if name and Path(name).is_dir()]


def _configuration() -> Path | None:
    named = os.environ.get("TF_CLI_CONFIG_FILE", "")
    return Path(named) if named and Path(named).is_file() else None
