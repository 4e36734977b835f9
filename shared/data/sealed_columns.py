"""What a function declares of its columns of ciphertexts: those that are sealed anew, and those that are gone before it matters.

Each stands in the `wiring.py` of the function that owns it, and on the page infra/runbooks/envelope-key.md. See ADR-0011.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING
from uuid import UUID

from shared.security.envelope import Place

from .rows import Lookups, Row

if TYPE_CHECKING:
    from datetime import timedelta

    from .unit_of_work import UnitOfWork


@dataclass(frozen=True, slots=True)
class SealedQueries:
    """The three statements that wrapping anew needs, as they stand among the function's queries.

    Attributes:
        orgs_sql: calls the lookup of organisations with rows under a version `:below_version`, after `:after_id`, `:most`.
        rows_sql: selects such rows of `:org_id` with the same parameters, in order of id: `id` and `sealed`.
        swap_sql: of `:swaps` (`id`, `old`, `new`) stores `new` where a row still holds `old`; returns `id`.
    """

    orgs_sql: str
    rows_sql: str
    swap_sql: str

    def list_orgs(self, lookups: Lookups, *, below_version: int, after_id: UUID | None, most: int) -> Sequence[UUID]:
        """List organisations with rows wrapped under a version below a number, in order of id; outside any of them."""
        rows = lookups.lookup(self.orgs_sql, below_version=below_version, after_id=after_id, most=most)
        return [row["org_id"] for row in rows]

    def list_rows(self, tx: UnitOfWork, *, below_version: int, after_id: UUID | None, most: int) -> Sequence[Row]:
        """List such rows of the unit's organisation, in order of id: `id` and `sealed`."""
        return tx.rows(self.rows_sql, below_version=below_version, after_id=after_id, most=most)

    def swap(self, tx: UnitOfWork, swaps: Sequence[Mapping[str, str]]) -> Collection[UUID]:
        """Store `new` where a row with this `id` still holds `old` (both as PostgreSQL writes bytes); returns the ids."""
        return [row["id"] for row in tx.rows(self.swap_sql, swaps=json.dumps(list(swaps)))]


@dataclass(frozen=True, slots=True)
class _Ciphertexts:
    """A column of ciphertexts.

    Attributes:
        table, column: as the database calls them.
    """

    table: str
    column: str

    @property
    def name(self) -> str:
        """As in `core.sealed_columns`."""
        return f"{self.table}.{self.column}"

    def place(self, org_id: UUID, row_id: UUID) -> Place:
        """Say where a row's ciphertext stands."""
        return Place(self.table, self.column, org_id, row_id)


@dataclass(frozen=True, slots=True)
class SealedColumn(_Ciphertexts):
    """A column that is sealed anew: all that has to be declared for it to take part.

    Attributes:
        queries: its statements.
        place_column: the column's name to the envelope, where a ciphertext may move from one column to another.
    """

    queries: SealedQueries
    place_column: str | None = None

    def place(self, org_id: UUID, row_id: UUID) -> Place:
        """Say where a row's ciphertext stands."""
        return Place(self.table, self.place_column or self.column, org_id, row_id)


@dataclass(frozen=True, slots=True)
class PurgedColumn(_Ciphertexts):
    """A column that takes no part, because each ciphertext is deleted long before the KMS version that wrapped it.

    Attributes:
        kept_for: after which time the function that owns it deletes a ciphertext.
    """

    kept_for: timedelta
