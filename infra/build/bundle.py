"""Bundles: what a function's zip holds, and how it is written so that the same sources give the same bytes."""

from __future__ import annotations

import hashlib
import json
import tomllib
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from infra.suite import Function, Suite

from .distributions import Needed, Target, asked_extras, closure, imported_distributions
from .errors import BuildError
from .imports import Import, absolute_imports
from .lock import read_lock, requirements_text
from .sbom import sbom_text

OWN = ("functions", "shared")
# Job to the module that it runs and to what it needs of the sources: no more, so that little is in its image.
JOBS: Mapping[str, tuple[str, tuple[str, ...]]] = {
    "migrations": (
        "infra.deploy.migrations",
        (
            "infra/__init__.py",
            "infra/deploy/__init__.py",
            "infra/deploy/migrations.py",
            "infra/migrations",
            "shared",
        ),
    ),
    "journey": (
        "infra.journey",
        (
            "infra/__init__.py",
            "infra/journey/__init__.py",
            "infra/journey/__main__.py",
            "infra/journey/steps.py",
            "shared/__init__.py",
            "shared/ports/__init__.py",
            "shared/ports/clock.py",
            "shared/security/__init__.py",
            "shared/security/redact.py",
            "shared/telemetry/__init__.py",
            "shared/telemetry/context.py",
            "shared/telemetry/log.py",
        ),
    ),
}
_LEFT_OUT = ("shared/testing/",)
_TIME = (1980, 1, 1, 0, 0, 0)  # the earliest that the format can say
_MODE = 0o100644


@dataclass(frozen=True, slots=True)
class Bundle:
    """One bundle that was written.

    Attributes:
        name: the function.
        file: file name.
        sha256: of the file.
        size_bytes: of the file.
    """

    name: str
    file: str
    sha256: str
    size_bytes: int


def build_bundles(suite: Suite, root: Path, out: Path, names: Sequence[str] = ()) -> list[Bundle]:
    """Write the zips, their bills of materials and `manifest.json`.

    Args:
        suite: the description of the suite.
        root: the repository.
        out: where to write; made when missing.
        names: functions to build; all of them when empty.

    Raises:
        BuildError: a name is unknown, or a bundle would not work.
    """
    unknown = sorted(set(names) - set(suite.functions))
    if unknown:
        raise BuildError(f"no such function: {', '.join(unknown)}; there are {', '.join(suite.functions)}")
    out.mkdir(parents=True, exist_ok=True)
    bundles = [_write(name, bundle_files(suite, suite.functions[name], root), out) for name in names or suite.functions]
    if not names:
        bundles += [_write(job, job_files(suite, job, root), out) for job in JOBS]
    manifest = {"bundles": [asdict(bundle) for bundle in bundles]}
    (out / "manifest.json").write_text(json.dumps(manifest, indent=2) + "\n", encoding="utf-8")
    return bundles


def bundle_files(suite: Suite, function: Function, root: Path) -> dict[str, bytes]:
    """Return what a function's bundle holds: path in the zip to content.

    Raises:
        BuildError: a module imports what neither the bundle nor a locked distribution provides.
    """
    files = {"main.py": _main_text(function).encode()}
    for part in ("functions/__init__.py", f"functions/{function.name}", "shared"):
        files.update(_sources(root, root / part))
    return _with_requirements(suite, function.name, files, root, OWN)


def job_files(suite: Suite, job: str, root: Path) -> dict[str, bytes]:
    """Return what the bundle of a job holds: path in the zip to content.

    Raises:
        BuildError: a module imports what neither the bundle nor a locked distribution provides.
    """
    module, parts = JOBS[job]
    files: dict[str, bytes] = {}
    for part in parts:
        files.update(_sources(root, root / part))
    files["Procfile"] = f"web: python -m {module}\n".encode()  # the buildpack wants one; the job says what it runs
    return _with_requirements(suite, job, files, root, (*OWN, "infra"))


def _write(name: str, files: Mapping[str, bytes], out: Path) -> Bundle:
    file = out / f"{name}.zip"
    _write_zip(file, files)
    (out / f"{name}.cdx.json").write_bytes(files["sbom.cdx.json"])
    content = file.read_bytes()
    return Bundle(name, file.name, hashlib.sha256(content).hexdigest(), len(content))


def _with_requirements(
    suite: Suite, name: str, files: dict[str, bytes], root: Path, own: Sequence[str]
) -> dict[str, bytes]:
    """Add what the sources import, and the bill of materials. Raises: BuildError."""
    imports = absolute_imports(files)
    _check_own_imports(imports, files, own)
    needed = _needed(suite, imports, root, own)
    version = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))["project"]["version"]
    files["requirements.txt"] = requirements_text(item.pin for item in needed).encode()
    files["sbom.cdx.json"] = sbom_text(f"{suite.name}-{name}", version, needed).encode()
    return files


def _needed(suite: Suite, imports: Sequence[Import], root: Path, own: Sequence[str]) -> list[Needed]:
    digits = suite.runtime.removeprefix("python")  # e.g. `python311`
    return closure(
        imported_distributions(imports, own),
        read_lock(root / "requirements.txt"),
        asked_extras((root / "requirements.in").read_text(encoding="utf-8").splitlines()),
        Target(f"{digits[0]}.{digits[1:]}"),
    )


def _main_text(function: Function) -> str:
    """Return the root module: the buildpack looks there for the entry points."""
    names = sorted(function.entry_points)
    exported = ", ".join(f'"{name}"' for name in names)
    return (
        f'"""Entry points of the function `{function.name}`; generated by infra.build."""\n\n'
        f"from functions.{function.name}.main import {', '.join(names)}\n\n"
        f"__all__ = [{exported}]\n"
    )


def _sources(root: Path, part: Path) -> Iterator[tuple[str, bytes]]:
    if not part.exists():
        raise BuildError(f"{part.relative_to(root)} is missing")
    for path in [part] if part.is_file() else part.rglob("*"):
        name = path.relative_to(root).as_posix()
        hidden = any(piece.startswith(".") or piece == "__pycache__" for piece in Path(name).parts)
        if path.is_file() and not hidden and path.suffix != ".pyc" and not name.startswith(_LEFT_OUT):
            yield name, path.read_bytes()


def _check_own_imports(imports: Sequence[Import], files: Mapping[str, bytes], own: Sequence[str]) -> None:
    """Refuse an import of our own code that the bundle leaves out: another function, or what only tests use."""
    for item in imports:
        if item.top_level in own and not _is_in(item.module, files):
            raise BuildError(f"{item.place}: imports {item.module}, which is not in the bundle")


def _is_in(module: str, files: Mapping[str, bytes]) -> bool:
    path = module.replace(".", "/")
    return f"{path}.py" in files or f"{path}/__init__.py" in files


def _write_zip(file: Path, files: Mapping[str, bytes]) -> None:
    """Write sorted entries with fixed times and modes, stored: compressed bytes would differ between zlib versions."""
    with zipfile.ZipFile(file, "w", zipfile.ZIP_STORED) as archive:
        for name in sorted(files):
            entry = zipfile.ZipInfo(name, _TIME)
            entry.create_system = 3  # Unix, wherever it is built
            entry.external_attr = _MODE << 16
            archive.writestr(entry, files[name])
