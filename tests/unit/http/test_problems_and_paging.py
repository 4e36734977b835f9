"""Problems (RFC 9457) and pages."""

from __future__ import annotations

import base64
import json
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel

from shared.http.call import parse_uuid, validated
from shared.http.errors import AppError, Invalid, MethodNotAllowed, RouteNotFound
from shared.http.paging import KeysetQuery, PageQuery, TextPageQuery, page, text_page, write_cursor, write_text_cursor
from shared.http.problems import problem_body, render_problem
from shared.ports.secret_store import Secret
from shared.security.errors import Unauthenticated


class Teapot(AppError):
    code, status, title = "teapot", 418, "Short and stout"


def test_a_problem_has_the_members_of_rfc_9457() -> None:
    body = problem_body(Teapot("tip me over", spout="here"), "r" * 32)
    assert body == {
        "type": "urn:driftwise:problem:teapot",
        "code": "teapot",
        "title": "Short and stout",
        "status": 418,
        "request_id": "r" * 32,
        "detail": "tip me over",
        "spout": "here",
    }


@given(st.dictionaries(st.sampled_from(["type", "code", "title", "status", "request_id", "fact"]), st.text()))
def test_facts_never_replace_what_a_problem_says_of_itself(facts: dict[str, Any]) -> None:
    error = Teapot()
    error.facts = facts
    plain = problem_body(Teapot(), "r")
    assert {name: problem_body(error, "r")[name] for name in plain} == plain


def test_a_problem_is_rendered_with_its_headers() -> None:
    response = render_problem(Unauthenticated(retry_after_seconds=7), "r")
    assert response.status_code == 401
    assert response.mimetype == "application/problem+json"
    assert response.headers["WWW-Authenticate"].startswith("Bearer")
    assert response.headers["Retry-After"] == "7"
    assert "Allow" not in response.headers
    assert render_problem(MethodNotAllowed(allowed=["GET", "PUT"]), "r").headers["Allow"] == "GET, PUT"


def test_a_fact_that_is_no_json_and_a_secret_are_shown_as_harmless_text() -> None:
    shown = render_problem(Teapot(a=UUID(int=1), b=Secret(b"hunter2")), "r").get_data(as_text=True)
    assert json.loads(shown)["a"] == str(UUID(int=1))
    assert "hunter2" not in shown


class Wish(BaseModel):
    model_config = {"extra": "forbid"}
    name: str
    sizes: list[int] = []


def test_a_wrong_field_is_named_and_its_value_never_repeated() -> None:
    with pytest.raises(Invalid) as caught:
        validated(Wish, {"name": 7, "sizes": ["tiger-secret"], "more": "tiger-secret"})
    errors = caught.value.facts["errors"]
    assert isinstance(errors, list)
    assert {item["field"] for item in errors} == {"name", "sizes.0", "more"}
    assert "tiger-secret" not in json.dumps(errors)


def test_a_body_with_countless_wrong_fields_gets_a_short_answer() -> None:
    with pytest.raises(Invalid) as caught:
        validated(Wish, {"name": "x"} | {f"{'long' * 1000}-{number}": 1 for number in range(5000)})
    assert len(json.dumps(caught.value.facts)) < 10_000


@given(st.uuids())
def test_a_cursor_survives_the_round_trip(last_id: UUID) -> None:
    assert PageQuery(cursor=write_cursor(last_id)).after_id() == last_id


GOOD = write_cursor(UUID(int=7))


@pytest.mark.parametrize(
    "cursor",
    ["", "x", GOOD[:-1], GOOD + "A", GOOD + "=", GOOD + "==", GOOD[:-1] + "B", " " + GOOD, GOOD[:5] + "!" + GOOD[5:], "ü" * 22,
     str(UUID(int=7)), "A" * 23, "null", "-1", base64.b64encode(b"\xff" * 16).decode()],
)  # fmt: skip
def test_a_cursor_that_is_not_ours_is_refused(cursor: str) -> None:
    with pytest.raises(Invalid) as caught:
        PageQuery(cursor=cursor).after_id()
    assert caught.value.status == 422
    assert "cursor" in json.dumps(caught.value.facts)


@given(st.text(max_size=100))
def test_no_text_makes_a_cursor_fail_in_another_way(text: str) -> None:
    try:
        found = PageQuery(cursor=text).after_id()
    except Invalid:
        return
    assert found is not None
    assert write_cursor(found) == text


class View(BaseModel):
    id: UUID


def rows(number: int) -> list[dict[str, Any]]:
    return [{"id": UUID(int=position + 1)} for position in range(number)]


@given(total=st.integers(0, 30), limit=st.integers(1, 10))
def test_pages_show_every_row_once_and_then_end(total: int, limit: int) -> None:
    everything, seen, cursor = rows(total), [], None
    for _ in range(total + 1):
        query = PageQuery(limit=limit, cursor=cursor)
        after = query.after_id()
        left = [row for row in everything if after is None or row["id"] > after]
        found = page(left[: limit + 1], query, lambda row: View(id=row["id"]))
        assert len(found["items"]) <= limit
        seen += [item["id"] for item in found["items"]]
        cursor = found["next_cursor"]
        if cursor is None:
            break
    assert seen == [str(row["id"]) for row in everything]


@pytest.mark.parametrize(
    "values", [{"limit": "0"}, {"limit": "201"}, {"limit": "x"}, {"offset": "-1"}, {"page": "2"}, {"cursor": "A" * 101}]
)
def test_a_wrong_page_query_is_refused_by_name(values: dict[str, str]) -> None:
    with pytest.raises(Invalid) as caught:
        validated(PageQuery, values)
    assert next(iter(values)) in json.dumps(caught.value.facts)


@given(st.uuids())
def test_an_id_in_a_path_is_read_in_its_one_form(value: UUID) -> None:
    assert parse_uuid(str(value)) == value
    assert parse_uuid(str(value).upper()) == value


TEXT = "01890a5d-ac96-774b-bcce-b302099a8057"


@pytest.mark.parametrize(
    "text",
    ["", "1", TEXT[:-1], TEXT + "0", TEXT.replace("-", ""), "{" + TEXT + "}", "urn:uuid:" + TEXT, TEXT + "\n", " " + TEXT,
     TEXT.replace("0189", "\u0660189"[:4]), TEXT.replace("5", "\u0665", 1), "g" + TEXT[1:], TEXT[:9] + "_" + TEXT[10:]],
)  # fmt: skip
def test_other_forms_of_an_id_name_nothing(text: str) -> None:
    with pytest.raises(RouteNotFound):
        parse_uuid(text)


@given(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), min_size=1, max_size=60))
def test_a_text_cursor_comes_back_as_it_was(text: str) -> None:
    assert TextPageQuery(cursor=write_text_cursor(text)).after_text() == text


@pytest.mark.parametrize("cursor", ["!", "YQ==", "YR", " YQ", "YQ\n", "AA", "_w", "é"])
def test_a_text_cursor_that_we_never_wrote_is_refused(cursor: str) -> None:
    with pytest.raises(Invalid) as caught:
        TextPageQuery(cursor=cursor).after_text()
    assert caught.value.facts["errors"][0]["field"] == "cursor"


class Word(BaseModel):
    word: str


def test_pages_in_order_of_the_alphabet_lead_from_one_to_the_next() -> None:
    words = [{"word": word} for word in ("a", "b", "c")]
    first = text_page(words, TextPageQuery(limit=2), Word.model_validate, by="word")
    assert [item["word"] for item in first["items"]] == ["a", "b"]
    assert TextPageQuery(cursor=first["next_cursor"]).after_text() == "b"
    last = text_page(words[2:], TextPageQuery(limit=2), Word.model_validate, by="word")
    assert (len(last["items"]), last["next_cursor"]) == (1, None)


def test_new_lists_do_not_page_by_number() -> None:
    assert "offset" in PageQuery.model_fields
    with pytest.raises(Invalid):
        validated(KeysetQuery, {"offset": "1"})
