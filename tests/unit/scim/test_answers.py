"""Projection, entity tags, pages, queries, bulk requests and discovery."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scim2_models import ResourceType, Schema, ServiceProviderConfig

from functions.scim.domain import bulk, paging
from functions.scim.domain.bulk import BulkRun, parse_bulk
from functions.scim.domain.discovery import resource_types, schema_documents, service_provider_config
from functions.scim.domain.errors import (
    BulkTooLarge,
    CircularReference,
    ExpiredCursor,
    InvalidCount,
    InvalidCursor,
    InvalidFilter,
    InvalidPath,
    InvalidSyntax,
    InvalidValue,
    ReferenceUnknown,
    VersionMismatch,
    error_body,
)
from functions.scim.domain.etags import check_if_match, is_not_modified, write_etag
from functions.scim.domain.paging import Page, open_cursor, read_page, write_cursor
from functions.scim.domain.projection import Projection, project, read_projection
from functions.scim.domain.schemas import ENTERPRISE_URN, GROUP, USER, USER_URN
from functions.scim.domain.searching import SEARCH_URN, list_body, parse_query, parse_search

NOW = datetime(2026, 1, 1, tzinfo=UTC)
ANNA: dict[str, Any] = {
    "id": "1", "userName": "anna", "active": True, "name": {"givenName": "Anna", "familyName": "B"},
    "emails": [{"value": "a@x.example", "type": "work"}, {"value": "b@x.example"}], "meta": {"resourceType": "User", "version": 'W/"1"'},
    ENTERPRISE_URN: {"department": "D", "manager": {"value": "m"}},
}  # fmt: skip


def shown(attributes: Any = None, excluded: Any = None) -> dict[str, Any]:
    return project(ANNA, USER, read_projection(attributes, excluded))


# --- projection: RFC 7644 section 3.9


def test_without_a_wish_everything_is_shown():
    assert shown() == {"schemas": [USER_URN, ENTERPRISE_URN], **ANNA}


@pytest.mark.parametrize(
    ("attributes", "expected"),
    [
        ("userName", {"userName": "anna"}), ("USERNAME, active", {"userName": "anna", "active": True}), (["userName", "active"], {"userName": "anna", "active": True}),
        ("name.givenName", {"name": {"givenName": "Anna"}}), ("name.givenName,name", {"name": ANNA["name"]}), ("name,name.givenName", {"name": ANNA["name"]}),
        ("emails.value", {"emails": [{"value": "a@x.example"}, {"value": "b@x.example"}]}), ("emails.type", {"emails": [{"type": "work"}]}),
        (f"{USER_URN}:userName", {"userName": "anna"}), (f"{ENTERPRISE_URN}:department", {ENTERPRISE_URN: {"department": "D"}}),
        (f"{ENTERPRISE_URN}:manager.value", {ENTERPRISE_URN: {"manager": {"value": "m"}}}), (ENTERPRISE_URN.lower(), {ENTERPRISE_URN: ANNA[ENTERPRISE_URN]}),
        ("nosuch", {}), ("id", {}), ("schemas", {}), ("meta.version", {"meta": {"version": 'W/"1"'}}), ("nosuch.x,urn:x:y,emails[type eq 1]", {}),
    ],
)  # fmt: skip
def test_only_what_is_asked_for_and_what_is_always_shown(attributes, expected):
    assert shown(attributes) == {"schemas": [USER_URN, ENTERPRISE_URN], "id": "1", **expected}


@pytest.mark.parametrize(
    ("excluded", "gone"),
    [
        ("userName", {"userName"}), ("emails,NAME", {"emails", "name"}), (ENTERPRISE_URN, {ENTERPRISE_URN}), ("id,schemas", set()), ("meta", {"meta"}), ("nosuch", set()),
    ],
)  # fmt: skip
def test_what_is_excluded_is_left_out_but_for_what_is_always_shown(excluded, gone):
    assert shown(None, excluded) == {name: value for name, value in shown().items() if name not in gone}


def test_sub_attributes_are_excluded():
    assert shown(None, "emails.type,name.givenName")["emails"] == [{"value": "a@x.example"}, {"value": "b@x.example"}]
    assert shown(None, "name.givenName")["name"] == {"familyName": "B"}
    assert shown(None, f"{ENTERPRISE_URN}:manager")[ENTERPRISE_URN] == {"department": "D"}


def test_the_store_is_told_what_need_not_be_read():
    assert Projection().wants("members", GROUP)
    assert not read_projection(None, "members").wants("members", GROUP)
    assert not read_projection("displayName", None).wants("members", GROUP)
    assert read_projection("members.value", None).wants("members", GROUP)
    assert not Projection().wants("nosuch", GROUP)


def test_a_members_name_is_told_on_request():
    team = {"id": "1", "displayName": "T", "members": [{"value": "a", "display": "Anna"}]}
    assert project(team, GROUP, Projection())["members"] == [{"value": "a"}]
    assert project(team, GROUP, read_projection("members", None))["members"] == [{"value": "a"}]
    assert project(team, GROUP, read_projection("members.display", None))["members"] == [{"display": "Anna"}]


def test_wrong_wishes_are_refused():
    for attributes, excluded in (
        ("userName", "emails"),
        (5, None),
        ([5], None),
        (",".join(f"a{n}" for n in range(101)), None),
        ("a" * 10_000, None),
    ):
        with pytest.raises(InvalidValue):
            read_projection(attributes, excluded)
    assert read_projection("", ",") == Projection()


# --- entity tags


def test_a_change_needs_the_version_that_the_client_knows():
    current = write_etag(7)
    assert current == 'W/"7"'
    for header in (None, "*", 'W/"7"', '"7"', '"1", W/"7"', ' W/"7" ,"x"'):
        check_if_match(header, current)
    for header in ('W/"8"', '""', '"1","2"'):
        with pytest.raises(VersionMismatch) as caught:
            check_if_match(header, current)
        assert caught.value.status == 412
    for header in ("7", 'W/"7', 'W/"7" "8"', "", ",", '"7",', "w/" + '"7"', '"' * 9, '"a",' * 2_000):
        with pytest.raises(InvalidSyntax):
            check_if_match(header, current)


def test_what_the_client_has_is_not_sent_again():
    assert is_not_modified('W/"7"', 'W/"7"')
    assert is_not_modified("*", 'W/"7"')
    assert not is_not_modified(None, 'W/"7"')
    assert not is_not_modified('W/"6"', 'W/"7"')


# --- pages


@pytest.mark.parametrize(
    ("start", "count", "expected"),
    [
        (None, None, Page(1, 100)), ("1", "2", Page(1, 2)), (0, 10, Page(1, 10)), (-5, 10, Page(1, 10)), ("3", "0", Page(3, 0)), (1, -1, Page(1, 0)), ("1", "100000", Page(1, 200)),
        (str(10**17), 5, Page(10**17, 5)),
    ],
)  # fmt: skip
def test_pages_by_index_are_clamped_as_the_rfc_says(start, count, expected):
    assert read_page(start, count, None) == expected


def test_pages_that_are_no_numbers_are_refused():
    for start, count in (
        ("x", None),
        (None, "x"),
        (1.5, None),
        (None, True),
        ("1e3", None),
        ("9" * 19, None),
        ("", None),
        ("٣", None),
        (None, [1]),
    ):
        with pytest.raises(InvalidValue):
            read_page(start, count, None)
    assert read_page("7", None, "") == Page(1, 100, ""), "a cursor says where a page begins"
    with pytest.raises(InvalidCount) as caught:
        read_page(None, "x", "")
    assert caught.value.scim_type == "invalidCount"
    with pytest.raises(InvalidCursor):
        read_page(None, None, 5)
    with pytest.raises(InvalidCursor):
        read_page(None, None, "x" * 5_000)
    assert read_page(None, "5", "") == Page(1, 5, "")


QUERY = {"type": "User", "filter": 'userName sw "a"', "by": None, "order": "ascending", "count": 5}
positions = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.text(st.characters(codec="utf-8", exclude_characters="\x00"), max_size=8),
    lambda one: st.lists(one, max_size=3),
)


@given(positions)
def test_a_cursor_opens_to_the_place_it_was_made_of(position):
    cursor = write_cursor(position, QUERY, NOW + timedelta(seconds=1))
    assert open_cursor(cursor, QUERY, NOW) == position
    assert cursor.isascii()
    assert not set(cursor) & set("+/=&? ")


def test_a_cursor_expires_and_belongs_to_its_list():
    cursor = write_cursor(["a"], QUERY, NOW)
    with pytest.raises(ExpiredCursor) as caught:
        open_cursor(cursor, QUERY, NOW)
    assert caught.value.scim_type == "expiredCursor"
    for other in ({**QUERY, "type": "Group"}, {**QUERY, "filter": None}, {**QUERY, "by": "userName"}, {}):
        with pytest.raises(InvalidCursor) as refused:
            open_cursor(cursor, other, NOW - timedelta(days=1))
        assert refused.value.scim_type == "invalidCursor"
    for count in (6, None, "5"):
        with pytest.raises(InvalidCount):
            open_cursor(cursor, {**QUERY, "count": count}, NOW - timedelta(days=1))


@given(st.text(max_size=40) | st.binary(max_size=40).map(lambda content: content.hex()))
def test_what_is_no_cursor_is_refused(text):
    with pytest.raises(InvalidCursor):
        open_cursor(text, QUERY, NOW)


@given(st.integers(0, 500), st.sampled_from("AB-_x"))
def test_a_damaged_cursor_is_refused(place, letter):
    cursor = write_cursor(["anna", "1"], QUERY, NOW + timedelta(hours=1))
    place %= len(cursor)
    damaged = cursor[:place] + letter + cursor[place + 1 :]
    if damaged == cursor:
        return
    with pytest.raises(InvalidCursor):
        open_cursor(damaged, QUERY, NOW)


# --- queries


def test_a_query_string_and_a_search_body_say_the_same():
    by_url = parse_query(
        {
            "filter": ['userName eq "a"'],
            "SORTBY": ["userName"],
            "sortOrder": ["Descending"],
            "startIndex": ["3"],
            "count": ["7"],
            "attributes": ["userName,active"],
            "x": ["1", "2"],
        }
    )
    by_body = parse_search(
        {
            "schemas": [SEARCH_URN],
            "filter": 'userName eq "a"',
            "sortBy": "userName",
            "sortOrder": "descending",
            "startIndex": 3,
            "count": 7,
            "attributes": ["userName", "active"],
        }
    )
    assert by_url == by_body
    assert (by_url.sort_order, by_url.page) == ("descending", Page(3, 7))
    assert by_url.filter_for(USER) is not None
    assert parse_query({}).filter_for(USER) is None
    assert by_url.identity("User") != by_url.identity("Group")


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        ({"filter": ["a"] * 2}, InvalidValue), ({"filter": ["(" * 100]}, InvalidFilter), ({"sortOrder": ["up"]}, InvalidValue), ({"sortBy": ["a" * 300]}, InvalidPath),
        ({"startIndex": ["x"]}, InvalidValue), ({"attributes": ["a"], "excludedAttributes": ["b"]}, InvalidValue), ({"cursor": [""], "count": ["x"]}, InvalidCount),
    ],
)  # fmt: skip
def test_wrong_queries_are_refused(arguments, error):
    with pytest.raises(error):
        parse_query(arguments)


def test_wrong_search_bodies_are_refused():
    for body in (None, [], {}, {"schemas": ["urn:x"]}):
        with pytest.raises(InvalidSyntax):
            parse_search(body)
    with pytest.raises(InvalidFilter):
        parse_search({"schemas": [SEARCH_URN], "filter": 5})
    with pytest.raises(InvalidPath):
        parse_search({"schemas": [SEARCH_URN], "sortBy": 5})


def test_a_list_says_how_it_goes_on():
    assert list_body([{"id": "1"}], 5, start_index=2) == {
        "schemas": ["urn:ietf:params:scim:api:messages:2.0:ListResponse"], "totalResults": 5, "itemsPerPage": 1, "startIndex": 2, "Resources": [{"id": "1"}],
    }  # fmt: skip
    assert list_body([], 5, next_cursor="c")["nextCursor"] == "c"
    assert "nextCursor" not in list_body([], 5)


# --- bulk


def bulk_body(*operations: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"schemas": [bulk.BULK_URN], "Operations": list(operations), **more}


def post(bulk_id: str, path: str = "/Users", **data: Any) -> dict[str, Any]:
    return {"method": "POST", "path": path, "bulkId": bulk_id, "data": data}


def check_as_wished(data: object) -> None:
    if isinstance(data, dict) and data.get("fails"):
        raise InvalidValue("as wished")


def run_bulk(body: dict[str, Any]) -> tuple[list[str], list[str], dict[str, object]]:
    """Run a request: what was done, what was refused, the answer."""
    run, done, refused = BulkRun(parse_bulk(body, 100)), list[str](), list[str]()
    for operation in run.steps():
        name = operation.bulk_id or str(operation.resource_id)
        try:
            resolved = run.resolve(operation)
            check_as_wished(resolved.data)
        except (CircularReference, ReferenceUnknown, InvalidValue) as error:
            refused.append(f"{name}: {type(error).__name__}")
            run.failed(operation, error.status, error_body(error.status, str(error), error.scim_type))
        else:
            done.append(f"{name} {resolved.data}")
            run.done(operation, 201, f"/Users/{name}", resource_id=f"id-{name}", version='W/"1"')
    return done, refused, run.body()


def test_what_is_referred_to_is_made_first():  # RFC 7644 section 3.7.2
    done, refused, answer = run_bulk(
        bulk_body(
            post("team", "/Groups", displayName="T", members=[{"value": "bulkId:anna"}, {"value": "bulkId:bo"}]),
            post("anna", userName="a"),
            post("bo", userName="b"),
        )
    )
    assert refused == []
    assert [one.split()[0] for one in done] == ["anna", "bo", "team"]
    assert "id-anna" in done[2]
    operations = answer["Operations"]
    assert isinstance(operations, list)
    assert [one["bulkId"] for one in operations] == ["team", "anna", "bo"], "answers are in the request's order"
    assert operations[0] == {
        "method": "POST",
        "bulkId": "team",
        "status": "201",
        "location": "/Users/team",
        "version": 'W/"1"',
    }


def test_paths_refer_too():
    done, refused, _ = run_bulk(
        bulk_body({"method": "patch", "path": "/Users/bulkId:anna", "data": {"x": 1}}, post("anna", userName="a"))
    )
    assert (len(done), refused) == (2, [])


def test_a_circle_is_refused_where_it_closes():  # section 3.7.1
    done, refused, _ = run_bulk(
        bulk_body(
            post("a", "/Groups", members=[{"value": "bulkId:b"}]),
            post("b", "/Groups", members=[{"value": "bulkId:a"}]),
            post("c", userName="c"),
            post("d", other="bulkId:d"),
        )
    )
    assert refused == ["b: CircularReference", "a: ReferenceUnknown", "d: CircularReference"]
    assert [one.split()[0] for one in done] == ["c"]


def test_what_was_not_made_cannot_be_referred_to():
    done, refused, _ = run_bulk(
        bulk_body(post("a", fails=True), post("b", other="bulkId:a"), post("c", other="bulkId:nobody"))
    )
    assert done == []
    assert refused == ["a: InvalidValue", "b: ReferenceUnknown", "c: ReferenceUnknown"]


def test_it_stops_after_so_many_errors():  # section 3.7.3
    body = bulk_body(post("a", fails=True), post("b", fails=True), post("c", userName="c"), failOnErrors=2)
    done, refused, answer = run_bulk(body)
    assert (done, len(refused), len(answer["Operations"])) == ([], 2, 2)  # type: ignore[arg-type]
    assert len(run_bulk({**body, "failOnErrors": None})[0]) == 1


def test_a_long_chain_is_ordered():
    chain = [post(str(number), other=f"bulkId:{number + 1}") for number in range(99)] + [post("99", userName="last")]
    done, refused, _ = run_bulk(bulk_body(*chain))
    assert (len(done), refused) == (100, [])


@pytest.mark.parametrize(
    ("body", "error"),
    [
        (None, InvalidSyntax), ({}, InvalidSyntax), ({"schemas": ["x"], "Operations": []}, InvalidSyntax), (bulk_body("x"), InvalidSyntax), (bulk_body({}), InvalidSyntax),
        (bulk_body({"method": "GET", "path": "/Users/1"}), InvalidSyntax), (bulk_body({"method": "POST", "path": "/Users", "data": {}}), InvalidValue),
        (bulk_body(post("a"), post("a")), InvalidValue), (bulk_body(post("a", "/Nothing")), InvalidPath), (bulk_body(post("a", "/Users/1")), InvalidPath),
        (bulk_body({"method": "DELETE", "path": "/Users"}), InvalidPath), (bulk_body({"method": "PUT", "path": "/Users/1"}), InvalidSyntax), (bulk_body(failOnErrors=0), InvalidSyntax),
        (bulk_body(failOnErrors=True), InvalidSyntax), (bulk_body(*[post(str(n)) for n in range(101)]), BulkTooLarge), (bulk_body(post("a" * 300)), InvalidSyntax),
        (bulk_body({"method": "DELETE", "path": "/Users/1/x"}), InvalidPath), (bulk_body({"method": "DELETE", "path": 5}), InvalidSyntax),
    ],
)  # fmt: skip
def test_wrong_bulk_requests_are_refused(body, error):
    with pytest.raises(error):
        parse_bulk(body, 100)


def test_a_bulk_request_has_a_size():
    with pytest.raises(BulkTooLarge) as caught:
        parse_bulk(bulk_body(), bulk.MOST_PAYLOAD_BYTES + 1)
    assert caught.value.status == 413


# --- discovery


def test_what_is_said_is_of_the_standards_form_and_true():
    config = ServiceProviderConfig.model_validate(
        service_provider_config("https://x.example/scim/v2/1", "https://x.example/docs")
    )
    assert config.bulk is not None
    assert config.bulk.max_operations == bulk.MOST_OPERATIONS
    assert config.pagination is not None
    assert config.pagination.max_page_size == paging.MOST_COUNT
    assert [ResourceType.model_validate(one).id for one in resource_types("https://x.example")] == ["User", "Group"]
    schemas = [Schema.model_validate(one) for one in schema_documents("https://x.example")]
    assert [one.id for one in schemas] == [USER.urn, GROUP.urn, ENTERPRISE_URN]


def test_the_schemas_name_what_is_kept_and_nothing_else():
    user, group, enterprise = schema_documents("https://x.example")
    names = {attribute["name"] for attribute in user["attributes"]}
    assert {"userName", "name", "emails", "groups", "x509Certificates"} <= names
    assert not names & {"password", "id", "meta", "schemas", "externalId"}
    assert {attribute["name"] for attribute in group["attributes"]} == {"displayName", "members"}
    assert next(attribute["required"] for attribute in user["attributes"] if attribute["name"] == "active")
    manager = next(attribute for attribute in enterprise["attributes"] if attribute["name"] == "manager")
    assert [sub["required"] for sub in manager["subAttributes"]] == [False, False, False]
    assert all(
        attribute["description"] for document in (user, group, enterprise) for attribute in document["attributes"]
    )


def test_an_error_is_of_scims_form():
    assert error_body(400, "why", "invalidFilter") == {
        "schemas": ["urn:ietf:params:scim:api:messages:2.0:Error"], "status": "400", "scimType": "invalidFilter", "detail": "why",
    }  # fmt: skip
    assert "scimType" not in error_body(404, "why")
