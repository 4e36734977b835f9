"""Rows as statements give them, and who gives them. Light to import: named everywhere without loading the driver."""

from __future__ import annotations

from typing import Any, Protocol, TypeAlias

Row: TypeAlias = dict[str, Any]  # column name -> value, as pg8000 converts the column's type


class Lookups(Protocol):
    """What code outside a unit of work may ask of the database: its narrow lookup functions, and nothing else."""

    def lookup(self, sql: str, **values: object) -> list[Row]:
        """Call a lookup function as the login role."""
        ...
