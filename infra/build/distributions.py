"""From imports to distributions: which ones a bundle needs, by what is installed, pinned as the lock says.

The environment that builds must be the locked one: versions are compared, not assumed.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib import metadata
from pathlib import PurePosixPath

from packaging.markers import Marker
from packaging.requirements import Requirement
from packaging.utils import NormalizedName, canonicalize_name

from .errors import BuildError
from .imports import Import
from .lock import Pin

ALWAYS = ("functions-framework",)  # starts the function; brings its server, gunicorn, along
# Modules of the standard library that take their data from a distribution where the machine has none.
# Source: https://docs.python.org/3/library/zoneinfo.html#data-sources
DATA_OF: Mapping[str, NormalizedName] = {"zoneinfo": canonicalize_name("tzdata")}


@dataclass(frozen=True, slots=True)
class Target:
    """Where bundles run: the environments that markers are evaluated for.

    Attributes:
        python: `major.minor`. Which patch release runs is the platform's choice, so both ends are looked at.
    """

    python: str

    def fits(self, marker: Marker | None, extra: str = "") -> bool:
        """Whether a marker can be true on the target."""
        if marker is None:
            return True
        return any(marker.evaluate(self._environment(patch, extra)) for patch in ("0", "99"))

    def _environment(self, patch: str, extra: str) -> dict[str, str]:
        version = f"{self.python}.{patch}"
        return {
            "extra": extra,
            "implementation_name": "cpython",
            "implementation_version": version,
            "os_name": "posix",
            "platform_machine": "x86_64",
            "platform_python_implementation": "CPython",
            "platform_release": "",
            "platform_system": "Linux",
            "platform_version": "",
            "python_full_version": version,
            "python_version": self.python,
            "sys_platform": "linux",
        }


@dataclass(frozen=True, slots=True)
class Needed:
    """One distribution that a bundle needs.

    Attributes:
        pin: version and hashes.
        needs: names of what it needs itself, sorted.
        licence: SPDX expression, when its metadata has one.
    """

    pin: Pin
    needs: tuple[NormalizedName, ...]
    licence: str | None


def imported_distributions(imports: Iterable[Import], own: Iterable[str]) -> dict[NormalizedName, str]:
    """Map imports to the distributions that provide them; returns name to one place that imports it.

    Args:
        imports: absolute imports.
        own: top-level packages of the project itself.

    Raises:
        BuildError: nothing installed provides a module.
    """
    passed = {*own, *sys.stdlib_module_names}
    found: dict[NormalizedName, str] = {}
    for item in imports:
        if item.top_level in DATA_OF:
            found.setdefault(DATA_OF[item.top_level], item.place)
        elif item.top_level not in passed:
            found.setdefault(_provider(item), item.place)
    return found


def closure(
    roots: Iterable[NormalizedName],
    lock: Mapping[NormalizedName, tuple[Pin, ...]],
    extras: Mapping[NormalizedName, frozenset[str]],
    target: Target,
) -> list[Needed]:
    """Return the roots and everything they need on the target, by name.

    Args:
        roots: distributions that are imported.
        lock: every pin there is.
        extras: extras that the project asks for, by distribution.
        target: where the bundle runs.

    Raises:
        BuildError: a distribution is not pinned, or what is installed is not what is pinned.
    """
    wanted = [(canonicalize_name(name), extra) for name in (*ALWAYS, *roots) for extra in ("", *_extras(extras, name))]
    edges: dict[NormalizedName, set[NormalizedName]] = {}
    seen: set[tuple[NormalizedName, str]] = set()
    while wanted:
        name, extra = wanted.pop()
        if (name, extra) in seen:
            continue
        seen.add((name, extra))
        edges.setdefault(name, set())
        for needed in _requirements(name, extra, _pins(name, lock, target), target):
            edges[name].add(canonicalize_name(needed.name))
            wanted += [(canonicalize_name(needed.name), more) for more in ("", *sorted(needed.extras))]
    return [
        Needed(pin, tuple(sorted(edges[name])), _licence(name))
        for name in sorted(edges)
        for pin in _pins(name, lock, target)
    ]


def asked_extras(lines: Iterable[str]) -> dict[NormalizedName, frozenset[str]]:
    """Read the extras that a requirements input file asks for."""
    wishes = [Requirement(line) for line in lines if line.strip() and not line.startswith(("#", "-"))]
    return {canonicalize_name(wish.name): frozenset(wish.extras) for wish in wishes if wish.extras}


def _extras(extras: Mapping[NormalizedName, frozenset[str]], name: str) -> list[str]:
    return sorted(extras.get(canonicalize_name(name), ()))


def _pins(name: NormalizedName, lock: Mapping[NormalizedName, tuple[Pin, ...]], target: Target) -> list[Pin]:
    pins = [pin for pin in lock.get(name, ()) if target.fits(pin.marker)]
    if not pins:
        raise BuildError(f"{name} is needed and not in requirements.txt; add it to requirements.in and run `make lock`")
    return pins


def _requirements(name: NormalizedName, extra: str, pins: list[Pin], target: Target) -> Iterator[Requirement]:
    distribution = _installed(name)
    if distribution is None:
        if any(pin.marker is None for pin in pins):
            raise BuildError(f"{name} is locked and not installed; run `make setup`")
        return  # of the target only: its own needs are pinned under the same marker
    if distribution.version not in {pin.version for pin in pins}:
        raise BuildError(
            f"{name} {distribution.version} is installed, the lock says {pins[0].version}; run `make setup`"
        )
    for line in distribution.requires or ():
        requirement = Requirement(line)
        if target.fits(requirement.marker, extra):
            yield requirement


def _provider(item: Import) -> NormalizedName:
    names = {canonicalize_name(name) for name in _distributions().get(item.top_level, ())}
    if len(names) > 1:  # a namespace package: the file decides
        owners = (_owner(module, frozenset(names)) for module in item.names)
        names = next((owner for owner in owners if owner), set())
    if not names:
        raise BuildError(f"{item.place}: nothing installed provides {item.names[0]}")
    if len(names) > 1:
        raise BuildError(f"{item.place}: {item.names[0]} is provided by each of {', '.join(sorted(names))}")
    return names.pop()


def _owner(module: str, names: frozenset[NormalizedName]) -> set[NormalizedName]:
    return {name for name in names if module in _modules(name)}


@cache
def _distributions() -> Mapping[str, list[str]]:
    return metadata.packages_distributions()


@cache
def _modules(name: NormalizedName) -> frozenset[str]:
    distribution = _installed(name)
    files = (distribution.files or ()) if distribution else ()
    return frozenset(_module(PurePosixPath(file.as_posix())) for file in files if file.suffix in {".py", ".so"})


def _module(file: PurePosixPath) -> str:
    parts = [*file.parent.parts, file.name.partition(".")[0]]
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


@cache
def _installed(name: NormalizedName) -> metadata.Distribution | None:
    try:
        return metadata.distribution(name)
    except metadata.PackageNotFoundError:
        return None


def _licence(name: NormalizedName) -> str | None:
    distribution = _installed(name)
    if distribution is None or "License-Expression" not in distribution.metadata:
        return None
    return distribution.metadata["License-Expression"]
