"""The bytes somebody calls a plan to a JSON object, within bounds; anything else gets an answer that says what it looks like.

Owns encodings, compression and recognition. Must not know what stands in a plan.
Source: https://developer.hashicorp.com/terraform/internals/json-format; RFC 1952 (gzip).
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Mapping
from typing import Any, Final, cast

from shared.documents import DocumentRefused, decode, is_shallow, parse

from ...errors import PlanTooLarge, PlanUnreadable

MOST_BYTES: Final = 32 * 1024 * 1024
MOST_VALUES: Final = 4_000_000
MOST_LEVELS: Final = 150  # what providers nest is far below; what walks a value later stays far from the stack's end
EXAMPLE: Final = "`terraform show -json tfplan` (or `tofu show -json tfplan`) writes one"

_GZIP = b"\x1f\x8b"
_GZIP_WINDOW = 16 + zlib.MAX_WBITS
_MOST_WRAPS = 2  # a JSON text inside a JSON text, as some CI systems store an output
_BLANK = "\ufeff \t\r\n"
_WRAPPER_LINE = re.compile(r"\A\[command\][^\n]*\n")  # what the setup-terraform action's wrapper prints first

# What people upload instead of a plan, by what it starts with or holds. First match wins.
_FOREIGN: tuple[tuple[re.Pattern[str], str, str], ...] = (
    (re.compile(r"\s*<(?:!doctype|html|\?xml|head|body)", re.IGNORECASE), "html", "an HTML page, perhaps a sign-in page"),
    (re.compile(r"(?:Terraform|OpenTofu) (?:will perform|used the selected providers)|Plan: \d+ to add|No changes\. "),
     "plan_text", "the plan as people read it"),
    (re.compile(r'\s*(?:(?:#|//)[^\n]*\n\s*)*(?:(?:resource|data)\s+"[^"\n]*"\s+"[^"\n]*"\s*\{|(?:provider|variable|module|output)'
                r'\s+"[^"\n]*"\s*\{|(?:terraform|locals)\s*\{)'), "hcl", "Terraform configuration (HCL)"),
    (re.compile(r"[^\n]{0,200}\bError: "), "error_text", "an error message of Terraform"),
)  # fmt: skip
_HEAD_CHARACTERS = 20_000


def load_document(content: bytes | str | Mapping[str, Any]) -> dict[str, Any]:
    """Return the JSON object that was sent.

    Args:
        content: UTF-8 or UTF-16, with or without a byte order mark, gzip of either; a JSON text inside a JSON text; or the
            object itself. At most 32 MiB, also when unpacked.

    Raises:
        PlanUnreadable: (422 `plan_unreadable`) with `looks_like`, and where reading stopped when that is known.
        PlanTooLarge: (413 `plan_too_large`) more bytes or values than can be held.
    """
    if isinstance(content, Mapping):
        if not is_shallow(content, MOST_LEVELS):
            raise PlanUnreadable(f"the JSON is nested deeper than {MOST_LEVELS} levels", looks_like="json")
        return dict(content)
    found: Any = content
    for _ in range(_MOST_WRAPS + 1):
        found = _parse(_text(found))
        if not isinstance(found, str):
            break
    if not isinstance(found, dict):
        raise PlanUnreadable(f"the JSON is no object; {EXAMPLE}", looks_like="json")
    return cast("dict[str, Any]", found)


def _text(content: bytes | str) -> str:
    if isinstance(content, str):
        if len(content) > MOST_BYTES:
            raise PlanTooLarge(limit_bytes=MOST_BYTES)
        return content
    if len(content) > MOST_BYTES:
        raise PlanTooLarge(limit_bytes=MOST_BYTES)
    if content.startswith(b"PK\x03\x04"):
        raise PlanUnreadable(
            f"this is a plan file in Terraform's binary form (or another archive); {EXAMPLE}", looks_like="binary_plan"
        )
    if content.startswith(_GZIP):
        content = _unpacked(content)
    try:
        return decode(content)
    except DocumentRefused as refused:
        raise PlanUnreadable(f"{refused.detail}; {EXAMPLE}", looks_like="binary") from None


def _unpacked(content: bytes) -> bytes:
    unpacker = zlib.decompressobj(_GZIP_WINDOW)
    try:
        found = unpacker.decompress(content, MOST_BYTES + 1)
    except zlib.error:
        raise PlanUnreadable("the gzip data is damaged", looks_like="gzip") from None
    if len(found) > MOST_BYTES:
        raise PlanTooLarge(limit_bytes=MOST_BYTES)
    if not unpacker.eof:
        raise PlanUnreadable(f"the gzip data is cut off at byte {len(content)}", looks_like="gzip", cut_at=len(content))
    if found.startswith(b"PK\x03\x04"):
        raise PlanUnreadable(f"this is a plan file in Terraform's binary form; {EXAMPLE}", looks_like="binary_plan")
    return found


def _parse(text: str) -> Any:
    text = _WRAPPER_LINE.sub("", text.lstrip(_BLANK)).lstrip(_BLANK)
    if not text:
        raise PlanUnreadable(f"the plan is empty; {EXAMPLE}", looks_like="empty")
    try:
        return parse(text, most_values=MOST_VALUES, most_levels=MOST_LEVELS)
    except DocumentRefused as refused:
        if refused.is_too_large:
            raise PlanTooLarge(limit_values=MOST_VALUES) from None
        raise _explained(text, refused) from None


def _explained(text: str, refused: DocumentRefused) -> PlanUnreadable:
    """Say what a text that is no JSON seems to be."""
    head = text[:_HEAD_CHARACTERS]
    if text[0] not in '{["':
        for pattern, name, words in _FOREIGN:
            if pattern.match(head) if name in {"html", "hcl"} else pattern.search(head):
                return PlanUnreadable(f"this looks like {words}; {EXAMPLE}", looks_like=name)
        return PlanUnreadable(f"{refused.detail}; {EXAMPLE}", looks_like="text", **refused.facts)
    if '"@message"' in head and '"@level"' in head:
        return PlanUnreadable(f"this looks like the log of `terraform plan -json`; {EXAMPLE}", looks_like="plan_log")
    if refused.offset is not None and _is_cut(text, refused):
        size = len(text.encode("utf-8"))
        return PlanUnreadable(
            f"the JSON is cut off at byte {size}: the file was not written to its end",
            looks_like="cut_json",
            cut_at=size,
        )
    return PlanUnreadable(refused.detail, looks_like="json", **refused.facts)


def _is_cut(text: str, refused: DocumentRefused) -> bool:
    """Reading stopped at the end, or in a text, word or escape that the end broke off."""
    end, offset = len(text.rstrip()), refused.offset or 0
    return offset >= end or "Unterminated string" in refused.detail or (offset >= end - 6 and text[end - 1] not in "}]")
