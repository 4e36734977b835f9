"""Lists and searches, pages by index and by cursor, versions, bulk requests, and what the service says about itself."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

import pytest

from tests.support.scim_function import PATCH, USER, ScimFunction, ScimOrg

BULK = "urn:ietf:params:scim:api:messages:2.0:BulkRequest"
SEARCH = "urn:ietf:params:scim:api:messages:2.0:SearchRequest"


@pytest.fixture(scope="module")
def crowd(function: ScimFunction) -> ScimOrg:
    """Seven people and two groups."""
    org = ScimOrg.make(function)
    ids = [
        org.make_user(name, title=name[0].upper(), externalId=f"x-{name}")["id"]
        for name in ("gus", "ann", "cem", "bea", "dan", "eve", "fay")
    ]
    org.make_group("Odd", *ids[::2])
    org.make_group("Even", *ids[1::2])
    return org


def names(found: dict[str, Any]) -> list[str]:
    return [item.get("displayName") for item in found["Resources"]]


def test_pages_by_index_are_whole_and_in_order(crowd: ScimOrg) -> None:
    pages = [crowd.ask("GET", f"/Users?startIndex={first}&count=3") for first in (1, 4, 7, 8)]
    assert [page["totalResults"] for page in pages] == [7] * 4
    assert [page["itemsPerPage"] for page in pages] == [3, 3, 1, 0]
    assert [page["startIndex"] for page in pages] == [1, 4, 7, 8]
    assert [name for page in pages for name in names(page)] == ["Gus", "Ann", "Cem", "Bea", "Dan", "Eve", "Fay"]
    assert crowd.ask("GET", "/Users?count=0")["totalResults"] == 7
    assert len(crowd.ask("GET", "/Users?count=100000")["Resources"]) == 7


@pytest.mark.parametrize("order", ["", "&sortBy=userName", "&sortBy=name.givenName&sortOrder=descending"])
def test_pages_by_cursor_follow_each_other(crowd: ScimOrg, order: str) -> None:
    found: list[str] = []
    page = crowd.ask("GET", f"/Users?cursor=&count=3{order}")
    while True:
        assert page["totalResults"] == 7
        assert "startIndex" not in page
        found += names(page)
        if "nextCursor" not in page:
            break
        page = crowd.ask("GET", f"/Users?cursor={page['nextCursor']}&count=3{order}")
    expected = {"": ["Gus", "Ann", "Cem", "Bea", "Dan", "Eve", "Fay"], "&sortBy=userName": sorted(found)}
    assert found == expected.get(order, sorted(found, reverse=True))
    assert len(set(found)) == 7


def test_a_cursor_is_of_its_own_list_and_time(org: ScimOrg) -> None:
    for name in ("ada", "bob"):
        org.make_user(name)
    cursor = org.ask("GET", "/Users?cursor=&count=1")["nextCursor"]
    for query in (f"/Users?cursor={cursor}x", f"/Users?cursor={cursor}&sortBy=userName", f"/Groups?cursor={cursor}"):
        org.refused("GET", f"{query}&count=1", status=400, scim_type="invalidCursor")
    org.refused("GET", f"/Users?cursor={cursor}&count=2", status=400, scim_type="invalidCount")
    org.function.clock.advance(3600)
    org.refused("GET", f"/Users?cursor={cursor}&count=1", status=400, scim_type="expiredCursor")


@pytest.mark.parametrize(
    "text, found",
    [
        ('displayName eq "ANN"', {"Ann"}),
        ('userName sw "b" or title eq "F"', {"Bea", "Fay"}),
        ('emails[type eq "work" and value co "cem@"]', {"Cem"}),
        ('not (groups.display eq "odd")', {"Ann", "Bea", "Eve"}),
        ('groups.display eq "Odd" and name.givenName gt "D"', {"Gus", "Dan", "Fay"}),
        ('externalId eq "x-dan"', {"Dan"}),
        ('externalId eq "X-DAN"', set()),
        ("active eq true and nickName pr", set()),
        ('meta.created gt "2011-05-13T04:42:34Z"', {"Gus", "Ann", "Cem", "Bea", "Dan", "Eve", "Fay"}),
        ('userName co "%"', set()),
        ("displayName eq \"x' or true --\"", set()),
    ],
)  # fmt: skip
def test_filters_find_what_they_mean(crowd: ScimOrg, text: str, found: set[str]) -> None:
    by_address = crowd.ask("GET", f"/Users?filter={quote(text)}")
    by_message = crowd.ask("POST", "/Users/.search", {"schemas": [SEARCH], "filter": text})
    assert by_address == by_message
    assert set(names(by_address)) == found
    assert by_address["totalResults"] == len(found)


def test_filters_that_make_no_sense_are_refused(crowd: ScimOrg) -> None:
    for text in (
        "userName",
        "userName eq",
        "nope eq 1",
        'password eq "x"',
        "(" * 100 + "active eq true" + ")" * 100,
        "x" * 5000,
    ):
        crowd.refused("GET", f"/Users?filter={quote(text)}", status=400, scim_type="invalidFilter")
    crowd.refused("GET", "/Users?sortBy=nope", status=400, scim_type="invalidPath")
    crowd.refused("GET", "/Users?count=many", status=400, scim_type="invalidValue")


def test_a_search_over_everything_finds_people_and_groups(crowd: ScimOrg) -> None:
    body = {"schemas": [SEARCH], "filter": 'displayName sw "e"', "attributes": ["displayName"]}
    found = crowd.ask("POST", "/.search", body)
    assert (found["totalResults"], names(found)) == (2, ["Eve", "Even"])
    pages = [
        crowd.ask("POST", "/.search", {"schemas": [SEARCH], "startIndex": first, "count": 4}) for first in (1, 5, 9)
    ]
    listed = [item["id"] for page in pages for item in page["Resources"]]
    assert [page["totalResults"] for page in pages] == [9] * 3
    assert len(set(listed)) == 9
    by_cursor = crowd.ask("POST", "/.search", {"schemas": [SEARCH], "count": 8, "cursor": ""})
    rest = crowd.ask("POST", "/.search", {"schemas": [SEARCH], "count": 8, "cursor": by_cursor["nextCursor"]})
    assert [item["id"] for item in (*by_cursor["Resources"], *rest["Resources"])] == listed


def test_attributes_say_what_is_shown(crowd: ScimOrg) -> None:
    (ann,) = crowd.ask("GET", "/Users?filter=title%20eq%20%22A%22&attributes=userName,emails.value")["Resources"]
    assert ann == {
        "schemas": [USER],
        "id": ann["id"],
        "userName": f"ann@{crowd.domain}",
        "emails": [{"value": f"ann@{crowd.domain}"}],
    }
    (ann,) = crowd.ask("GET", "/Users?filter=title%20eq%20%22A%22&excludedAttributes=emails,meta,groups,name")[
        "Resources"
    ]
    assert set(ann) == {"schemas", "id", "userName", "displayName", "active", "title", "externalId"}
    made = crowd.ask(
        "PATCH",
        f"/Users/{ann['id']}?attributes=title",
        {"schemas": [PATCH], "Operations": [{"op": "replace", "path": "title", "value": "A"}]},
    )
    assert made == {"schemas": [USER], "id": ann["id"], "title": "A"}


def test_versions_guard_changes(org: ScimOrg) -> None:
    user = org.make_user("ada")
    path, first = f"/Users/{user['id']}", user["meta"]["version"]
    response = org.send("GET", path, headers={"If-None-Match": first})
    assert (response.status_code, response.get_data(), response.headers["ETag"]) == (304, b"", first)
    title = {"op": "replace", "path": "title", "value": "x"}
    second = org.patch(path, title, headers={"If-Match": first})["meta"]["version"]
    assert second != first
    body = {"schemas": [PATCH], "Operations": [{**title, "value": "y"}]}
    org.refused("PATCH", path, body, status=412, headers={"If-Match": first})
    org.refused("PUT", path, {"schemas": [USER], "userName": "x"}, status=412, headers={"If-Match": f'{first}, "9"'})
    org.refused("DELETE", path, status=412, headers={"If-Match": first})
    assert org.send("GET", path, headers={"If-None-Match": first}).status_code == 200
    assert org.patch(path, {**title, "value": "z"}, headers={"If-Match": "*"})["title"] == "z"
    group = org.make_group("Engineers")
    assert (
        org.send("GET", f"/Groups/{group['id']}", headers={"If-None-Match": group["meta"]["version"]}).status_code
        == 304
    )


def test_a_bulk_request_does_each_by_itself_and_resolves_what_it_made(org: ScimOrg) -> None:
    operations = [
        {"method": "POST", "path": "/Groups", "bulkId": "g", "data": {"schemas": ["urn:ietf:params:scim:schemas:core:2.0:Group"], "displayName": "Made", "members": [{"value": "bulkId:u"}]}},
        {"method": "POST", "path": "/Users", "bulkId": "u", "data": {"schemas": [USER], "userName": f"ada@{org.domain}"}},
        {"method": "POST", "path": "/Users", "bulkId": "again", "data": {"schemas": [USER], "userName": f"ADA@{org.domain}"}},
        {"method": "DELETE", "path": "/Users/bulkId:nobody"},
        {"method": "PATCH", "path": "/Users/bulkId:u", "data": {"schemas": [PATCH], "Operations": [{"op": "add", "path": "title", "value": "x"}]}},
    ]  # fmt: skip
    answers = org.ask("POST", "/Bulk", {"schemas": [BULK], "Operations": operations})["Operations"]
    assert [item["status"] for item in answers] == ["201", "201", "409", "409", "200"]
    assert answers[2]["response"]["scimType"] == "uniqueness"
    (group,) = org.ask("GET", "/Groups")["Resources"]
    (user,) = org.ask("GET", "/Users")["Resources"]
    assert ([item["value"] for item in group["members"]], user["title"]) == ([user["id"]], "x")
    assert answers[0]["location"] == group["meta"]["location"]
    assert org.role(org.person("ada")) == "viewer"
    assert org.function.audits(org.id, "scim:request:refused")[0][1]["code"] == "uniqueness"
    stopped = org.ask(
        "POST", "/Bulk", {"schemas": [BULK], "failOnErrors": 1, "Operations": [operations[2], operations[1]]}
    )
    assert len(stopped["Operations"]) == 1
    many = [{"method": "DELETE", "path": "/Users/x"}] * 101
    org.refused("POST", "/Bulk", {"schemas": [BULK], "Operations": many}, status=413)


def test_the_service_says_what_it_can_do(org: ScimOrg) -> None:
    config = org.ask("GET", "/ServiceProviderConfig")
    assert all(config[name]["supported"] for name in ("patch", "bulk", "filter", "sort", "etag"))
    assert config["pagination"]["cursor"] is config["pagination"]["index"] is True
    assert {item["id"] for item in org.ask("GET", "/ResourceTypes")["Resources"]} == {"User", "Group"}
    schemas = org.ask("GET", "/Schemas")["Resources"]
    assert {item["name"] for item in schemas} == {"User", "Group", "EnterpriseUser"}
    for item in (*schemas, *org.ask("GET", "/ResourceTypes")["Resources"]):
        path = item["meta"]["location"].removeprefix(f"https://driftwise.example/scim/v2/{org.id}")
        assert org.ask("GET", path) == item
    for path in ("/Schemas", "/ResourceTypes"):
        org.refused("GET", f"{path}?filter=id%20pr", status=403)
    assert "no person" in org.refused("GET", "/Me", status=501)
