"""The form of a pack for auditors: files, the ZIP around them, manifest, attestation. Pure bytes from plain values.

A ZIP is written in parts that follow each other, each whole by itself: a file with its header, or the directory at the end. So a
pack grows part by part over any number of processes, which `zipfile` of the standard library cannot do; it reads what is written here.
Source: PKWARE APPNOTE 6.3.10, sections 4.3.7, 4.3.12 and 4.3.16; RFC 1951; RFC 7515 appendix F.
"""

from __future__ import annotations

import csv
import hashlib
import io
import json
import struct
import zlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from shared.reports.cells import inert
from shared.security.audit import Head, Verdict, org_chain

FORMAT, FORMAT_VERSION = "driftwise-audit-pack", 1
TOKEN_TYPE = "driftwise-audit-pack+jws"  # noqa: S105  # a type, no password
CHAIN_FORM = "driftwise-audit-1"
MANIFEST, SIGNATURE, DIRECTORY = "manifest.json", "manifest.jws", "(directory)"
FILE_BYTES = 4 * 1024 * 1024  # a file that has grown so long is followed by another one
MOST_FILE_BYTES = 32 * 1024 * 1024  # more than that a single page of rows never comes to
_LOCAL, _CENTRAL, _END = struct.Struct("<4s5H3L2H"), struct.Struct("<4s6H3L5H2L"), struct.Struct("<4s4H2LH")
_VERSION_NEEDED, _DEFLATED = 20, 8
_REGULAR_FILE = 0o100644 << 16
_MADE_BY_UNIX = 3 << 8 | _VERSION_NEEDED
_FIRST_YEAR = 1980


@dataclass(frozen=True, slots=True)
class File:
    """One file of a pack.

    Attributes:
        path: its name in the ZIP.
        content: its bytes.
        rows: how many rows of a table it holds, None for what is no table.
    """

    path: str
    content: bytes
    rows: int | None = None


@dataclass(frozen=True, slots=True)
class Part:
    """One part of the ZIP.

    Attributes:
        path: of the file, or `(directory)`.
        packed: its bytes in the ZIP.
        content_bytes, content_sha256, content_crc32: of the file's content.
    """

    path: str
    packed: bytes
    rows: int | None
    content_bytes: int
    content_sha256: bytes
    content_crc32: int

    @property
    def columns(self) -> dict[str, Any]:
        """What is stored of it in the open: directory and manifest are made of that."""
        told = ("path", "rows", "content_bytes", "content_sha256", "content_crc32")
        return {**{name: getattr(self, name) for name in told}, "packed_bytes": len(self.packed)}


def pack_file(file: File, at: datetime) -> Part:
    """Write a file with its header.

    Args:
        file: what to pack.
        at: the time that the ZIP tells, aware.
    """
    deflater = zlib.compressobj(6, zlib.DEFLATED, -zlib.MAX_WBITS)
    data = deflater.compress(file.content) + deflater.flush()
    name, crc = file.path.encode("ascii"), zlib.crc32(file.content)
    time, day = _dos(at)
    head = _LOCAL.pack(
        b"PK\x03\x04", _VERSION_NEEDED, 0, _DEFLATED, time, day, crc, len(data), len(file.content), len(name), 0
    )
    digest = hashlib.sha256(file.content).digest()
    return Part(file.path, head + name + data, file.rows, len(file.content), digest, crc)


def pack_directory(parts: Sequence[Mapping[str, Any]], at: datetime) -> Part:
    """Write the directory of a ZIP.

    Args:
        parts: every file's part in order: `path`, `packed_bytes`, `content_bytes`, `content_crc32`.
        at: as the files have it.
    """
    time, day = _dos(at)
    directory, offset = bytearray(), 0
    for part in parts:
        name = str(part["path"]).encode("ascii")
        data_bytes = part["packed_bytes"] - _LOCAL.size - len(name)
        directory += _CENTRAL.pack(
            b"PK\x01\x02", _MADE_BY_UNIX, _VERSION_NEEDED, 0, _DEFLATED, time, day, part["content_crc32"], data_bytes,
            part["content_bytes"], len(name), 0, 0, 0, 0, _REGULAR_FILE, offset,
        )  # fmt: skip
        directory += name
        offset += part["packed_bytes"]
    end = _END.pack(b"PK\x05\x06", 0, 0, len(parts), len(parts), len(directory), offset, 0)
    return Part(DIRECTORY, bytes(directory) + end, None, 0, hashlib.sha256().digest(), 0)


def _dos(at: datetime) -> tuple[int, int]:
    """Return time and day as MS-DOS wrote them, in UTC."""
    told = at.astimezone(UTC)
    return told.hour << 11 | told.minute << 5 | told.second // 2, (
        (told.year - _FIRST_YEAR) << 9 | told.month << 5 | told.day
    )


def table_files(stem: str, number: int, columns: Sequence[str], rows: Sequence[Mapping[str, Any]]) -> list[File]:
    """Write rows as JSON lines for machines and as CSV for people."""
    name = f"{stem}-{number:04}"
    lines = "".join(json_line(row) + "\n" for row in rows)
    target = io.StringIO()
    writer = csv.writer(target)
    writer.writerow(columns)
    writer.writerows([inert(_cell(row[column])) for column in columns] for row in rows)
    return [
        File(f"{name}.jsonl", lines.encode(), len(rows)),
        File(f"{name}.csv", target.getvalue().encode(), len(rows)),
    ]


def json_line(value: object) -> str:
    """Return a value as JSON on one line: pure ASCII, times in UTC to the microsecond."""
    return json.dumps(value, default=_plain, separators=(",", ":"), allow_nan=False)


def pretty(value: object) -> bytes:
    """Return a value as JSON that people read too."""
    return (json.dumps(value, default=_plain, indent=1, sort_keys=True, allow_nan=False) + "\n").encode()


def _plain(value: object) -> object:
    if isinstance(value, datetime):
        return instant(value)
    return str(value)


def instant(at: datetime) -> str:
    """Write a time as the audit chain hashes it."""
    told = at.astimezone(UTC)
    return f"{told:%Y-%m-%dT%H:%M:%S}.{told.microsecond:06}Z"


def _cell(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, str):
        return value
    if isinstance(value, datetime):
        return instant(value)
    if isinstance(value, (list, tuple)) and all(isinstance(item, str) for item in value):
        return " ".join(str(item) for item in value)
    return json_line(value)


@dataclass(frozen=True, slots=True)
class Slice:
    """The part of the organisation's audit chain that a pack holds.

    Attributes:
        first_seq, last_seq: its entries; `last_seq` is one less than `first_seq` when there are none.
        start_hash: of the entry before the first, 32 zero bytes before the first of all.
        end_hash: of the last entry; `start_hash` when there are none.
    """

    first_seq: int
    last_seq: int
    start_hash: bytes
    end_hash: bytes


def attestation(org_id: Any, part: Slice, verdict: Verdict, anchors: Sequence[Head]) -> dict[str, Any]:
    """Tell how the slice hangs in its chain.

    Args:
        org_id: the organisation's.
        part: the slice.
        verdict: on the whole chain, from its first entry on.
        anchors: every head that is kept outside of the database.
    """
    inside = [head for head in anchors if part.first_seq - 1 <= head.seq <= part.last_seq]
    problem = verdict.problem
    return {
        "form": CHAIN_FORM,
        "chain": org_chain(org_id),
        "first_seq": part.first_seq,
        "last_seq": part.last_seq,
        "entries": part.last_seq - part.first_seq + 1,
        "start_hash": part.start_hash.hex(),
        "end_hash": part.end_hash.hex(),
        "anchors": [{"seq": head.seq, "hash": head.hash.hex()} for head in inside],
        "whole_chain": {
            "ok": verdict.is_ok,
            "entries": verdict.entries,
            "head_seq": verdict.head.seq,
            "head_hash": verdict.head.hash.hex(),
            "anchors": len(anchors),
            "problem": None if problem is None else f"{problem.kind} at entry {problem.seq}",
        },
    }


def manifest(facts: Mapping[str, Any], parts: Iterable[Mapping[str, Any]]) -> bytes:
    """Write the manifest: what the pack is, and every file in it but itself and its signature."""
    files = [
        {
            "path": part["path"],
            "bytes": part["content_bytes"],
            "sha256": bytes(part["content_sha256"]).hex(),
            "rows": part["rows"],
        }
        for part in parts
    ]
    return pretty({"format": FORMAT, "format_version": FORMAT_VERSION, **facts, "files": files})
