"""The lock (`requirements.txt`): which version of each distribution, with the hashes of its files."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from packaging.markers import Marker
from packaging.utils import NormalizedName, canonicalize_name

from .errors import BuildError

_PIN = re.compile(r"(?P<name>[A-Za-z0-9._-]+)==(?P<version>[^\s;\\]+)\s*(?:;\s*(?P<marker>[^\\]+?))?\s*\\?")
_HASH = re.compile(r"\s+--hash=(?P<hash>sha256:[0-9a-f]{64})\s*\\?")


@dataclass(frozen=True, slots=True)
class Pin:
    """One pinned distribution.

    Attributes:
        name: normalised (PEP 503).
        version: the one version.
        marker: where it is installed; None for everywhere.
        hashes: `sha256:…` of each of its files.
    """

    name: NormalizedName
    version: str
    marker: Marker | None
    hashes: tuple[str, ...]

    def requirement(self) -> str:
        """Return the lines of a requirements file."""
        head = f"{self.name}=={self.version}" + (f" ; {self.marker}" if self.marker else "")
        return " \\\n".join((head, *(f"    --hash={item}" for item in self.hashes))) + "\n"


def read_lock(file: Path) -> Mapping[NormalizedName, tuple[Pin, ...]]:
    """Read a lock; a distribution may be pinned several times, for different environments.

    Raises:
        BuildError: a line is neither a pin, a hash nor a comment, or a pin has no hash.
    """
    found: dict[NormalizedName, tuple[Pin, ...]] = {}
    for head, hashes in _blocks(file):
        match = _PIN.fullmatch(head)
        if match is None or not hashes:
            raise BuildError(f"{file.name}: not a pin with hashes: {head.strip()}")
        marker = Marker(match["marker"]) if match["marker"] else None
        pin = Pin(canonicalize_name(match["name"]), match["version"], marker, tuple(sorted(hashes)))
        found[pin.name] = (*found.get(pin.name, ()), pin)
    return found


def requirements_text(pins: Iterable[Pin]) -> str:
    """Return a requirements file of these pins, for `pip install --require-hashes`."""
    return "".join(pin.requirement() for pin in sorted(pins, key=lambda pin: (pin.name, pin.version)))


def _blocks(file: Path) -> list[tuple[str, list[str]]]:
    found: list[tuple[str, list[str]]] = []
    for line in file.read_text(encoding="utf-8").splitlines():
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        match = _HASH.fullmatch(line)
        if match is None:
            found.append((line, []))
        elif found:
            found[-1][1].append(match["hash"])
    return found
