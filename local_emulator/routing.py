"""Which entry point answers a path: the same path templates as the load balancer's.

Pure: decides on the raw (still encoded) path and a method, and opens nothing.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import unquote

from infra.suite import Suite

from .names import IDENTITY_PROVIDER, IDENTITY_PROVIDER_PREFIX

IDENTITY_PROVIDER_SECONDS = 30

_INTERNAL = frozenset({"_events", "_health", "_ah"})
_DOTS = frozenset({".", ".."})
_BAD_ESCAPE = re.compile(r"%(?![0-9A-Fa-f]{2})")


@dataclass(frozen=True, slots=True)
class Target:
    """Who answers, and within which time."""

    upstream: str
    timeout_seconds: int


@dataclass(frozen=True, slots=True)
class NotFound:
    """No template matches."""


@dataclass(frozen=True, slots=True)
class MethodNotAllowed:
    """The path exists, the method does not."""

    allowed: tuple[str, ...]


@dataclass(slots=True)
class _Template:
    segments: tuple[str | None, ...]  # None stands for a parameter
    targets: dict[str, Target] = field(default_factory=dict)

    def matches(self, segments: tuple[str, ...]) -> bool:
        return all(
            bool(found) if wanted is None else wanted == found
            for wanted, found in zip(self.segments, segments, strict=True)
        )


class Routes:
    """The routes of a suite; of several templates that match, the one with literals furthest left wins."""

    def __init__(self, suite: Suite) -> None:
        by_segments: dict[tuple[str | None, ...], _Template] = {}
        for function in suite.functions.values():
            entry_point = function.http_entry_point
            if entry_point is None:
                continue
            target = Target(entry_point.name, entry_point.timeout_seconds)
            for path, methods in function.paths.items():
                segments = tuple(None if part.startswith("{") else part for part in path.split("/")[1:])
                template = by_segments.setdefault(segments, _Template(segments))
                template.targets |= dict.fromkeys(methods, target)
        self._by_length: Mapping[int, list[_Template]] = {}
        lengths: dict[int, list[_Template]] = {}
        for template in by_segments.values():
            lengths.setdefault(len(template.segments), []).append(template)
        for templates in lengths.values():
            templates.sort(key=lambda template: [segment is None for segment in template.segments])
        self._by_length = lengths

    def find(self, method: str, path: str) -> Target | NotFound | MethodNotAllowed:
        """Decide who answers.

        Args:
            method: upper case.
            path: raw path, starting with a slash, without the query.
        """
        if not path.startswith("/") or _BAD_ESCAPE.search(path):
            return NotFound()
        segments = tuple(path.split("/")[1:])
        decoded = [unquote(segment) for segment in segments]
        if decoded[0] in _INTERNAL or any(segment in _DOTS for segment in decoded):
            return NotFound()
        if path.startswith(f"{IDENTITY_PROVIDER_PREFIX}/"):
            return Target(IDENTITY_PROVIDER, IDENTITY_PROVIDER_SECONDS)
        for template in self._by_length.get(len(segments), ()):
            if template.matches(segments):
                found = template.targets.get("GET" if method == "HEAD" else method)
                return found or MethodNotAllowed(_allowed(template))
        return NotFound()


def _allowed(template: _Template) -> tuple[str, ...]:
    methods = set(template.targets)
    if "GET" in methods:
        methods.add("HEAD")
    return tuple(sorted(methods))
