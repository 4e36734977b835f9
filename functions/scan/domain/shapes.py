"""Canonical forms: what makes two spellings of one value equal.

A shape is a function from a value, as a state or a cloud spells it, to one canonical value. Two values that mean the
same come out equal; two values that mean something else never do (a rule that hides a real change is a bug).
Canonical sets are tuples (compared whole), lists stay lists (compared by index), blocks are dicts (compared by name).
"""

from __future__ import annotations

import ipaddress
import json
import re
from collections.abc import Callable, Iterable, Mapping
from decimal import Decimal, InvalidOperation
from typing import TypeAlias, Union

Canonical: TypeAlias = Union[
    bool, int, str, Decimal, "list[Canonical]", "tuple[Canonical, ...]", "dict[str, Canonical]", None
]
Shape: TypeAlias = Callable[[object], Canonical]


def text(value: object) -> Canonical:
    """Plain text; the empty string is null."""
    return None if value is None or value == "" else str(value)


def folded_text(value: object) -> Canonical:
    """Text whose case carries no meaning (DNS names, protocol words)."""
    found = text(value)
    return found.lower() if isinstance(found, str) else found


def dns_name(value: object) -> Canonical:
    """A DNS name: case and the trailing dot carry no meaning (RFC 4343; RFC 1034 section 3.1)."""
    found = folded_text(value)
    return found.rstrip(".") if isinstance(found, str) else found


def cidr(value: object) -> Canonical:
    """A block of addresses: an IPv6 address has many spellings (RFC 5952), and EC2 clears bits beyond the prefix.

    Blocks of other lengths or of the other family stay apart (`0.0.0.0/0` is not `::/0`).
    """
    found = text(value)
    if not isinstance(found, str) or "/" not in found:
        return found
    try:
        return str(ipaddress.ip_network(found, strict=False))
    except ValueError:
        return found


def ip_address(value: object) -> Canonical:
    """One address; an IPv6 address has many spellings (RFC 5952)."""
    found = text(value)
    try:
        return str(ipaddress.ip_address(found)) if isinstance(found, str) else found
    except ValueError:
        return found


def number(value: object) -> Canonical:
    """A number, whether spelled as text or not; null stays null."""
    if value is None or value == "":
        return None
    if isinstance(value, bool):
        return int(value)
    try:
        found = Decimal(str(value))
    except InvalidOperation:
        return str(value)
    if not found.is_finite():
        return str(value)  # a text like "inf" or "nan" is a word here
    return int(found) if found == found.to_integral_value() else found.normalize()


def number_or_zero(value: object) -> Canonical:
    """A number where the provider writes 0 for "not set"."""
    return number(value) or 0


def boolean(value: object) -> Canonical:
    """A flag; absent is false, and `"true"`/`"false"` are accepted."""
    if isinstance(value, str):
        return value.lower() == "true"
    return bool(value)


def string_map(value: object) -> Canonical:
    """A map of text to text; an empty map is null. Empty values are kept: `""` and absent differ in a map."""
    if not isinstance(value, Mapping) or not value:
        return None
    return {str(name): "" if item is None else str(item) for name, item in sorted(value.items())}


def tags(value: object) -> Canonical:
    """Resource tags; tags that AWS itself sets (`aws:` prefix, which users cannot write) are left out."""
    if not isinstance(value, Mapping):
        return None
    return string_map({name: item for name, item in value.items() if not str(name).startswith("aws:")})


def sorted_canonical(items: Iterable[Canonical]) -> tuple[Canonical, ...]:
    """Order a set of canonical values in a stable way, each value once."""
    unique = {json.dumps(item, sort_keys=True, default=str): item for item in items}
    return tuple(unique[name] for name in sorted(unique))


def set_of(shape: Shape) -> Shape:
    """A set of values; order and repetition carry no meaning; an empty set is null."""

    def canonical(value: object) -> Canonical:
        items = sorted_canonical(shape(item) for item in _items(value))
        return items or None

    return canonical


def list_of(shape: Shape) -> Shape:
    """A list of values; order carries meaning; an empty list is null."""

    def canonical(value: object) -> Canonical:
        return [shape(item) for item in _items(value)] or None

    return canonical


def block(shapes: Mapping[str, Shape]) -> Shape:
    """One nested block, as Terraform stores it: a list of at most one object. Only the named members are compared.

    A block in which every member is null or false is null: the provider may write either.
    """
    one = members(shapes)

    def canonical(value: object) -> Canonical:
        items = _items(value)
        found = one(items[0]) if items else None
        return found if isinstance(found, dict) and any(found.values()) else None

    return canonical


def members(shapes: Mapping[str, Shape]) -> Shape:
    """The named members of one object; a member that is absent counts as null."""

    def canonical(value: object) -> Canonical:
        if not isinstance(value, Mapping):
            return None
        return {name: shape(value.get(name)) for name, shape in shapes.items()}

    return canonical


def default_is(default: Canonical, shape: Shape) -> Shape:
    """A value whose default may be spelled out or left out: the default is null."""

    def canonical(value: object) -> Canonical:
        found = shape(value)
        return None if found == default else found

    return canonical


def keyed(name: str, shapes: Mapping[str, Shape]) -> Shape:
    """Blocks that carry a name of their own and whose order carries no meaning: compared by that name."""
    one = members(shapes)

    def canonical(value: object) -> Canonical:
        items = [item for item in _items(value) if isinstance(item, Mapping)]
        return {str(item.get(name)): one(item) for item in items} or None

    return canonical


def document(value: object) -> Canonical:
    """A JSON document, as text or parsed: member order and white space carry no meaning.

    A text in which an object names a member twice stays a text: readers differ in which of the two counts.
    """
    parsed = _parsed(value)
    return None if parsed in (None, "", {}, []) else _frozen_document(parsed)


def whole_document(value: object) -> Canonical:
    """A JSON document that may be empty: `{}` differs from none."""
    return None if value in (None, "") else _frozen_document(_parsed(value))


def schedule(value: object) -> Canonical:
    """A schedule expression; a rate comes in several units (`rate(60 minutes)` is `rate(1 hour)`).

    Source: Amazon EventBridge User Guide, "Rate expressions".
    """
    found = text(value)
    rate = _RATE.fullmatch(found.strip()) if isinstance(found, str) else None
    return f"rate({int(rate[1]) * _MINUTES[rate[2]]} minutes)" if rate else found


def policy(value: object) -> Canonical:
    """An IAM policy document in one form.

    A single statement or value equals a list of one; actions are case-insensitive; statement and value order carry no
    meaning; an account id as principal equals its root ARN; the `AWS: "*"` principal stays apart from `"*"`.
    Source: AWS IAM User Guide, "IAM JSON policy elements reference" and "Grammar of the IAM JSON policy language".
    """
    parsed = _parsed(value)
    if not isinstance(parsed, Mapping) or not parsed:
        return document(parsed)  # no policy at all, or a text that is none: it must not pass for none
    statements = [_statement(item) for item in _items(parsed.get("Statement"))]
    head: dict[str, Canonical] = {
        str(name): _frozen_document(item) for name, item in parsed.items() if name != "Statement"
    }
    return {"Version": _FIRST_VERSION, **head, "Statement": sorted_canonical(statements)}


def bucket_policy(value: object) -> Canonical:
    """A bucket's policy; `without_log_delivery` says what AWS may add to it by itself."""
    return policy(value)


def without_log_delivery(before: Canonical, after: Canonical) -> Canonical:
    """Leave out of a live policy the statements that AWS adds when somebody sends service logs to a bucket.

    Only statements that the state does not hold, and only in the documented form: the log service alone, for the one
    account whose logs these are, with one fixed prefix. Whatever is wider stays a change.
    Source: Amazon CloudWatch Logs User Guide, "Logs sent to Amazon S3".
    """
    if not isinstance(after, dict) or not isinstance(after.get("Statement"), tuple):
        return after
    known = before.get("Statement") if isinstance(before, dict) else ()
    declared = known if isinstance(known, tuple) else ()
    statements = after["Statement"]
    if not isinstance(statements, tuple):
        return after
    kept = tuple(item for item in statements if item in declared or not _delivers_logs(item))
    return {**after, "Statement": kept} if kept or before is not None else None


RECONCILED: Mapping[Shape, Callable[[Canonical, Canonical], Canonical]] = {bucket_policy: without_log_delivery}
"""Shapes whose live value is seen in the light of the declared one: (before, after) -> what is compared as after."""


def constant(_value: object) -> Canonical:
    """An attribute that is known but never compared."""
    return None


_FIRST_VERSION = "2008-10-17"  # of the policy language: what a document without one is read in
_ROOT = re.compile(r"arn:aws[a-z-]*:iam::(\d{12}):root")
_RATE = re.compile(r"rate\(\s*(\d{1,9})\s+(minute|hour|day)s?\s*\)")
_MINUTES: Mapping[str, int] = {"minute": 1, "hour": 60, "day": 1440}
_LOG_SID = re.compile(r"AWSLogDelivery(Write|AclCheck)\d*")
_LOG_PATH = re.compile(r"arn:aws[a-z-]*:s3:::[a-z0-9.-]+/(?:[^*?]+/)?AWSLogs/(\d{12})/\*")
_BUCKET_ARN = re.compile(r"arn:aws[a-z-]*:s3:::[a-z0-9.-]+")
_ACTION_NAMES = {"Action", "NotAction"}
_LIST_NAMES = _ACTION_NAMES | {"Resource", "NotResource"}


def _statement(value: object) -> Canonical:
    if not isinstance(value, Mapping):
        return _frozen_document(value)
    found: dict[str, Canonical] = {}
    for name, item in value.items():
        if name in _LIST_NAMES:
            words = (str(word) for word in _items(item))
            found[name] = sorted_canonical(word.lower() if name in _ACTION_NAMES else word for word in words)
        elif name in {"Principal", "NotPrincipal"}:
            found[name] = _principal(item)
        elif name == "Condition" and isinstance(item, Mapping):
            found[name] = {str(operator): _condition_keys(keys) for operator, keys in item.items()}
        elif name != "Sid" or item:
            found[name] = _frozen_document(item)
    return found


def _condition_keys(keys: object) -> Canonical:
    """Condition keys, whose case carries no meaning unless one comes in two spellings."""
    if not isinstance(keys, Mapping):
        return _frozen_document(keys)
    lower = [str(key).lower() for key in keys]
    names = lower if len(set(lower)) == len(lower) else [str(key) for key in keys]
    return {
        name: sorted_canonical(_condition_value(word) for word in _items(words))
        for name, words in zip(names, keys.values(), strict=True)
    }


def _delivers_logs(value: Canonical) -> bool:
    """Say whether a statement is one that AWS documents for the delivery of service logs, with nothing beside it."""
    if not isinstance(value, dict) or value.get("Effect") != "Allow":
        return False
    if value.keys() != {"Sid", "Effect", "Principal", "Action", "Resource", "Condition"}:
        return False
    sid, resource, condition = value["Sid"], value["Resource"], value["Condition"]
    if not isinstance(sid, str) or not _LOG_SID.fullmatch(sid) or not isinstance(condition, dict):
        return False
    if value["Principal"] != {"Service": ("delivery.logs.amazonaws.com",)}:
        return False
    if not isinstance(resource, tuple) or len(resource) != 1 or not isinstance(condition.get("StringEquals"), dict):
        return False
    equals, target = condition["StringEquals"], str(resource[0])
    if not isinstance(equals, dict):
        return False
    account = equals.get("aws:sourceaccount")
    if not isinstance(account, tuple) or len(account) != 1 or not re.fullmatch(r"\d{12}", str(account[0])):
        return False
    logs = f"arn:aws[a-z-]*:logs:[a-z0-9-]+:{account[0]}:[^?]*"
    source = condition.get("ArnLike")
    sources = source.get("aws:sourcearn") if isinstance(source, dict) and len(source) == 1 else None
    is_own = isinstance(sources, tuple) and all(re.fullmatch(logs, str(item)) for item in sources)
    if not is_own or condition.keys() != {"StringEquals", "ArnLike"}:
        return False
    if value["Action"] == ("s3:putobject",):
        path = _LOG_PATH.fullmatch(target)
        owner = {"aws:sourceaccount": account, "s3:x-amz-acl": ("bucket-owner-full-control",)}
        return path is not None and path[1] == account[0] and equals == owner
    actions = value["Action"]
    is_check = isinstance(actions, tuple) and bool(actions) and set(actions) <= {"s3:getbucketacl", "s3:listbucket"}
    return is_check and _BUCKET_ARN.fullmatch(target) is not None and equals.keys() == {"aws:sourceaccount"}


def _condition_value(value: object) -> Canonical:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _principal(value: object) -> Canonical:
    if not isinstance(value, Mapping):
        return _frozen_document(value)
    return {
        str(kind): sorted_canonical(_principal_name(str(kind), str(item)) for item in _items(names))
        for kind, names in value.items()
    }


def _principal_name(kind: str, name: str) -> str:
    root = _ROOT.fullmatch(name) if kind == "AWS" else None
    return root[1] if root else name


def _parsed(value: object) -> object:
    if isinstance(value, str):
        try:
            return json.loads(value, object_pairs_hook=_unambiguous)
        except (ValueError, RecursionError):
            return value
    return value


def _unambiguous(pairs: list[tuple[str, object]]) -> dict[str, object]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a member is named twice")
    return found


def _frozen_document(value: object) -> Canonical:
    if isinstance(value, Mapping):
        return {str(name): _frozen_document(item) for name, item in sorted(value.items())}
    if isinstance(value, list | tuple):
        return [_frozen_document(item) for item in value]
    if isinstance(value, float):
        return number(value)
    return value if isinstance(value, None | bool | int | str) else str(value)


def _items(value: object) -> list[object]:
    if value is None:
        return []
    if isinstance(value, list | tuple | set | frozenset):
        return list(value)
    return [value]
