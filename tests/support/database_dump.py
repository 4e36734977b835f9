"""Looks for secrets where none may be: a whole database as text, files on a disk, logs. And tries keys on what is sealed.

A secret is found in any of the forms in which data usually leaves a database, and by any 12 bytes of it.
"""

from __future__ import annotations

import ast
import base64
import hashlib
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path
from urllib.parse import quote

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from pg8000 import native

from tests.support.sealed_fields import derived_key

PIECE_BYTES = 12  # so much of a secret is worth something
_STRIDE = 8  # in large files: every piece of at least 19 bytes is found
_KEY_SIZES = (16, 24, 32)
_MOST_KEY_MATERIAL = 200

_RELATIONS = """
select format('%I.%I', n.nspname, c.relname)
from pg_class c
join pg_namespace n on n.oid = c.relnamespace
where c.relkind in ('r', 'p', 'm') and n.nspname not in ('pg_catalog', 'information_schema') and n.nspname !~ '^pg_(toast|temp)'
order by 1
"""


def dump(connection: native.Connection) -> dict[str, bytes]:
    """Return every table of every schema as text, as `copy` writes it.

    Args:
        connection: of the owner; row-level security is set aside for it, so that nothing is left out.
    """
    connection.run("set row_security = off")
    found: dict[str, bytes] = {}
    for (name,) in connection.run(_RELATIONS):
        stream = BytesIO()
        connection.run(f"copy (select * from {name}) to stdout", stream=stream)
        found[name] = stream.getvalue()
    return found


def forms(secret: bytes) -> dict[str, tuple[bytes, int]]:
    """Return a secret in every form that is looked for, each with the length of 12 bytes of it in that form."""
    found = {
        "plain": (secret, PIECE_BYTES),
        "backwards": (secret[::-1], PIECE_BYTES),
        "hex": (secret.hex().encode(), 2 * PIECE_BYTES),
        "hex, upper case": (secret.hex().upper().encode(), 2 * PIECE_BYTES),
        "URL-encoded": (quote(secret, safe="").encode(), PIECE_BYTES),
        "every byte URL-encoded": ("".join(f"%{byte:02X}" for byte in secret).encode(), 3 * PIECE_BYTES),
        "UTF-16": (b"".join(bytes([byte, 0]) for byte in secret), 2 * PIECE_BYTES),
    }
    for shift in range(3):  # what stands before it moves it against base64's groups of three bytes
        whole = (len(secret) - shift) // 3 * 3
        inner = secret[shift : shift + whole]
        for name, encode in (("base64", base64.b64encode), ("base64url", base64.urlsafe_b64encode)):
            found[f"{name} + {shift}"] = (encode(inner), 4 * PIECE_BYTES // 3)
    return found


@dataclass
class Hunt:
    """Secrets to look for, by name; each of at least 12 bytes."""

    secrets: Mapping[str, bytes]
    _pieces: dict[bytes, list[tuple[str, bytes]]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for name, secret in self.secrets.items():
            assert len(secret) >= PIECE_BYTES, f"{name} is too short to be told from chance"
            for form, (text, size) in forms(secret).items():
                for start in range(len(text) - size + 1):
                    piece = text[start : start + size]
                    self._pieces.setdefault(piece[:PIECE_BYTES], []).append((f"{name} ({form})", piece))

    def found_in(self, content: bytes, *, stride: int = 1) -> set[str]:
        """Return the names of the secrets that a content holds 12 bytes of, with the form."""
        found: set[str] = set()
        pieces = self._pieces
        for start in range(0, len(content) - PIECE_BYTES + 1, stride):
            if content[start : start + PIECE_BYTES] in pieces:
                candidates = pieces[content[start : start + PIECE_BYTES]]
                found |= {name for name, piece in candidates if content.startswith(piece, start)}
        return found

    def found_in_files(self, files: Iterable[Path]) -> dict[str, set[str]]:
        """Return what large binary files hold, by file."""
        found = {str(path): self.found_in(path.read_bytes(), stride=_STRIDE) for path in files}
        return {path: names for path, names in found.items() if names}


def sealed_columns(connection: native.Connection) -> Iterator[tuple[str, str, bytes]]:
    """Yield every value of every column whose name ends in `_encrypted`: table, column, value."""
    columns = connection.run(
        "select format('%I.%I', table_schema, table_name), column_name::text from information_schema.columns "
        "where column_name ~ '_encrypted$' and table_schema !~ '^pg_' order by 1, 2"
    )
    for table, column in columns:
        for (value,) in connection.run(f"select {column} from {table} where {column} is not null"):
            yield table, column, bytes(value)


def words_of_source(root: Path, *folders: str) -> set[bytes]:
    """Return every constant of the source: text, bytes, and what text decodes to as hex or base64."""
    found: set[bytes] = set()
    for folder in folders:
        for path in sorted((root / folder).rglob("*.py")):
            for node in ast.walk(ast.parse(path.read_bytes())):
                if isinstance(node, ast.Constant) and isinstance(node.value, str | bytes):
                    value = node.value.encode("utf-8", "surrogatepass") if isinstance(node.value, str) else node.value
                    found |= {value, *re.split(rb"\s+", value)}
    return found


def words_of_dump(tables: Mapping[str, bytes]) -> set[bytes]:
    """Return every cell of a dump, and the words within."""
    found: set[bytes] = set()
    for text in tables.values():
        for cell in re.split(rb"[\t\n]", text):
            found.add(cell)
            found.update(re.split(rb"[^0-9A-Za-z+/=_-]+", cell))
    return found


def keys_made_of(words: Iterable[bytes]) -> Iterator[bytes]:
    """Yield every AES key that somebody could make of a word: as it is, decoded, filled up, cut, hashed."""
    for word in words:
        if 0 < len(word) <= _MOST_KEY_MATERIAL:
            for material in (word, *_decoded(word)):
                if len(material) in _KEY_SIZES:
                    yield material
                    yield derived_key(material)
                yield hashlib.sha256(material).digest()
                yield material[:32].ljust(32, b"\0")


def _decoded(word: bytes) -> Iterator[bytes]:
    text = word.removeprefix(rb"\\x").removeprefix(rb"\x")
    if re.fullmatch(rb"(?:[0-9A-Fa-f]{2}){12,}", text):
        yield bytes.fromhex(text.decode())
    bare = word.rstrip(b"=")
    if re.fullmatch(rb"[0-9A-Za-z+/_-]{16,}", bare) and len(bare) % 4 != 1:
        yield base64.urlsafe_b64decode(bare.translate(bytes.maketrans(b"+/", b"-_")) + b"==")


def is_opened_by(key: bytes, nonce: bytes, ciphertext: bytes, plaintext: bytes) -> bool:
    """Say whether an AES-GCM ciphertext turns into the plaintext under a key, whatever its tag covers."""
    encryptor = Cipher(algorithms.AES(key), modes.ECB()).encryptor()  # noqa: S305  # one block of GCM's key stream
    stream = encryptor.update(nonce + (2).to_bytes(4, "big"))
    return bytes(one ^ other for one, other in zip(stream, plaintext[:16], strict=False)) == ciphertext[:16]
