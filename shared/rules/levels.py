"""Severities and levels, in one order."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal, TypeAlias

Severity: TypeAlias = Literal["low", "medium", "high", "critical"]
Level: TypeAlias = Literal["none", "low", "medium", "high", "critical"]

LEVELS: tuple[Level, ...] = ("none", "low", "medium", "high", "critical")
SEVERITIES: tuple[Severity, ...] = ("critical", "high", "medium", "low")


def rank(level: Level) -> int:
    """Return a number that grows with the level."""
    return LEVELS.index(level)


def highest(levels: Iterable[Level]) -> Level:
    """Return the worst of some levels, `none` when there are none: one more can only raise it."""
    return LEVELS[max((rank(level) for level in levels), default=0)]


def worst(severities: Iterable[Severity], least: Severity = "low") -> Severity:
    """Return the worst of some severities and of the least that it may be."""
    return SEVERITIES[min(SEVERITIES.index(severity) for severity in (*severities, least))]


def raised(severity: Severity) -> Severity:
    """Return the next worse severity."""
    return SEVERITIES[max(SEVERITIES.index(severity) - 1, 0)]


def lowered(severity: Severity) -> Severity:
    """Return the next milder severity."""
    return SEVERITIES[min(SEVERITIES.index(severity) + 1, len(SEVERITIES) - 1)]
