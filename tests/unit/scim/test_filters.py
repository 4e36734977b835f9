"""Filters: the grammar of RFC 7644 section 3.4.2.2, its own examples, what is allowed of which type, and the caps."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from functions.scim.domain.errors import InvalidFilter
from functions.scim.domain.filters import (
    MOST_CHARACTERS,
    MOST_COMPARISONS,
    MOST_DEPTH,
    And,
    Not,
    Or,
    matches,
    parse_filter,
)
from functions.scim.domain.schemas import ENTERPRISE_URN, GROUP, USER
from tests.support.scim_cases import user_filters, users

BARBARA = {
    "userName": "bjensen", "title": "Tour Guide", "userType": "Employee", "active": True, "externalId": "701984",
    "name": {"familyName": "O'Malley", "givenName": "Barbara"},
    "emails": [
        {"value": "bjensen@example.com", "type": "work", "primary": True}, {"value": "babs@jensen.org", "type": "home"},
    ],
    "meta": {"lastModified": "2011-05-13T04:42:34Z", "resourceType": "User"},
    ENTERPRISE_URN: {"manager": {"value": "26118915", "displayName": "John Smith"}},
}  # fmt: skip


def holds(text: str, resource=BARBARA, schema=USER) -> bool:
    return matches(parse_filter(text, schema), resource)


# RFC 7644 section 3.4.2.2, figure 2, in its order; `ims` stands for its second kind of value path.
@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('userName eq "bjensen"', True),
        ('name.familyName co "O\'Malley"', True),
        ('userName sw "J"', False),
        ('urn:ietf:params:scim:schemas:core:2.0:User:userName sw "J"', False),
        ("title pr", True),
        ('meta.lastModified gt "2011-05-13T04:42:34Z"', False),
        ('meta.lastModified ge "2011-05-13T04:42:34Z"', True),
        ('meta.lastModified lt "2011-05-13T04:42:34Z"', False),
        ('meta.lastModified le "2011-05-13T04:42:34Z"', True),
        ('title pr and userType eq "Employee"', True),
        ('title pr or userType eq "Intern"', True),
        ('schemas eq "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"', True),
        ('userType eq "Employee" and (emails co "example.com" or emails.value co "example.org")', True),
        ('userType ne "Employee" and not (emails co "example.com" or emails.value co "example.org")', False),
        ('userType eq "Employee" and (emails.type eq "work")', True),
        ('userType eq "Employee" and emails[type eq "work" and value co "@example.com"]', True),
        ('emails[type eq "work" and value co "@example.com"] or ims[type eq "xmpp" and value co "@foo.com"]', True),
    ],
)
def test_the_rfcs_own_examples(text, expected):
    assert holds(text) is expected


def test_and_binds_tighter_than_or_and_not_tightest():
    assert isinstance(parse_filter('title pr or title pr and userName eq "x"', USER), Or)
    assert isinstance(parse_filter('(title pr or title pr) and userName eq "x"', USER), And)
    assert holds('title pr or title pr and userName eq "nobody"')
    assert not holds('(title pr or title pr) and userName eq "nobody"')
    found = parse_filter('not (title pr) and userName eq "x"', USER)
    assert isinstance(found, And)
    assert isinstance(found.parts[0], Not)


def test_names_operators_and_urns_have_no_case():
    assert holds('USERNAME EQ "BJENSEN" AND Title Pr')
    assert holds(f'{ENTERPRISE_URN.upper()}:MANAGER.VALUE eq "26118915"')
    assert holds('NOT(userName eq "x")')


def test_case_counts_where_the_schema_says_so():
    resource = {"userName": "Straße", "externalId": "Abc"}
    assert holds('userName eq "STRASSE"', resource)
    assert not holds('externalId eq "abc"', resource)
    assert holds('externalId eq "Abc"', resource)


@pytest.mark.parametrize(
    "text", ["active eq true", "active eq True", 'active eq "True"', 'active eq "true"', "active ne false"]
)
def test_booleans_as_providers_write_them(text):
    assert holds(text)
    assert not holds(f"not ({text})")


def test_entra_selects_and_names_in_one():
    assert holds('emails[type eq "work"].value eq "bjensen@example.com"')
    assert not holds('emails[type eq "home"].value eq "bjensen@example.com"')


def test_one_element_must_satisfy_everything_between_brackets():
    assert not holds('emails[type eq "home" and value co "example.com"]')
    assert holds('emails.type eq "home" and emails.value co "example.com"')


def test_a_missing_value_equals_nothing_and_differs_from_everything():
    nothing: dict[str, object] = {}
    assert holds('title ne "x"', nothing)
    assert holds('emails.type ne "work"', nothing)
    assert holds("active ne true", nothing)
    assert holds("title eq null", nothing)
    for text in (
        'title eq "x"',
        'title co ""',
        'title lt "z"',
        "title pr",
        "title ne null",
        "active eq false",
        'emails[type ne "work"]',
    ):
        assert not holds(text, nothing), text
        assert holds(f"not ({text})", nothing), text


def test_nothing_in_it_is_not_present():
    assert not holds("title pr", {"title": ""})
    assert not holds("name pr", {"name": {"givenName": ""}})
    assert holds("name pr", {"name": {"givenName": "A"}})
    assert holds("active pr", {"active": False})


def test_members_are_found_by_their_ids():
    group = {"displayName": "G", "members": [{"value": "a1"}]}
    assert holds('members eq "a1"', group, GROUP)
    assert holds('members[value eq "a1"]', group, GROUP)
    assert not holds('members.value eq "A1"', group, GROUP)  # ids are exact


def test_moments_are_compared_as_moments():
    resource = {"meta": {"created": "2024-01-01T01:00:00+01:00"}}
    assert holds('meta.created eq "2024-01-01T00:00:00Z"', resource)
    assert holds('meta.created gt "2023-12-31T23:59:59.999999Z"', resource)


@pytest.mark.parametrize(
    "text",
    [
        "", " ", "userName", "userName eq", 'userName eq "a', "userName eq bjensen", 'userName is "a"', "userName eq 1", "userName eq true", "and title pr",
        "title pr and", "title pr title pr", "not title pr", "(title pr", "title pr)", "title pr))((", 'emails[type eq "work"', "emails[]", "emails[type]",
        'emails[type eq "work"]]', 'emails[ims[type eq "a"]]', 'userName[value eq "a"]', 'name[givenName eq "a"]', 'emails[nosuch eq "a"]',
        'emails[emails.type eq "a"]', 'nosuch eq "a"', 'name.nosuch eq "a"', 'password eq "a"', "password pr", 'name eq "a"', 'addresses eq "a"',
        "active gt true", 'active co "t"', "active eq 1", 'active eq "yes"', 'meta.created co "2011"', 'meta.created eq "2011"', 'meta.created eq "yesterday"',
        'meta.created gt "2011-13-40T00:00:00Z"', "title gt null", 'userName eq "\\u0000"', 'userName eq "\\ud800"', 'userName eq "\\x"', "userName eq 'a'",
        'urn:x:y:userName eq "a"', 'userName.value eq "a"', 'a.b.c eq "a"', 'x509Certificates.value gt "a"', 'schemas co "urn"', 'meta.version eq "1"', "userName eq {}",
        'userName eq "a"; drop table core.users', "userName eq NaN", 'userName\x00 eq "a"',
    ],
)  # fmt: skip
def test_what_is_wrong_is_refused_as_invalid_filter(text):
    with pytest.raises(InvalidFilter) as caught:
        parse_filter(text, USER)
    assert (caught.value.status, caught.value.scim_type) == (400, "invalidFilter")
    assert caught.value.detail


def test_a_search_over_several_types_takes_the_others_attributes_as_missing():
    text = 'displayName eq "x" or members.value eq "1"'
    with pytest.raises(InvalidFilter):
        parse_filter(text, USER)
    assert matches(parse_filter(text, USER, tolerate_unknown=True), {"displayName": "x"})
    assert not matches(parse_filter("members pr", USER, tolerate_unknown=True), {})
    assert matches(parse_filter('members ne "1"', USER, tolerate_unknown=True), {})
    assert matches(parse_filter("members eq null", USER, tolerate_unknown=True), {})
    assert not matches(parse_filter('members[value eq "1"]', USER, tolerate_unknown=True), {})
    assert matches(parse_filter('meta.resourceType eq "User"', USER), {})
    assert not matches(parse_filter('meta.resourceType eq "User"', GROUP), {})


def test_the_caps_hold():
    deep = "(" * MOST_DEPTH + "title pr" + ")" * MOST_DEPTH
    assert parse_filter(deep, USER)
    wide = " or ".join(["title pr"] * MOST_COMPARISONS)
    assert parse_filter(wide, USER)
    refused = (
        f"({deep})", f"{wide} or title pr", f'userName eq "{"a" * MOST_CHARACTERS}"', "(" * 5_000 + "title pr" + ")" * 5_000, "not (" * 40 + "title pr" + ")" * 40,
        "emails[" + " or ".join(["type pr"] * MOST_COMPARISONS) + "]",
    )  # fmt: skip
    for text in refused:
        with pytest.raises(InvalidFilter):
            parse_filter(text, USER)
    assert parse_filter('userName eq "((((((((((((((((((((((((((((((((((((((((((("', USER)


@pytest.mark.parametrize(
    "text",
    [
        "(" * 4_000,
        '"' * 4_000,
        "not " * 1_000,
        'a eq "' + "\\" * 4_000,
        "a.b" * 1_300,
        "urn:" * 1_000,
        "title pr and " * 300,
        "[" * 4_000,
        "a" * 4_096,
    ],
)
def test_no_text_takes_long(text):
    start = time.process_time()
    with pytest.raises(InvalidFilter):
        parse_filter(text, USER)
    assert time.process_time() - start < 0.5


@given(st.text(st.sampled_from(list('()[]." \\:abetpruserNamnotdq0-')) | st.characters(), max_size=60))
def test_any_text_is_a_filter_or_refused(text):
    try:
        found = parse_filter(text, USER)
    except InvalidFilter:
        return
    assert matches(found, BARBARA) in {True, False}


@given(text=user_filters, resource=users)
def test_not_is_the_opposite(text, resource):
    assert matches(parse_filter(f"not ({text})", USER), resource) is not matches(parse_filter(text, USER), resource)
