"""What POST and PUT keep of a body: canonical names, checked types, bounded sizes."""

from __future__ import annotations

import json
from typing import Any

import pytest

from functions.scim.domain.errors import InvalidSyntax, InvalidValue, Mutability
from functions.scim.domain.schemas import ENTERPRISE_URN, GROUP, GROUP_URN, USER, USER_URN
from functions.scim.domain.values import MOST_DOCUMENT_BYTES, is_active, read_new, read_replacement

# RFC 7643 section 8.3, in our own words and shorter.
FULL: dict[str, Any] = {
    "schemas": [USER_URN, ENTERPRISE_URN], "externalId": "701984", "userName": "bjensen@example.com",
    "name": {"formatted": "Ms. Barbara J Jensen, III", "familyName": "Jensen", "givenName": "Barbara", "middleName": "Jane", "honorificPrefix": "Ms.", "honorificSuffix": "III"},
    "displayName": "Babs Jensen", "nickName": "Babs", "profileUrl": "https://login.example.com/bjensen", "userType": "Employee", "title": "Tour Guide",
    "preferredLanguage": "en-US", "locale": "en-US", "timezone": "America/Los_Angeles", "active": True,
    "emails": [{"value": "bjensen@example.com", "type": "work", "primary": True}, {"value": "babs@jensen.org", "type": "home"}],
    "addresses": [{"type": "work", "streetAddress": "100 Universal City Plaza", "locality": "Hollywood", "region": "CA", "postalCode": "91608", "country": "US", "primary": True}],
    "phoneNumbers": [{"value": "555-555-5555", "type": "work"}, {"value": "tel:+1-555-555-4444", "type": "mobile"}], "ims": [{"value": "someaimhandle", "type": "aim"}],
    "photos": [{"value": "https://photos.example.com/profilephoto/72930000000Ccne/F", "type": "photo"}], "x509Certificates": [{"value": "MIIDQzCCAqygAwIBAgICEAAw"}],
    "entitlements": [{"value": "x"}], "roles": [{"value": "admin", "primary": True}],
    ENTERPRISE_URN: {"employeeNumber": "701984", "costCenter": "4130", "organization": "Universal Studios", "division": "Theme Park", "department": "Tour Operations",
                     "manager": {"value": "26118915", "$ref": "../Users/26118915"}},
}  # fmt: skip


def user(**parts: Any) -> dict[str, Any]:
    return {"schemas": [USER_URN], "userName": "x", **parts}


def test_everything_that_the_standard_defines_is_kept_as_it_came():
    assert read_new(FULL, USER) == {name: value for name, value in FULL.items() if name != "schemas"}


def test_what_the_server_says_and_what_nobody_defines_is_dropped():
    body = user(
        id="mine", meta={"version": "1"}, groups=[{"value": "g"}], password="secret", unknown=1, name={"givenName": "A", "unknown": 1},
        **{"urn:x:y": {"a": 1}, ENTERPRISE_URN: {"department": "D", "unknown": 1, "manager": {"value": "1", "displayName": "Boss"}}},
    )  # fmt: skip
    assert read_new(body, USER) == {
        "userName": "x", "active": True, "name": {"givenName": "A"}, ENTERPRISE_URN: {"department": "D", "manager": {"value": "1"}},
    }  # fmt: skip


def test_names_are_written_as_the_schema_does():
    body = {
        "SCHEMAS": [USER_URN.upper()],
        "username": "x",
        "NAME": {"GivenName": "A"},
        "Emails": [{"VALUE": "a", "Type": "work"}],
        ENTERPRISE_URN.lower(): {"Department": "D"},
    }
    assert read_new(body, USER) == {
        "userName": "x", "active": True, "name": {"givenName": "A"}, "emails": [{"value": "a", "type": "work"}], ENTERPRISE_URN: {"department": "D"},
    }  # fmt: skip


def test_attributes_may_stand_under_the_core_schemas_urn():
    assert read_new({"schemas": [USER_URN], USER_URN: {"userName": "x", "title": "T"}}, USER) == {
        "userName": "x",
        "title": "T",
        "active": True,
    }


def test_no_value_is_no_attribute():
    assert read_new(
        user(title=None, emails=[], name={}, phoneNumbers=[{}, None], addresses=[{"locality": None}]), USER
    ) == {"userName": "x", "active": True}


def test_habits_are_read():
    body = user(
        active="False",
        emails="a@b.example",
        title=["T"],
        phoneNumbers={"value": "1"},
        **{ENTERPRISE_URN: {"manager": "m", "department": [{"value": "D"}]}},
    )
    assert read_new(body, USER) == {
        "userName": "x", "active": False, "emails": [{"value": "a@b.example"}], "title": "T", "phoneNumbers": [{"value": "1"}],
        ENTERPRISE_URN: {"manager": {"value": "m"}, "department": "D"},
    }  # fmt: skip


def test_addresses_and_numbers_stay_as_they_are():
    """Okta's own documentation has addresses under `.local`, which a check of deliverable addresses refuses."""
    odd = ["test.user@okta.local", "Ünï@bücher.example", "UPPER@Example.COM", "not an address", " x@y "]
    assert [email["value"] for email in read_new(user(emails=[{"value": one} for one in odd]), USER)["emails"]] == odd


@pytest.mark.parametrize(
    ("parts", "path"),
    [
        ({"userName": 5}, "userName is a string"), ({"userName": ""}, "userName is required"), ({"userName": None}, "userName is required"), ({"active": "yes"}, "active is a boolean"),
        ({"active": 1}, "active is a boolean"), ({"name": "A"}, "name is an object"), ({"name": {"givenName": True}}, "name.givenName is a string"), ({"emails": [5]}, "emails is an object"),
        ({"emails": [{"primary": "x"}]}, "emails.primary is a boolean"), ({"title": {"a": 1}}, "title is a string"), ({"title": ["a", "b"]}, "title is a string"),
        ({"title": "a" * 1_025}, "title has more than 1024 characters"), ({"title": "\x00"}, "title holds NUL"), ({"title": "\ud800"}, "title holds NUL"),
        ({"emails": [{"value": str(number)} for number in range(101)]}, "emails has more than 100 values"), ({"x509Certificates": [{"value": "%"}]}, "x509Certificates.value is base64"),
        ({"emails": [{"value": "a", "primary": True}, {"value": "b", "primary": "true"}]}, "emails has more than one primary value"), ({"addresses": ["x"]}, "addresses is an object"),
        ({ENTERPRISE_URN: {"manager": 5}}, f"{ENTERPRISE_URN}:manager is an object"), ({ENTERPRISE_URN: {"manager": {"value": 5}}}, f"{ENTERPRISE_URN}:manager.value is a string"),
    ],
)  # fmt: skip
def test_a_wrong_value_is_refused_by_its_path(parts, path):
    with pytest.raises(InvalidValue) as caught:
        read_new(user(**parts), USER)
    assert path in str(caught.value)
    assert (caught.value.status, caught.value.scim_type) == (400, "invalidValue")


def test_the_document_is_bounded():
    many = {
        name: [{"value": "v" * 1_000, "type": str(number)} for number in range(60)]
        for name in ("emails", "phoneNumbers", "ims")
    }
    assert len(json.dumps(many)) > MOST_DOCUMENT_BYTES
    with pytest.raises(InvalidValue, match="bytes"):
        read_new(user(**many), USER)


@pytest.mark.parametrize(
    "body",
    [
        None, [], "x", {}, {"userName": "x"}, {"schemas": [], "userName": "x"}, {"schemas": [GROUP_URN], "userName": "x"}, {"schemas": {"a": 1}, "userName": "x"},
        {"schemas": [5], "userName": "x"}, user(USERNAME="y"), user(name={"givenName": "a", "GIVENNAME": "b"}), user(**{ENTERPRISE_URN: "x"}),
    ],
)  # fmt: skip
def test_what_is_no_user_is_invalid_syntax(body):
    with pytest.raises(InvalidSyntax) as caught:
        read_new(body, USER)
    assert caught.value.scim_type == "invalidSyntax"


def test_ten_thousand_members_are_read_and_each_has_an_id():
    members = [{"value": str(number), "display": "x", "$ref": None} for number in range(10_000)]
    assert len(read_new({"schemas": [GROUP_URN], "displayName": "G", "members": members}, GROUP)["members"]) == 10_000
    for wrong in ([{"display": "x"}], [{"value": ""}], [{"value": None, "type": "User"}]):
        with pytest.raises(InvalidValue, match=r"members\.value"):
            read_new({"schemas": [GROUP_URN], "displayName": "G", "members": wrong}, GROUP)


CURRENT: dict[str, Any] = {
    "id": "1",
    "userName": "x",
    "active": False,
    "title": "T",
    "groups": [{"value": "g"}],
    "meta": {"version": "1"},
}


def test_a_replacement_keeps_what_is_the_servers_and_active():
    assert read_replacement(user(userName="y"), USER, CURRENT) == {
        "userName": "y", "id": "1", "active": False, "groups": [{"value": "g"}], "meta": {"version": "1"},
    }  # fmt: skip
    assert read_replacement(user(id="1", active=True, groups=[], meta={}), USER, CURRENT)["active"] is True


def test_a_replacement_has_the_same_id():
    with pytest.raises(Mutability):
        read_replacement(user(id="2"), USER, CURRENT)


def test_who_is_active():
    assert is_active({})
    assert is_active({"active": True})
    assert not is_active({"active": False})
