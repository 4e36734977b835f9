"""What ends when a directory switches a person off: membership, sessions, API keys, in the same transaction."""

from __future__ import annotations

from tests.support.scim_function import ScimOrg

OFF = {"op": "replace", "path": "active", "value": False}
ON = {"op": "replace", "path": "active", "value": True}


def test_a_person_who_is_switched_off_is_refused_at_once(org: ScimOrg) -> None:
    user = org.make_user("ada")
    ada = org.person("ada")
    session, bound, key = org.sign_in(ada), org.sign_in(ada, bound_org_id=org.id), org.make_key(ada).reveal()
    assert [org.knock(item) for item in (session, bound, key)] == [200, 200, 200]
    assert org.patch(f"/Users/{user['id']}", OFF)["active"] is False
    org.function.clock.advance(3)  # how long another process may remember a key
    assert [org.knock(item) for item in (session, bound, key)] == [401, 401, 401]
    assert org.role(ada) is None
