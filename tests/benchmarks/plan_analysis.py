"""A plan of 1,000 changes judged by us and by checkov, on the same file in one run: time, memory, and who finds what.

The plan is put together from the recorded plans of a real Terraform, each copy in a module of its own, so that what is planted is
known from their expectations. Checkov has an environment of its own (`infra/supply_chain`).
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from statistics import median
from typing import Any

from functions.analyze.domain.plan import read_plan
from infra.supply_chain.scanners.infrastructure import CHECKOV, command
from shared.rules.engine import judge_plan
from shared.rules.rule import Finding
from tests.support.plan_cases import EXPECTED
from tests.support.record_plans import FOLDER, NAMES

from .result import Result
from .running import ROOT

CHANGES = 1_000
_ROUNDS = 5  # before checkov, and as many after it
_BAR = "at most 0.02 (50 times faster)"
_KINDS: Mapping[str, frozenset[str]] = {
    "destructive": frozenset({"stateful-resource-destruction", "key-destruction", "resource-deletion", "forced-replacement"}),
    "exposing": frozenset({"public-ingress", "public-access"}),
    "privilege": frozenset({"iam-wildcard", "iam-privilege-escalation", "cross-account-trust"}),
}  # fmt: skip
_OURS = """
import sys, pathlib
from functions.analyze.domain.plan import read_plan
from shared.rules.engine import judge_plan
verdict = judge_plan(read_plan(pathlib.Path(sys.argv[1]).read_bytes()))
print(verdict.level, len(verdict.findings))
"""
_AGAIN = """
import sys, pathlib, time
from functions.analyze.domain.plan import read_plan
from shared.rules.engine import judge_plan
content = pathlib.Path(sys.argv[1]).read_bytes()
for _ in range(int(sys.argv[2])):
    began = time.process_time()
    judge_plan(read_plan(content))
    print(time.process_time() - began)
"""
# A small program starts each run: the most memory of a process counts what its parent held when it was started.
_METER = """
import json, resource, subprocess, sys, time
began = time.perf_counter()
done = subprocess.run(sys.argv[2:], stdout=open(sys.argv[1], "wb"), stderr=subprocess.PIPE)
seconds, used = time.perf_counter() - began, resource.getrusage(resource.RUSAGE_CHILDREN)
errors = done.stderr.decode(errors="replace")[-2000:]
print(json.dumps([done.returncode, seconds, used.ru_utime + used.ru_stime, used.ru_maxrss * 1024, errors]))
"""


@dataclass(frozen=True, slots=True)
class Planted:
    """What is known to be bad in the plan.

    Attributes:
        kind: one of `_KINDS`.
        address: of the resource.
        flag: what it has to be flagged as.
    """

    kind: str
    address: str
    flag: str


def measure() -> list[Result]:
    """Judge the plan by both, in turn."""
    CHECKOV.install()
    document = make_plan(CHANGES)
    with tempfile.TemporaryDirectory() as temporary:
        file = Path(temporary) / "plan.json"
        file.write_text(json.dumps(document), encoding="utf-8")
        ours = [_run([sys.executable, "-c", _OURS, str(file)]) for _ in range(_ROUNDS)]
        checkov = [_run(_checkov(file)) for _ in range(2)]
        ours += [_run([sys.executable, "-c", _OURS, str(file)]) for _ in range(_ROUNDS)]
        again = _run([sys.executable, "-c", _AGAIN, str(file), str(_ROUNDS)])
        inside = [float(line) for line in again.output.splitlines()]
        findings = judge_plan(read_plan(file.read_bytes())).findings
    memory = median(run.peak_bytes for run in ours)
    # The best processor time of each: what else the machine does only adds to it.
    theirs = min(checkov, key=lambda run: run.processor_seconds)
    fresh, running = min(run.processor_seconds for run in ours), min(inside)
    return [
        Result(
            f"plan of {CHANGES:,} changes, fresh process", "checkov",
            f"{fresh:.2f} s, {theirs.processor_seconds:.1f} s of processor ({min(run.seconds for run in ours):.2f} s, {theirs.seconds:.1f} s by the clock): {theirs.processor_seconds / fresh:.0f} times faster",
            fresh / theirs.processor_seconds, _BAR, fresh / theirs.processor_seconds <= 0.02,
        ),
        Result(
            f"plan of {CHANGES:,} changes, in a process that runs", "checkov", f"{running:.2f} s, {theirs.processor_seconds:.1f} s of processor: {theirs.processor_seconds / running:.0f} times faster",
            running / theirs.processor_seconds, _BAR, running / theirs.processor_seconds <= 0.02,
        ),
        Result(
            "its peak memory", "checkov's", f"{memory / 2**20:.0f} MiB, {theirs.peak_bytes / 2**20:.0f} MiB",
            memory / theirs.peak_bytes, "at most 1", memory <= theirs.peak_bytes,
        ),
        *_found(document, findings, json.loads(theirs.output)),
    ]  # fmt: skip


def make_plan(least: int) -> dict[str, Any]:
    """Put recorded plans together until so many resources change; further ones are left out."""
    changes: list[dict[str, Any]] = []
    modules: list[dict[str, Any]] = []
    calls: dict[str, Any] = {}
    live = 0
    first: dict[str, Any] = {}
    for number, name in ((number, name) for number in count() for name in NAMES):
        if live >= least:
            break
        document = json.loads((FOLDER / name / "plan.json").read_bytes())
        first = first or document
        module = f"{name}_{number}"
        for change in document["resource_changes"]:
            is_live = change["change"]["actions"] not in (["no-op"], ["read"])
            if is_live and live >= least:
                continue
            live += is_live
            changes.append(_moved(change, module))
        modules.append(_module(document["planned_values"].get("root_module", {}), module))
        calls[module] = {"source": f"./{name}", "module": document["configuration"]["root_module"]}
    return {
        "format_version": first["format_version"],
        "terraform_version": first["terraform_version"],
        "planned_values": {"root_module": {"child_modules": modules}},
        "resource_changes": changes,
        "configuration": {
            "provider_config": first["configuration"]["provider_config"],
            "root_module": {"module_calls": calls},
        },
    }


def planted(document: Mapping[str, Any]) -> Iterator[Planted]:
    """Yield what the expectations of the recorded plans say about the resources of the plan."""
    there = {change["address"] for change in document["resource_changes"]}
    for module in document["configuration"]["root_module"]["module_calls"]:
        for address, flags in EXPECTED[module.rsplit("_", 1)[0]]["findings"].items():
            whole = f"module.{module}.{address}"
            for kind, kinds in _KINDS.items():
                yield from (Planted(kind, whole, flag) for flag in flags if flag in kinds and whole in there)


def _found(document: Mapping[str, Any], findings: tuple[Finding, ...], reports: Any) -> Iterator[Result]:
    ours = {(item.address, item.flag) for item in findings}
    about: dict[tuple[str, str], set[str]] = defaultdict(set)
    for item in findings:
        about[item.address, item.flag].update(name for name in item.references if name.startswith("CKV"))
    failed: dict[str, set[str]] = defaultdict(set)
    for report in reports if isinstance(reports, list) else [reports]:
        for check in report["results"]["failed_checks"]:
            failed[check["resource_address"] if "resource_address" in check else check["resource"]].add(
                check["check_id"]
            )
    everything = list(planted(document))
    for kind in _KINDS:
        wanted = [item for item in everything if item.kind == kind]
        mine = sum((item.address, item.flag) in ours for item in wanted)
        touched = sum(bool(failed.get(item.address)) for item in wanted)
        named = sum(bool(failed.get(item.address, set()) & about[item.address, item.flag]) for item in wanted)
        yield Result(
            f"{kind} changes found", "checkov: by a check about it (by any check on it)",
            f"{mine} of {len(wanted)}, {named} ({touched}) of {len(wanted)}", mine / len(wanted), "all", mine == len(wanted),
        )  # fmt: skip


def _moved(change: Mapping[str, Any], module: str) -> dict[str, Any]:
    inner = change.get("module_address")
    return {
        **change,
        "address": f"module.{module}.{change['address']}",
        "module_address": f"module.{module}.{inner}" if inner else f"module.{module}",
    }


def _module(body: Mapping[str, Any], module: str) -> dict[str, Any]:
    def inner(part: Mapping[str, Any]) -> dict[str, Any]:
        moved = {**part, "resources": [_renamed(item, module) for item in part.get("resources", ())]}
        if "address" in part:
            moved["address"] = f"module.{module}.{part['address']}"
        if "child_modules" in part:
            moved["child_modules"] = [inner(child) for child in part["child_modules"]]
        return moved

    return {**inner(body), "address": f"module.{module}"}


def _renamed(item: Mapping[str, Any], module: str) -> dict[str, Any]:
    return {**item, "address": f"module.{module}.{item['address']}"}


@dataclass(frozen=True, slots=True)
class _Run:
    """One run: seconds by the clock, seconds of processor, most memory, what was printed."""

    seconds: float
    processor_seconds: float
    peak_bytes: int
    output: str


def _run(command: list[str]) -> _Run:
    """Run a program to its end and measure it; checkov answers 1 when it finds something."""
    with tempfile.NamedTemporaryFile() as output:
        meter = [sys.executable, "-S", "-c", _METER, output.name, *command]
        said = subprocess.run(meter, cwd=ROOT, stdout=subprocess.PIPE, text=True, check=True).stdout
        code, seconds, processor_seconds, peak_bytes, errors = json.loads(said)
        if code not in (0, 1):
            raise RuntimeError(f"{command[0]} ended with {code}: {errors}")
        return _Run(seconds, processor_seconds, peak_bytes, Path(output.name).read_text("utf-8"))


def _checkov(file: Path) -> list[str]:
    return command("--framework", "terraform_plan", "--file", str(file))
