"""What is stored of a report's objects: each packed and sealed under the key of its report, and bound to its place in it.

Decides, stores nothing. Kind, namespace and name stay readable, as objects are found by them. See ADR-0042.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from shared.ports.clock import Entropy
from shared.security.content_keys import ContentKey, Spot
from shared.security.envelope import Place

_TABLE: Final = "scan.cluster_objects"
_COLUMN: Final = "object_sealed"
_PACKING: Final = 1  # the quickest: what an object holds more than once goes, and that is most of it


@dataclass(frozen=True, slots=True)
class ObjectSealer:
    """Seals and opens the objects of one report.

    Attributes:
        key: the report's.
        org_id, account_id, report_id: whose report of which cluster it is.
        sealing_id: the report's row to the envelope.
    """

    key: ContentKey
    org_id: UUID
    account_id: UUID
    report_id: UUID
    sealing_id: UUID

    def seal(
        self, item: Mapping[str, Any], kind: str, key: str, *, part: int, entropy: Entropy
    ) -> dict[str, str | int]:
        """Return the row of an object: `kind`, `key`, `sealed` (as PostgreSQL writes bytes), `bytes`.

        Args:
            item: the object as it was reported.
            kind: with its API group.
            key: namespace and name; with the kind what it is found by.
            part: which part of the report told it.
            entropy: makes the nonce.
        """
        text = json.dumps(item, separators=(",", ":"), ensure_ascii=False).encode()
        sealed = self.key.seal(zlib.compress(text, _PACKING), self._spot(kind, key), part=part, entropy=entropy)
        return {"kind": kind, "key": key, "sealed": f"\\x{sealed.hex()}", "bytes": len(text)}

    def open(self, sealed: bytes, kind: str, key: str) -> dict[str, Any]:
        """Return the object as it was reported.

        Raises:
            CiphertextRefused: (500 `ciphertext_refused`) it is not what was stored here.
        """
        found: dict[str, Any] = json.loads(zlib.decompress(self.key.open(sealed, self._spot(kind, key))))
        return found

    def _spot(self, kind: str, key: str) -> Spot:
        place = Place(_TABLE, _COLUMN, self.org_id, self.sealing_id)
        return Spot(place, (str(self.account_id), str(self.report_id), kind, key))
