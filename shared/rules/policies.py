"""AWS policy documents, read as what they say; never searched as text.

Source: AWS IAM User Guide, "IAM JSON policy elements reference"; Amazon S3 User Guide, 'The meaning of "public"'.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, TypeAlias

from .values import at, is_mark, is_object, items, parsed, texts

# Above either nothing is computed, and the rule says `unknown-value`. AWS itself takes at most 32 KiB of policy.
MOST_STATEMENTS = 500
MOST_WORDS = 4_000
_MOST_KEPT = 65_536
_ARN_ACCOUNT = re.compile(r"arn:[a-z-]{1,20}:[a-z0-9-]{1,40}:[a-z0-9-]{0,30}:(\d{12}):.*", re.DOTALL)
_ACCOUNT = re.compile(r"\d{12}")
# Conditions that name who asks. Others (time, TLS, region) leave the door open to anybody.
_NAMING_KEYS = frozenset({
    "aws:principalorgid", "aws:principalorgpaths", "aws:principalarn", "aws:principalaccount", "aws:sourcearn", "aws:sourceaccount",
    "aws:sourceowner", "aws:sourcevpc", "aws:sourcevpce", "aws:sourceip", "aws:vpcsourceip", "aws:userid", "aws:username",
    "aws:sourceorgid", "aws:sourceorgpaths", "kms:calleraccount", "s3:dataaccesspointaccount", "s3:dataaccesspointarn",
})  # fmt: skip
_COMPARED = frozenset({"stringequals", "stringlike", "arnequals", "arnlike"})
_NAMING_OPERATORS = frozenset(
    {"stringequals", "stringequalsignorecase", "stringlike", "arnequals", "arnlike", "ipaddress"}
)


Condition: TypeAlias = tuple[str, str, tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class Statement:
    """One statement.

    Attributes:
        is_allow: its effect.
        actions: lower case patterns; `("*",)` for `NotAction`.
        excepted: the patterns of `NotAction`.
        resources: patterns; `("*",)` when it names none or has `NotResource`.
        principals: (kind, name); empty in identity policies.
        is_for_all_but: it has `NotPrincipal`.
        conditions: (operator, key, values), lower case but for values, sorted.
    """

    is_allow: bool
    actions: tuple[str, ...]
    excepted: tuple[str, ...]
    resources: tuple[str, ...]
    principals: tuple[tuple[str, str], ...]
    is_for_all_but: bool
    conditions: tuple[Condition, ...]

    @property
    def names_who(self) -> bool:
        """Whether a condition names who may ask, so that a principal `*` is not everybody."""
        return any(
            operator.removeprefix("foranyvalue:") in _NAMING_OPERATORS
            and key in _NAMING_KEYS
            and _is_narrow(key, values)
            for operator, key, values in self.conditions
        )


def statements_at(document: object, paths: Iterable[str]) -> list[Statement]:
    """Return every statement of the policy documents under some paths; what is unknown or no policy gives none."""
    return [item for path in paths for policy in _policies(document, path) for item in statements(policy)]


def is_too_long(document: object, paths: Iterable[str]) -> bool:
    """Say whether the policy documents under some paths hold more than can be compared in bounded time."""
    found = statements_at(document, paths)
    return (
        len(found) > MOST_STATEMENTS
        or sum(len(item.actions) + len(item.excepted) + len(item.resources) + len(item.principals) for item in found)
        > MOST_WORDS
    )


def statements(policy: object) -> Sequence[Statement]:
    """Return the statements of one document, given as JSON text or parsed."""
    return _of_text(policy) if isinstance(policy, str) and len(policy) <= _MOST_KEPT else _statements(policy)


@lru_cache(maxsize=32)  # several rules read the same policy one after the other
def _of_text(policy: str) -> tuple[Statement, ...]:
    return _statements(policy)


def _statements(policy: object) -> tuple[Statement, ...]:
    document = parsed(policy)
    found = items(document.get("Statement")) if is_object(document) else ()
    return tuple(_statement(item) for item in found if is_object(item))


@lru_cache(maxsize=65_536)
def glob_covers(wide: str, narrow: str) -> bool:
    """Say whether a pattern with `*` and `?` covers a text or a narrower pattern; linear but for restarts at a star."""
    i = j = mark = 0
    star = -1
    while j < len(narrow):
        if i < len(wide) and wide[i] == "*":
            star, mark = i, j
            i += 1
        elif i < len(wide) and (wide[i] == narrow[j] or (wide[i] == "?" and narrow[j] != "*")):
            i, j = i + 1, j + 1
        elif star >= 0:
            mark += 1
            i, j = star + 1, mark
        else:
            return False
    return all(letter == "*" for letter in wide[i:])


def allows(policy: Sequence[Statement], action: str) -> str:
    """Say on what an action is allowed: `any` resource, `some`, or not at all (empty). Denials are not counted on."""
    action, best = action.lower(), ""
    for item in policy:
        if not item.is_allow or any(glob_covers(pattern, action) for pattern in item.excepted):
            continue
        if any(glob_covers(pattern, action) for pattern in item.actions):
            is_any = not item.conditions and any(_is_everything(pattern) for pattern in item.resources)
            best = "any" if is_any or best == "any" else "some"
    return best


def covers(before: Sequence[Statement], item: Statement, action: str, resource: str) -> bool:
    """Say whether earlier statements allowed an action pattern on a resource pattern under no stricter conditions."""
    return any(
        old.is_allow
        and not (set(old.excepted) - set(item.excepted))
        and old.conditions in {(), item.conditions}
        and any(glob_covers(pattern, action) for pattern in old.actions)
        and any(glob_covers(pattern, resource) for pattern in old.resources)
        for old in before
    )


def conditions_cover(old: Statement, new: Statement) -> bool:
    """Say whether whoever meets the conditions of one statement met those of an earlier one: nothing was widened."""
    return all(any(_is_narrower(condition, other) for other in new.conditions) for condition in old.conditions)


def _is_narrower(old: Condition, new: Condition) -> bool:
    """Say whether one condition lets through nothing that another one does not; only operators that name values are compared."""
    if old == new:
        return True
    (was, key, wide), (will, other, narrow) = old, new
    if key != other or not narrow:
        return False
    prefix, _, operator = was.rpartition(":")
    new_prefix, _, new_operator = will.rpartition(":")
    if prefix != new_prefix or {operator, new_operator} - _COMPARED:
        return False
    if operator == "stringequals":
        return set(narrow) <= set(wide) and (
            new_operator == operator or not any("*" in word or "?" in word for word in narrow)
        )
    return all(any(glob_covers(pattern, word) for pattern in wide) for word in narrow)


def account_of(text: object) -> str | None:
    """Return the account that an ARN or an account id names."""
    if not isinstance(text, str):
        return None
    if _ACCOUNT.fullmatch(text):
        return text
    found = _ARN_ACCOUNT.fullmatch(text)
    return found[1] if found else None


def outsiders(policy: Sequence[Statement]) -> dict[tuple[str, str], Statement]:
    """Return who is allowed in by a resource policy, with the widest statement that says so."""
    found: dict[tuple[str, str], Statement] = {}
    for item in policy:
        for principal in item.principals if item.is_allow else ():
            if principal not in found or len(item.conditions) < len(found[principal].conditions):
                found[principal] = item
    return found


def public_statements(policy: Sequence[Statement]) -> list[Statement]:
    """Return the statements that let anybody in."""
    return [
        item
        for item in policy
        if item.is_allow
        and not item.names_who
        and (item.is_for_all_but or any(kind in {"*", "AWS"} and name == "*" for kind, name in item.principals))
    ]


def is_everywhere(item: Statement) -> bool:
    """Say whether a statement is about every resource."""
    return any(_is_everything(pattern) for pattern in item.resources)


def _policies(document: object, path: str) -> list[Any]:
    """Return the documents under a path; a parsed document is an object, so the walk stops there."""
    return [value for _, value in at(document, path) if value is not None and not is_mark(value)]


def _statement(item: Mapping[str, Any]) -> Statement:
    excepted = tuple(dict.fromkeys(word.lower() for word in texts(item.get("NotAction"))))
    actions = tuple(dict.fromkeys(word.lower() for word in texts(item.get("Action"))))
    resources = tuple(dict.fromkeys(texts(item.get("Resource"))))
    return Statement(
        is_allow=item.get("Effect") == "Allow",
        actions=actions or (("*",) if excepted else ()),
        excepted=excepted,
        resources=resources or ("*",),
        principals=tuple(_principals(item.get("Principal"))),
        is_for_all_but="NotPrincipal" in item,
        conditions=tuple(_conditions(item.get("Condition"))),
    )


def _principals(value: object) -> list[tuple[str, str]]:
    if isinstance(value, str):
        return [("*", value)] if value == "*" else [("AWS", value)]
    if not is_object(value):
        return []
    return sorted((str(kind), name) for kind, names in value.items() for name in texts(names))


def _conditions(value: object) -> list[Condition]:
    if not is_object(value):
        return []
    return sorted(
        (str(operator).lower(), str(key).lower(), tuple(sorted(_word(word) for word in items(words))))
        for operator, keys in value.items()
        if is_object(keys)
        for key, words in keys.items()
    )


def _word(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value, default=str, sort_keys=True)


def _is_narrow(key: str, values: tuple[str, ...]) -> bool:
    """Say whether a condition's values leave anybody out; every organisation's id starts with the same letters."""
    if key.endswith("orgid") and any("*" in value or "?" in value for value in values):
        return False
    return bool(values) and all(value.strip("*?") not in {"", "0.0.0.0/0", "::/0"} for value in values)


def _is_everything(pattern: str) -> bool:
    return pattern.strip("*") in {"", "arn:aws:iam::"} or pattern in {"arn:aws:s3:::*", "arn:*:*:*:*:*"}
