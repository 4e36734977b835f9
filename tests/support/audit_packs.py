"""A pack for auditors in memory, and ways to spoil it.

Tables and attestation come from the code that makes real ones; the ZIP is the standard library's and the manifest is written out here, so
that the verifier is held against the documented form of a pack and not against whatever the packer writes.
"""

from __future__ import annotations

import hashlib
import io
import json
import warnings
import zipfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from functions.auth.domain import pack_tables as tables
from functions.auth.domain import packs
from functions.auth.domain.packs import File, Slice
from functions.auth.packing import sign_manifest
from infra.verify_pack import verify_pack
from shared.security.audit import GENESIS, Entry, Event, Head, chain_events, org_chain, verify
from shared.security.signing_keys import SigningKey
from shared.testing.clock import FakeClock
from shared.testing.key_manager import MemoryKeyManager

ORG = UUID("0199aaaa-0000-7000-8000-000000000001")
NOW = datetime(2026, 3, 4, 5, 6, 7, 890123, tzinfo=UTC)
EXPORT_KEY = "export-signing"


def signing_key() -> SigningKey:
    """Make a key of its own."""
    vault = MemoryKeyManager()
    vault.add_signing_key(EXPORT_KEY)
    return SigningKey(vault, EXPORT_KEY, FakeClock())


def keys_of(key: SigningKey) -> dict[str, tuple[int, int]]:
    """Read the published keys as an auditor does."""
    return verify_pack.read_keys(packs.pretty(key.jwks()))


def chain(entries: int, *, head: Head = GENESIS) -> list[Entry]:
    """Make entries that follow a head, with texts that are hard to write."""
    texts = ["", "é\u2028", 'a "quoted" text', "1:x,", "\U0001f511", "line\nbreak"]
    events = [
        Event("keys:api_key:created", "human", texts[n % 6], "api_key", f"k{n}", f'{{"n":{n}}}', "r") for n in range(entries)
    ]  # fmt: skip
    ids = [UUID(int=head.seq + n + 1) for n in range(entries)]
    return chain_events(org_chain(ORG), head, events, ids=ids, at=NOW - timedelta(hours=1))


def row_of(entry: Entry) -> dict[str, Any]:
    """Return an entry as the database would."""
    event = {name: getattr(entry.event, name) for name in Event.__slots__}
    own = {name: getattr(entry, name) for name in ("seq", "version", "id", "at", "prev_hash", "hash")}
    return {**event, **own, "org_id": ORG}


@dataclass
class PackMaker:
    """Makes a pack out of a slice of a chain.

    Attributes:
        whole: the chain from its first entry on.
        first: number of the slice's first entry.
        anchors: heads kept elsewhere.
        rows_per_file: where a table goes on in another file.
        spoil: changes the files before the manifest is made: as somebody could who holds the signing key.
    """

    key: SigningKey = field(default_factory=signing_key)
    whole: Sequence[Entry] = field(default_factory=lambda: chain(7))
    first: int = 1
    anchors: Sequence[Head] = ()
    rows_per_file: int = 3
    spoil: Callable[[list[File]], list[File]] = list
    facts: Mapping[str, Any] = field(default_factory=dict)

    def build(self) -> bytes:
        """Return the ZIP."""
        files = self.spoil(self.files())
        told = {
            "format": "driftwise-audit-pack",
            "format_version": 1,
            "organisation": {"id": str(ORG), "name": "Acme", "plan": "team"},
            "window": {"from": "x", "to": "y"},
            "built": {"started_at": "x"},
            "issuer": "https://driftwise.example",
            "keys_url": "https://driftwise.example/.well-known/audit-export-keys.json",
            **self.facts,
        }
        told["files"] = [
            {
                "path": file.path,
                "bytes": len(file.content),
                "sha256": hashlib.sha256(file.content).hexdigest(),
                "rows": file.rows,
            }
            for file in files
        ]
        content = json.dumps(told).encode()
        return zip_of([*files, File("manifest.json", content), sign_manifest(self.key, content)])

    def files(self) -> list[File]:
        """Return the files that the manifest tells of."""
        mine = [entry for entry in self.whole if entry.seq >= self.first]
        rows = [tables.AUDIT.shape(row_of(entry), NOW) for entry in mine]
        pages = [rows[n : n + self.rows_per_file] for n in range(0, len(rows), self.rows_per_file)] or [[]]
        found = [
            file
            for number, page in enumerate(pages, 1)
            for file in packs.table_files(tables.AUDIT.stem, number, tables.AUDIT.columns, page)
        ]
        hashes = {0: GENESIS.hash, **{entry.seq: entry.hash for entry in self.whole}}
        last = self.whole[-1].seq if self.whole else 0
        part = Slice(self.first, last, hashes[self.first - 1], hashes[last])
        verdict = verify(self.whole, chain=org_chain(ORG), head=Head(last, hashes[last]), anchors=self.anchors)
        told = packs.attestation(ORG, part, verdict, self.anchors)
        return [*found, File("audit-log/attestation.json", packs.pretty(told)), File("README.txt", b"read me\n")]


def zip_of(files: Sequence[File]) -> bytes:
    """Write files as anybody would, also two of one name."""
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as made, warnings.catch_warnings(action="ignore"):
        for file in files:
            made.writestr(file.path, file.content)
    return content.getvalue()


def unpacked(content: bytes) -> list[File]:
    """Read a pack as anybody would."""
    with zipfile.ZipFile(io.BytesIO(content)) as found:
        assert found.testzip() is None
        return [File(name, found.read(name)) for name in found.namelist()]


def changed(files: Sequence[File], path: str, change: Callable[[bytes], bytes]) -> list[File]:
    """Return files with the content of one changed."""
    assert [file for file in files if file.path == path], f"no {path}"
    return [File(file.path, change(file.content), file.rows) if file.path == path else file for file in files]
