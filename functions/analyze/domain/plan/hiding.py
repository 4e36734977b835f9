"""Hides what must not be seen and marks what is not known: the first thing that happens to a resource's attributes.

Sensitive is what the plan marks so, and what its name says is a secret (providers do not mark everything, and a schema that
Terraform does not know marks nothing). What is hidden keeps one bit: whether it changes.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any

from shared.rules.values import SENSITIVE, SENSITIVE_CHANGED, UNKNOWN

_SECRET_NAME = re.compile(
    r"(?:.*[_.\-])?(?:password|passwd|passphrase|secret|secrets|secret_string|secret_binary|secret_value|secret_data|private_key"
    r"|private_key_pem|client_secret|api_?key|access_key|secret_key|auth_token|access_token|refresh_token|bearer_token|token"
    r"|credentials|connection_string|certificate_pem_private|master_password|admin_password|shared_key|sas_token|pre_?shared_key"
    r"|primary_key|secondary_key|primary_access_key|secondary_access_key)(?:_base64|_wo|_data|_pem|_plaintext)?",
    re.IGNORECASE,
)
_CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_PEM = re.compile(r"-----BEGIN[A-Z0-9 ]{0,40}PRIVATE ?KEY")
_PAIR_NAMES = ("name", "key")
_PLAIN = frozenset({str, int, float, bool, type(None)})


def hide(
    before: Any, after: Any, *, before_sensitive: Any = None, after_sensitive: Any = None, unknown: Any = None
) -> tuple[Any, Any]:
    """Return both sides of a change as rules may see them.

    Args:
        before: the value now; None when there is none.
        after: the value wanted.
        before_sensitive: true, or the same shape with true where a value is sensitive.
        after_sensitive: as `before_sensitive`.
        unknown: true, or the same shape with true where a value is known only after the apply.
    """
    return _hide(before, after, before_sensitive, after_sensitive, unknown, "")


def _hide(before: Any, after: Any, was: Any, will: Any, unknown: Any, name: str) -> tuple[Any, Any]:
    if was is True or will is True or _is_secret(name, before) or _is_secret(name, after):
        return _hidden(before, after, is_unknown=unknown is True or _holds_true(unknown))
    if not unknown and before.__class__ in _PLAIN and after.__class__ in _PLAIN:
        return before, after
    if unknown is True:
        return _hide(before, None, was, None, None, name)[0], UNKNOWN
    if before is not None and after is not None and _shape(before) is not _shape(after):
        return _hide(before, None, was, None, None, name)[0], _hide(None, after, None, will, unknown, name)[1]
    pending = unknown if after is None and _holds_true(unknown) else None
    if pending is not None and before is not None and _shape(before) is not _shape(pending):
        return _hide(before, None, was, None, None, name)[0], _hide(None, None, None, will, pending, name)[1]
    if isinstance(before, dict) or isinstance(after, dict) or isinstance(pending, dict):
        return _hide_objects(before, after, was, will, unknown)
    if isinstance(before, list) or isinstance(after, list) or isinstance(pending, list):
        return _hide_lists(before, after, was, will, unknown, name)
    return before, after


def _hide_objects(before: Any, after: Any, was: Any, will: Any, unknown: Any) -> tuple[Any, Any]:
    old: dict[str, Any] = before if isinstance(before, dict) else {}
    new: dict[str, Any] = after if isinstance(after, dict) else {}
    pending: dict[str, Any] = unknown if isinstance(unknown, dict) else {}
    hidden: dict[str, Any] = was if isinstance(was, dict) else {}
    hiding: dict[str, Any] = will if isinstance(will, dict) else {}
    if _names_secret(old) or _names_secret(new):
        hidden, hiding = {**hidden, "value": True}, {**hiding, "value": True}
    marked = {*pending, *hidden, *hiding}
    left: dict[str, Any] = {}
    right: dict[str, Any] = {}
    for name in {**old, **new, **pending}:
        one, two = old.get(name), new.get(name)
        if name not in marked and _is_plain(name, one) and _is_plain(name, two):
            waits = False
        else:
            waits = _holds_true(pending.get(name))
            one, two = _hide(one, two, hidden.get(name), hiding.get(name), pending.get(name), name)
        if name in old:
            left[name] = one
        if name in new or waits:
            right[name] = two
    return (
        left if isinstance(before, dict) else None,
        right if isinstance(after, dict) or right else None,
    )


def _is_plain(name: str, value: Any) -> bool:
    """Say whether a value, without a mark, may be seen as it is; most are so."""
    return value is None or (value.__class__ in _PLAIN and not _is_secret(name, value))


def _hide_lists(before: Any, after: Any, was: Any, will: Any, unknown: Any, name: str) -> tuple[Any, Any]:
    old = before if isinstance(before, list) else []
    new = after if isinstance(after, list) else []
    pending = unknown if isinstance(unknown, list) else []
    left: list[Any] = []
    right: list[Any] = []
    for index in range(max(len(old), len(new), len(pending))):
        waits = pending[index] if index < len(pending) else None
        seen = _hide(
            old[index] if index < len(old) else None, new[index] if index < len(new) else None,
            _inner(was, index), _inner(will, index), waits, name,
        )  # fmt: skip
        if index < len(old):
            left.append(seen[0])
        if index < len(new) or waits is True or _holds_true(waits):
            right.append(seen[1])
    return left if isinstance(before, list) else None, right if isinstance(after, list) or right else None


def _shape(value: Any) -> type:
    return dict if isinstance(value, dict) else list if isinstance(value, list) else str


def _hidden(before: Any, after: Any, *, is_unknown: bool) -> tuple[Any, Any]:
    left = None if before is None else SENSITIVE
    if is_unknown:
        return left, SENSITIVE_CHANGED
    if after is None:
        return left, None
    return left, SENSITIVE if before is None or before == after else SENSITIVE_CHANGED


def _inner(marks: Any, name: str | int) -> Any:
    if not marks:
        return None
    if isinstance(marks, dict):
        return marks.get(str(name))
    if isinstance(marks, list) and isinstance(name, int) and name < len(marks):
        return marks[name]
    return None


def _holds_true(marks: Any) -> bool:
    if isinstance(marks, dict):
        return any(_holds_true(inner) for inner in marks.values())
    if isinstance(marks, list):
        return any(_holds_true(inner) for inner in marks)
    return marks is True


def _is_secret(name: str, value: Any) -> bool:
    if not isinstance(value, str) or not value:
        return False
    if "PRIVATE" in value and _PEM.search(value):
        return True
    return _is_secret_name(name) and not value.startswith(("arn:", "projects/", "/subscriptions/"))


@lru_cache(maxsize=4096)
def _is_secret_name(name: str) -> bool:
    return _SECRET_NAME.fullmatch(_CAMEL.sub("_", name[:200])) is not None


def _names_secret(pair: dict[str, Any]) -> bool:
    """Say whether an object is a name and a value, where the name says that the value is a secret (environment variables)."""
    if "value" not in pair:
        return False
    named = next((pair[name] for name in _PAIR_NAMES if isinstance(pair.get(name), str)), None)
    return named is not None and _is_secret_name(named)
