"""Filters beside the evaluation of `scim2-models`, which reads the same grammar and decides by itself what it means."""

from __future__ import annotations

import json
from typing import Any
from unicodedata import normalize

from hypothesis import given, settings
from scim2_models import EnterpriseUser, ScimFilter, User
from scim2_models.exceptions import SCIMException

from functions.scim.domain.filters import matches, parse_filter
from functions.scim.domain.schemas import ENTERPRISE_URN, USER, USER_URN
from tests.support.scim_cases import peer_filters, users

PeerUser = User[EnterpriseUser]
PeerFilter = ScimFilter[PeerUser]


def _for_the_peer(resource: dict[str, Any]) -> dict[str, Any]:
    found = {name: value for name, value in resource.items() if name not in {"emails", "profileUrl"}}
    found[ENTERPRISE_URN] = {
        name: value for name, value in resource.get(ENTERPRISE_URN, {}).items() if name != "manager"
    }
    return {"schemas": [USER_URN, ENTERPRISE_URN]} | {
        name: value for name, value in found.items() if value not in ({}, [])
    }


@settings(max_examples=150)
@given(text=peer_filters, resource=users)
def test_the_peer_finds_the_same(text, resource):
    # the peer composes characters before it compares; here a name is the characters it came in
    text = normalize("NFC", text)
    ours = json.loads(normalize("NFC", json.dumps(_for_the_peer(resource), ensure_ascii=False)))
    try:
        theirs = PeerFilter(text).match(PeerUser.model_validate(ours))
    except SCIMException as error:
        raise AssertionError(text) from error
    assert matches(parse_filter(text, USER), ours) is theirs, text
