"""Random resources and filters of SCIM, from few values, so that they often have to do with each other."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import strategies as st

from functions.scim.domain.schemas import ENTERPRISE_URN, USER_URN

# Letters whose case is more than one bit, what LIKE, JSON and SQL make something of, and what is nothing.
TEXTS = (
    "", "a", "A", "ab", "AB", "b", "bab", "%", "_", "a%b", "a_b", "\\", "\\%", "'", '"', "a'b", "ß", "SS", "ss", "İ", "i̇", "\u0131", "Ǆ", "ǆ", "Σ", "ς",
    "é", "E\u0301", "ﬁ", "FI", "\U0001f600", "\uffff", "true", "1", "null", ":a", "{}", " ", "a b", "\n", "$1", "--",
)  # fmt: skip
IDS = (
    "00000000-0000-4000-8000-000000000001", "00000000-0000-4000-8000-00000000000a", "00000000-0000-4000-8000-00000000000A", "1", "",
)  # fmt: skip
MOMENTS = (
    "2011-05-13T04:42:34Z", "2011-05-13T04:42:34.000001Z", "2011-05-13T06:42:34+02:00", "2024-02-29T23:59:59.999999Z", "1999-12-31T23:59:59-11:30",
)  # fmt: skip
TYPES = ("work", "WORK", "home", "other")

texts = st.sampled_from(TEXTS) | st.text(st.sampled_from("aAbB%_'\\ßsS"), max_size=4)
moments = st.sampled_from(MOMENTS)


def _some(**parts: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    return st.fixed_dictionaries({}, optional=parts)


_plural = st.lists(
    _some(value=texts, display=texts, type=st.sampled_from(TYPES), primary=st.booleans()).filter(bool), max_size=3
)
_address = st.lists(
    _some(formatted=texts, locality=texts, type=st.sampled_from(TYPES), primary=st.booleans()).filter(bool), max_size=2
)


def _without_empty(found: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in found.items() if value not in ({}, [])}


users = _some(
    userName=texts, externalId=texts, displayName=texts, title=texts, profileUrl=texts, active=st.booleans(),
    name=_some(familyName=texts, givenName=texts), emails=_plural, phoneNumbers=_plural, addresses=_address,
    **{ENTERPRISE_URN: _some(department=texts, manager=_some(value=texts)).map(_without_empty)},
).map(_without_empty)  # fmt: skip
groups = _some(
    displayName=texts, externalId=texts,
    members=st.lists(_some(value=st.sampled_from(IDS), type=st.sampled_from(("User", "Group"))).filter(bool), max_size=3),
).map(_without_empty)  # fmt: skip

_TEXT_OPERATORS = ("eq", "ne", "co", "sw", "ew", "gt", "ge", "lt", "le")
_PLURALS = ("emails", "phoneNumbers")
USER_TEXTS = (
    "userName", "externalId", "displayName", "title", "profileUrl", "name.familyName", "name.givenName", "emails", "emails.value", "emails.type",
    "phoneNumbers.display", "addresses.locality", f"{ENTERPRISE_URN}:department", f"{ENTERPRISE_URN}:manager",
    f"{ENTERPRISE_URN.upper()}:manager.value", "urn:ietf:params:scim:schemas:core:2.0:User:userName", "nickName",
)  # fmt: skip
USER_BOOLEANS = ("active", "emails.primary", "phoneNumbers.primary")
USER_PRESENT = (*USER_TEXTS, *USER_BOOLEANS, "name", "addresses", "meta.created", f"{ENTERPRISE_URN}:manager", "id")


def _comparison(
    paths: tuple[str, ...], values: st.SearchStrategy[str], operators: tuple[str, ...]
) -> st.SearchStrategy[str]:
    words = st.sampled_from([form for operator in operators for form in (operator, operator.capitalize())])
    quoted = values.map(lambda text: json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f"))
    return st.tuples(st.sampled_from(paths), words, quoted).map(" ".join)


_booleans = st.sampled_from(["true", "false", "True", '"False"'])
_nulls = st.sampled_from(["eq null", "ne null", "pr", "PR"])


def _presence(paths: tuple[str, ...]) -> st.SearchStrategy[str]:
    return st.tuples(st.sampled_from(paths), _nulls).map(" ".join)


def _combined(leaves: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    return st.recursive(
        leaves,
        lambda inner: st.one_of(
            inner.map(lambda one: f"not ({one})"),
            inner.map(lambda one: f"({one})"),
            st.tuples(inner, st.sampled_from(["and", "or", "AND", "Or"]), inner).map(" ".join),
        ),
        max_leaves=5,
    )


_inside = _combined(
    _comparison(("value", "type", "display"), texts | st.sampled_from(TYPES), _TEXT_OPERATORS)
    | st.tuples(st.just("primary"), st.sampled_from(["eq", "ne"]), _booleans).map(" ".join)
    | _presence(("value", "type", "primary"))
)
_selection = st.tuples(st.sampled_from(_PLURALS), _inside).map(lambda found: f"{found[0]}[{found[1]}]")

user_filters = _combined(
    _comparison(USER_TEXTS, texts, _TEXT_OPERATORS)
    | st.tuples(st.sampled_from(USER_BOOLEANS), st.sampled_from(["eq", "ne"]), _booleans).map(" ".join)
    | _comparison(("meta.created", "meta.lastModified"), moments, ("eq", "ne", "gt", "ge", "lt", "le"))
    | _comparison(("id",), st.sampled_from(IDS), _TEXT_OPERATORS)
    | st.tuples(
        st.just("schemas"),
        st.sampled_from(["eq", "ne"]),
        st.sampled_from([f'"{USER_URN}"', f'"{ENTERPRISE_URN}"', '"urn:x"']),
    ).map(" ".join)
    | st.tuples(
        st.just("meta.resourceType"), st.sampled_from(["eq", "ne"]), st.sampled_from(['"User"', '"Group"'])
    ).map(" ".join)
    | _presence(USER_PRESENT)
    | _selection
)
group_filters = _combined(
    _comparison(("displayName", "externalId", "members.type", "members.display"), texts, _TEXT_OPERATORS)
    | _comparison(("members", "members.value", "id"), st.sampled_from(IDS), _TEXT_OPERATORS)
    | _presence(("members", "members.value", "members.type", "members.display", "displayName"))
    | _combined(
        _comparison(("value",), st.sampled_from(IDS), _TEXT_OPERATORS)
        | _comparison(("type", "display"), st.sampled_from(("user", "Group", "")), _TEXT_OPERATORS)
        | _presence(("value", "type", "display"))
    ).map(lambda inner: f"members[{inner}]")
)

# What `scim2-models` can be asked too: there mail addresses must be deliverable, a manager needs a `$ref`, and a bare resource has no `meta`.
# And `phoneNumbers.type ne "x"` passes over elements without a type there, although `phoneNumbers[type ne "x"]` does not; `phoneNumbers eq null` asks for an element without a value.
PEER_PLURALS = ("phoneNumbers.display", "phoneNumbers.type", "addresses.locality")
PEER_SINGLES = tuple(
    path
    for path in USER_TEXTS
    if not any(name in path.lower() for name in ("emails", "manager", "profileurl")) and path not in PEER_PLURALS
)
_ALL_BUT_NE = tuple(operator for operator in _TEXT_OPERATORS if operator != "ne")
peer_filters = _combined(
    _comparison(PEER_SINGLES, texts, _TEXT_OPERATORS)
    | _comparison(PEER_PLURALS, texts | st.sampled_from(TYPES), _ALL_BUT_NE)
    | st.tuples(st.just("active"), st.sampled_from(["eq", "ne"]), _booleans).map(" ".join)
    | st.tuples(st.just("phoneNumbers.primary eq"), _booleans).map(" ".join)
    | _presence((*PEER_SINGLES, *PEER_PLURALS, "active", "phoneNumbers.primary", "name"))
    | st.sampled_from(("phoneNumbers pr", "addresses pr"))
    | _inside.map(lambda inner: f"phoneNumbers[{inner}]")
)
