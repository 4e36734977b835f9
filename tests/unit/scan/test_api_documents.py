"""A document of an API that is broken or hostile is no document; it never stops the scan that reads it."""

from __future__ import annotations

import pytest

from functions.scan.types.aws.apigateway_body import document_of


@pytest.mark.parametrize(
    "body",
    [
        pytest.param('{"paths": ' + "[" * 100_000, id="json-nested-too-deep"),
        pytest.param("paths: " + "[" * 5_000, id="yaml-nested-too-deep"),
        pytest.param("released: 2001-99-99", id="yaml-date-that-is-none"),
        pytest.param("a: b: c", id="yaml-broken"),
        pytest.param("!!python/object/apply:os.getcwd []", id="yaml-that-asks-for-code"),
        pytest.param("- a\n- b", id="yaml-list"),
        pytest.param("paths: {/a: &one {get: {}}, /b: {<<: *one}}", id="yaml-that-repeats-itself"),
        pytest.param("paths: {}\n#" + "x" * 500_000, id="yaml-too-long"),
    ],
)
def test_what_is_no_document_is_empty(body: str) -> None:
    assert document_of(body) == {}


def test_json_and_yaml_say_the_same() -> None:
    assert document_of("paths:\n  /a: {}\n") == document_of('{"paths": {"/a": {}}}') == {"paths": {"/a": {}}}
