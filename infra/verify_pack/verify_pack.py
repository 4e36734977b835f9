"""Verify an audit pack of DriftWise, offline, with nothing but Python's standard library (3.9 or later).

    python3 verify_pack.py pack.zip --keys audit-export-keys.json

This one file is all there is to it, so that an auditor can read it whole. It says whether the manifest was signed by one of the
given keys, whether the pack holds exactly the files of the manifest, byte for byte, and whether the slice of the audit log in it is
an unbroken part of the organisation's hash chain. Nothing is extracted, nothing is written, nothing is fetched.

The keys are the trust: take them from the address of the platform (`/.well-known/audit-export-keys.json`) by a way of your own,
never from whoever hands you the pack.

Exit status: 0 verified, 1 not genuine or damaged, 2 the call or a file could not be read.

Sources: FIPS 186-5 section 6.4.2 (ECDSA verification), SP 800-186 section 3.2.1.3 (P-256), RFC 7515 with appendix F (detached JWS),
RFC 7517 (key sets), RFC 7518 section 3.4 (ES256), PKWARE APPNOTE 6.3.10 (ZIP).
"""

from __future__ import annotations

import argparse
import base64
import hashlib
import json
import re
import struct
import sys
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, BinaryIO, NoReturn

FORMAT, FORMAT_VERSION = "driftwise-audit-pack", 1
MANIFEST, SIGNATURE, ATTESTATION = "manifest.json", "manifest.jws", "audit-log/attestation.json"
TOKEN_TYPE = "driftwise-audit-pack+jws"  # noqa: S105  # a type, no password
CHAIN_FORM = "driftwise-audit-1"

# A pack that says more than this of itself is refused before it is read.
MOST_PACK_BYTES = 512 * 1024 * 1024
MOST_FILES = 10_000
MOST_FILE_BYTES = 32 * 1024 * 1024
MOST_TOTAL_BYTES = 2 * 1024 * 1024 * 1024
MOST_MANIFEST_BYTES = 8 * 1024 * 1024
MOST_SIGNATURE_BYTES = 2048
MOST_KEYS_BYTES = 256 * 1024
MOST_LINE_BYTES = 4 * 1024 * 1024
MOST_PROBLEMS = 20

_NAME = re.compile(r"[a-zA-Z0-9][a-zA-Z0-9_-]*(\.[a-zA-Z0-9]+)*(/[a-zA-Z0-9][a-zA-Z0-9_-]*(\.[a-zA-Z0-9]+)*){0,3}")
_HEX_HASH = re.compile(r"[0-9a-f]{64}")
_BASE64URL = re.compile(r"[A-Za-z0-9_-]+")
_ENTRIES = re.compile(r"audit-log/entries-[0-9]+\.jsonl")
_CHUNK = 65536
_LOCAL_HEADER = struct.Struct("<4s5H3L2H")
_ENCRYPTED = 0x1


class Refused(Exception):
    """The pack, or a part of it, is not what it must be; the text says why."""


# --- ECDSA over P-256 -----------------------------------------------------------------------------------------------
# Everything here is public, so it need not take the same time for every value.

_P = 0xFFFFFFFF00000001000000000000000000000000FFFFFFFFFFFFFFFFFFFFFFFF
_N = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
_B = 0x5AC635D8AA3A93E7B3EBBD55769886BC651D06B0CC53B0F63BCE3C3E27D2604B
_G = (
    0x6B17D1F2E12C4247F8BCE6E563A440F277037D812DEB33A0F4A13945D898C296,
    0x4FE342E2FE1A7F9B8EE7EB4A7C0F9E162BCE33576B315ECECBB6406837BF51F5,
)


def is_on_curve(x: int, y: int) -> bool:
    """Say whether coordinates are those of a point of P-256."""
    return 0 <= x < _P and 0 <= y < _P and (y * y - (x * x * x - 3 * x + _B)) % _P == 0


def _add(left: tuple[int, int] | None, right: tuple[int, int] | None) -> tuple[int, int] | None:
    """Add two points in affine coordinates; None is the point at infinity."""
    if left is None:
        return right
    if right is None:
        return left
    (x1, y1), (x2, y2) = left, right
    if x1 == x2 and (y1 + y2) % _P == 0:
        return None
    slope = (3 * x1 * x1 - 3) * pow(2 * y1, -1, _P) if x1 == x2 else (y2 - y1) * pow(x2 - x1, -1, _P)
    x3 = (slope * slope - x1 - x2) % _P
    return x3, (slope * (x1 - x3) - y1) % _P


def verify_es256(key: tuple[int, int], signature: bytes, message: bytes) -> bool:
    """Verify an ECDSA signature over P-256 with SHA-256.

    Args:
        key: the public point.
        signature: r and s, 32 bytes each, big-endian (RFC 7518 section 3.4).
        message: what was signed.
    """
    if len(signature) != 64 or not is_on_curve(*key):
        return False
    r, s = int.from_bytes(signature[:32], "big"), int.from_bytes(signature[32:], "big")
    if not (0 < r < _N and 0 < s < _N):
        return False
    inverse = pow(s, -1, _N)
    u1 = int.from_bytes(hashlib.sha256(message).digest(), "big") * inverse % _N
    u2 = r * inverse % _N
    both = _add(_G, key)
    point: tuple[int, int] | None = None
    for bit in range(255, -1, -1):
        point = _add(point, point)
        first, second = u1 >> bit & 1, u2 >> bit & 1
        if first or second:
            point = _add(point, both if first and second else _G if first else key)
    return point is not None and point[0] % _N == r


# --- Texts ----------------------------------------------------------------------------------------------------------


def parse_json(content: bytes, what: str) -> Any:
    """Parse JSON of one meaning: UTF-8, no member twice, no NaN.

    Raises:
        Refused: it is none.
    """
    try:
        return json.loads(content.decode("utf-8"), object_pairs_hook=_once, parse_constant=_no_constant)
    except (ValueError, RecursionError) as error:
        raise Refused(f"{what} is no plain JSON") from error


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a member comes twice")
    return found


def _no_constant(name: str) -> NoReturn:
    raise ValueError(name)


def _decode(text: Any, what: str) -> bytes:
    """Decode base64url without padding, of the one form that encoding gives."""
    if not isinstance(text, str) or _BASE64URL.fullmatch(text) is None:
        raise Refused(f"{what} is no base64url")
    try:
        found = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    except ValueError as error:
        raise Refused(f"{what} is no base64url") from error
    if base64.urlsafe_b64encode(found).rstrip(b"=").decode() != text:
        raise Refused(f"{what} is no base64url")
    return found


def _member(found: Any, name: str, kind: type, what: str) -> Any:
    value = found.get(name) if isinstance(found, dict) else None
    if type(value) is not kind:
        raise Refused(f"{what} lacks {name}")
    return value


# --- Keys and signature ---------------------------------------------------------------------------------------------


def read_keys(content: bytes) -> dict[str, tuple[int, int]]:
    """Read a JSON Web Key Set; keys of other kinds than EC P-256 are passed over.

    Raises:
        Refused: it is none, a key is malformed, or two have one id.
    """
    found: dict[str, tuple[int, int]] = {}
    for item in _member(parse_json(content, "the key set"), "keys", list, "the key set"):
        if not isinstance(item, dict) or item.get("kty") != "EC" or item.get("crv") != "P-256":
            continue
        kid = _member(item, "kid", str, "a key")
        x, y = (_decode(item.get(name), "a coordinate of " + kid) for name in ("x", "y"))
        point = int.from_bytes(x, "big"), int.from_bytes(y, "big")
        if len(x) != 32 or len(y) != 32 or not is_on_curve(*point):
            raise Refused(f"the key {kid} is no point of P-256")
        if kid in found:
            raise Refused(f"two keys are called {kid}")
        found[kid] = point
    if not found:
        raise Refused("the key set holds no EC key of P-256")
    return found


def check_signature(manifest: bytes, signature: bytes, keys: dict[str, tuple[int, int]]) -> str:
    """Verify the detached signature of the manifest; returns the id of the key.

    Raises:
        Refused: it is not signed by one of the keys.
    """
    parts = signature.decode("latin-1").strip().split(".")
    if len(parts) != 3 or parts[1]:
        raise Refused("the signature is no detached JWS")
    header = parse_json(_decode(parts[0], "the signature's header"), "the signature's header")
    if not isinstance(header, dict) or set(header) != {"alg", "kid", "typ"}:
        raise Refused("the signature's header is not ours")
    if header["alg"] != "ES256" or header["typ"] != TOKEN_TYPE:
        raise Refused("the signature is of another kind")
    key = keys.get(header["kid"]) if isinstance(header["kid"], str) else None
    if key is None:
        raise Refused(f"the manifest is signed with a key that is not among those given: {header['kid']!r}")
    signed = parts[0].encode() + b"." + base64.urlsafe_b64encode(manifest).rstrip(b"=")
    if not verify_es256(key, _decode(parts[2], "the signature"), signed):
        raise Refused("the signature of the manifest does not hold")
    return str(header["kid"])


# --- The ZIP --------------------------------------------------------------------------------------------------------


class Pack:
    """A ZIP whose directory was looked through: bounded, plain names, nothing twice, nothing between the files."""

    def __init__(self, stream: BinaryIO) -> None:
        """Look through the directory.

        Raises:
            Refused: it is no ZIP of ours.
        """
        stream.seek(0, 2)
        size = stream.tell()
        if size > MOST_PACK_BYTES:
            raise Refused(f"the pack is larger than {MOST_PACK_BYTES} bytes")
        self._stream = stream
        try:
            self._zip = zipfile.ZipFile(stream)
        except (zipfile.BadZipFile, ValueError, OverflowError, struct.error, NotImplementedError) as error:
            raise Refused("the pack is no ZIP that can be read") from error
        self.files: dict[str, zipfile.ZipInfo] = {}
        self._look_through(size)

    def _look_through(self, size: int) -> None:
        infos = self._zip.infolist()
        if len(infos) > MOST_FILES or sum(info.file_size for info in infos) > MOST_TOTAL_BYTES:
            raise Refused("the pack says of itself that it holds too much")
        seen = set()
        end = 0
        for info in sorted(infos, key=lambda item: item.header_offset):
            if _NAME.fullmatch(info.orig_filename) is None or len(info.orig_filename) > 200:
                raise Refused(f"the pack holds a file of a name that is none of ours: {info.orig_filename[:80]!r}")
            if info.orig_filename.lower() in seen:
                raise Refused(f"the pack holds {info.orig_filename} twice")
            if info.flag_bits & _ENCRYPTED or info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
                raise Refused(f"{info.orig_filename} is packed in a way that is not ours")
            if info.file_size > MOST_FILE_BYTES:
                raise Refused(f"{info.orig_filename} says that it is larger than a file of a pack may be")
            seen.add(info.orig_filename.lower())
            self.files[info.orig_filename] = info
            if info.header_offset != end:
                raise Refused("there is something between the files of the pack")
            end = self._end_of(info)
        directory = sum(46 + len(info.orig_filename.encode()) for info in infos)
        if self._zip.comment or end + directory + 22 != size:
            raise Refused("there is something before or behind the files of the pack")

    def _end_of(self, info: zipfile.ZipInfo) -> int:
        self._stream.seek(info.header_offset)
        head = self._stream.read(_LOCAL_HEADER.size)
        if len(head) != _LOCAL_HEADER.size:
            raise Refused("the pack is cut short")
        fields = _LOCAL_HEADER.unpack(head)
        if fields[0] != b"PK\x03\x04" or info.extra:
            raise Refused("the pack's directory does not fit its files")
        return int(info.header_offset + _LOCAL_HEADER.size + fields[-2] + fields[-1] + info.compress_size)

    def chunks(self, name: str, most: int) -> Iterator[bytes]:
        """Yield the content of a file in small pieces.

        Raises:
            Refused: it is damaged, or there are more bytes than `most`.
        """
        read = 0
        try:
            with self._zip.open(self.files[name]) as source:
                while True:
                    chunk = source.read(_CHUNK)
                    if not chunk:
                        return
                    read += len(chunk)
                    if read > most:
                        raise Refused(f"{name} is longer than it may be")
                    yield chunk
        except (zipfile.BadZipFile, zlib.error, EOFError, ValueError, RuntimeError, NotImplementedError) as error:
            raise Refused(f"{name} cannot be unpacked") from error

    def content(self, name: str, most: int) -> bytes:
        """Return the content of a file that must be there. Raises: Refused: as `chunks`, or it is not there."""
        if name not in self.files:
            raise Refused(f"the pack lacks {name}")
        return b"".join(self.chunks(name, most))

    def lines(self, name: str) -> Iterator[bytes]:
        """Yield the lines of a file. Raises: Refused: as `chunks`, or one is too long."""
        rest = b""
        for chunk in self.chunks(name, MOST_FILE_BYTES):
            *whole, rest = (rest + chunk).split(b"\n")
            yield from whole
            if len(rest) > MOST_LINE_BYTES:
                raise Refused(f"{name} has a line that is too long")
        if rest:
            raise Refused(f"{name} ends within a line")


# --- What the manifest says -----------------------------------------------------------------------------------------


@dataclass
class Report:
    """What was found.

    Attributes:
        problems: everything that is wrong; empty for a genuine pack.
        key_id: who signed, None while that is not known.
        manifest: as it was signed, None while that is not known.
        files, entries: how many were checked.
    """

    problems: list[str] = field(default_factory=list)
    key_id: str | None = None
    manifest: dict[str, Any] | None = None
    files: int = 0
    entries: int = 0

    @property
    def is_ok(self) -> bool:
        """Whether the pack is genuine and whole."""
        return not self.problems and self.manifest is not None


@dataclass(frozen=True)
class Known:
    """An entry of the chain that the auditor knows from before, e.g. the end of the last pack."""

    seq: int
    hash: str


def verify(
    stream: BinaryIO, keys: dict[str, tuple[int, int]], *, organisation: str | None = None, known: Known | None = None
) -> Report:
    """Verify a pack.

    Args:
        stream: the ZIP, opened to be read.
        keys: by id, as `read_keys` gives them.
        organisation: id that the pack must be of, None for any.
        known: an entry of the chain from before, None for none.
    """
    report = Report()
    try:
        pack = Pack(stream)
        content = pack.content(MANIFEST, MOST_MANIFEST_BYTES)
        report.key_id = check_signature(content, pack.content(SIGNATURE, MOST_SIGNATURE_BYTES), keys)
        manifest = read_manifest(content)
        report.manifest = manifest
        _check_files(pack, manifest, report)
        if organisation is not None and manifest["organisation"].get("id") != organisation:
            report.problems.append(f"the pack is of another organisation: {manifest['organisation'].get('id')!r}")
        if not report.problems:  # of files that are not what was signed nothing more can be said
            report.entries = check_chain(pack, manifest, known)
    except Refused as error:
        report.problems.append(str(error))
    return report


def read_manifest(content: bytes) -> dict[str, Any]:
    """Read the manifest. Raises: Refused: it is none of ours."""
    found = parse_json(content, "the manifest")
    if not isinstance(found, dict) or (found.get("format"), found.get("format_version")) != (FORMAT, FORMAT_VERSION):
        raise Refused("the manifest is of another format; take the verifier of the version that made the pack")
    _member(found, "organisation", dict, "the manifest")
    names = set()
    for item in _member(found, "files", list, "the manifest"):
        path, digest = _member(item, "path", str, "a file"), _member(item, "sha256", str, "a file")
        size = _member(item, "bytes", int, "a file")
        if _NAME.fullmatch(path) is None or _HEX_HASH.fullmatch(digest) is None or not 0 <= size <= MOST_FILE_BYTES:
            raise Refused(f"the manifest tells of a file that is none of ours: {path[:80]!r}")
        if path in names or path in (MANIFEST, SIGNATURE):
            raise Refused(f"the manifest tells twice of {path}")
        names.add(path)
    return found


def _check_files(pack: Pack, manifest: dict[str, Any], report: Report) -> None:
    named = {item["path"]: item for item in manifest["files"]}
    strangers = sorted(set(pack.files) - set(named) - {MANIFEST, SIGNATURE})
    found = [f"{name} is in the pack and not in the manifest" for name in strangers]
    for path, item in named.items():
        if path not in pack.files:
            found.append(f"{path} is in the manifest and not in the pack")
            continue
        problem = _problem_of(pack, path, item)
        if problem is not None:
            found.append(problem)
        report.files += 1
    report.problems += found[:MOST_PROBLEMS]
    if len(found) > MOST_PROBLEMS:
        report.problems.append(f"and {len(found) - MOST_PROBLEMS} more")


def _problem_of(pack: Pack, path: str, item: dict[str, Any]) -> str | None:
    digest, size = hashlib.sha256(), 0
    try:
        for chunk in pack.chunks(path, item["bytes"]):
            digest.update(chunk)
            size += len(chunk)
    except Refused as error:
        return str(error)
    if size != item["bytes"] or digest.hexdigest() != item["sha256"]:
        return f"{path} was changed"
    return None


# --- The chain ------------------------------------------------------------------------------------------------------


_FIELDS = (
    "chain", "seq", "version", "id", "at", "action", "actor_kind", "actor_id", "target_kind", "target_id", "facts",
    "request_id", "prev_hash", "hash",
)  # fmt: skip


def hash_entry(entry: dict[str, Any]) -> str:
    """Return the hash that an entry must carry, in hexadecimal.

    What is hashed is every field in this order, each as a netstring: its length in bytes, a colon, its UTF-8, a comma.
    """
    texts = (
        "driftwise-audit", "1", entry["chain"], str(entry["seq"]), entry["id"], entry["at"], entry["action"],
        entry["actor_kind"], entry["actor_id"], entry["target_kind"], entry["target_id"], entry["facts"], entry["request_id"],
        entry["prev_hash"],
    )  # fmt: skip
    fields = (text.encode("utf-8", "surrogatepass") for text in texts)
    return hashlib.sha256(b"".join(b"%d:%b," % (len(field_), field_) for field_ in fields)).hexdigest()


def check_chain(pack: Pack, manifest: dict[str, Any], known: Known | None = None) -> int:
    """Verify the slice of the audit log against its attestation; returns how many entries there are.

    Raises:
        Refused: an entry was changed, is missing, came in or moved, or the slice is not the one that was attested.
    """
    told = parse_json(pack.content(ATTESTATION, MOST_MANIFEST_BYTES), "the attestation")
    if _member(told, "form", str, "the attestation") != CHAIN_FORM:
        raise Refused("the attestation is of a form that is not known")
    chain = f"org/{manifest['organisation'].get('id')}"
    if _member(told, "chain", str, "the attestation") != chain:
        raise Refused("the attestation is of another chain")
    whole = _member(told, "whole_chain", dict, "the attestation")
    if whole.get("ok") is not True:
        raise Refused(f"the platform itself found its audit chain broken when it made the pack: {whole.get('problem')}")
    wanted = {item["seq"]: item["hash"] for item in _anchors(told)}
    if known is not None:
        wanted.setdefault(known.seq, known.hash)
        if wanted[known.seq] != known.hash:
            raise Refused(f"entry {known.seq} is not the one that you know from before")
    seq = int(_member(told, "first_seq", int, "the attestation")) - 1
    last_hash = _member(told, "start_hash", str, "the attestation")
    first = seq
    if seq < 0 or _HEX_HASH.fullmatch(last_hash) is None or (seq == 0 and last_hash != "0" * 64):
        raise Refused("the attestation begins nowhere")
    _check_wanted(wanted, seq, last_hash)
    for name in sorted((name for name in pack.files if _ENTRIES.fullmatch(name)), key=_number_of):
        for line in pack.lines(name):
            last_hash = _check_entry(parse_json(line, "an entry of " + name), chain, seq, last_hash)
            seq += 1
            _check_wanted(wanted, seq, last_hash)
    ends = _member(told, "last_seq", int, "the attestation"), _member(told, "end_hash", str, "the attestation")
    if (seq, last_hash) != ends or seq - first != _member(told, "entries", int, "the attestation"):
        raise Refused("the audit log does not end where the attestation says: entries are missing or too many")
    if wanted:
        raise Refused(f"entries {sorted(wanted)[:5]} are outside of this pack")
    return seq - first


def _number_of(name: str) -> int:
    return int(name.rpartition("-")[2].partition(".")[0])


def _anchors(told: Any) -> Iterator[dict[str, Any]]:
    for item in _member(told, "anchors", list, "the attestation"):
        _member(item, "seq", int, "an anchor")
        _member(item, "hash", str, "an anchor")
        yield item


def _check_wanted(wanted: dict[int, str], seq: int, found: str) -> None:
    expected = wanted.pop(seq, None)
    if expected not in (None, found):
        raise Refused(f"entry {seq} is not the one that was anchored or known from before")


def _check_entry(entry: Any, chain: str, seq: int, prev_hash: str) -> str:
    """Check that an entry follows the one before it; returns its hash."""
    if not isinstance(entry, dict) or set(entry) != set(_FIELDS):
        raise Refused(f"behind entry {seq} stands something that is no entry")
    if any(type(entry[name]) is not (int if name in ("seq", "version") else str) for name in _FIELDS):
        raise Refused(f"a field of the entry behind {seq} is of another kind")
    if entry["seq"] != seq + 1:
        raise Refused(f"entry {entry['seq']} comes behind entry {seq}: the log has a gap or another order")
    if entry["chain"] != chain:
        raise Refused(f"entry {entry['seq']} belongs to another chain")
    if entry["version"] != 1:
        raise Refused(f"entry {entry['seq']} is of a form that is not known")
    if entry["prev_hash"] != prev_hash:
        raise Refused(f"entry {entry['seq']} does not follow the one before it")
    if hash_entry(entry) != entry["hash"]:
        raise Refused(f"entry {entry['seq']} was changed")
    return str(entry["hash"])


# --- The command ----------------------------------------------------------------------------------------------------


def read_known(text: str) -> Known:
    """Read `SEQ:HASH`. Raises: ValueError."""
    seq, _, digest = text.partition(":")
    if not seq.isascii() or not seq.isdigit() or len(seq) > 18 or _HEX_HASH.fullmatch(digest) is None:
        raise ValueError(text)
    return Known(int(seq), digest)


def main(arguments: list[str] | None = None) -> int:
    """Verify the pack that the command line names."""
    parser = argparse.ArgumentParser(description="Verify an audit pack of DriftWise, offline.")
    parser.add_argument("pack", help="the ZIP")
    parser.add_argument("--keys", required=True, help="the platform's key set (JSON), taken from the platform itself")
    parser.add_argument("--organisation", help="id of the organisation that the pack must be of")
    parser.add_argument(
        "--known", type=read_known, metavar="SEQ:HASH", help="an entry of the audit log that you know from before"
    )
    chosen = parser.parse_args(arguments)
    try:
        with open(chosen.keys, "rb") as source:  # noqa: PTH123  # as short as it gets
            keys = read_keys(source.read(MOST_KEYS_BYTES))
        with open(chosen.pack, "rb") as source:  # noqa: PTH123
            report = verify(source, keys, organisation=chosen.organisation, known=chosen.known)
    except (OSError, Refused) as error:
        print(f"cannot verify: {error}", file=sys.stderr)
        return 2
    for problem in report.problems:
        print(f"NOT GENUINE: {problem.encode('ascii', 'backslashreplace').decode()}")
    if report.is_ok and report.manifest is not None:
        told = {name: report.manifest.get(name) for name in ("organisation", "window", "built", "issuer")}
        print(f"VERIFIED: signed by {report.key_id}; {report.files} files; {report.entries} entries of the audit log")
        print(json.dumps(told, indent=1, sort_keys=True))
    return 0 if report.is_ok else 1


if __name__ == "__main__":
    sys.exit(main())
