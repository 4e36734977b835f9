"""What AWS makes by itself at the edge and between networks stays quiet; the change beside it is told."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

import pytest

from functions.scan.domain.comparison import Sides, compare
from functions.scan.domain.difference import changes
from functions.scan.domain.resources import Declared, LiveResource
from functions.scan.domain.state import parse_state
from functions.scan.readers.aws.apigateway import _deployment, _gateway_response, _model, _resource, _unescaped
from functions.scan.readers.aws.apigatewayv2 import _route
from functions.scan.readers.aws.base import Scope
from functions.scan.readers.aws.ec2_interfaces import _came_with_instance
from functions.scan.readers.aws.ec2_links import _is_provided
from functions.scan.types.aws import SPECS
from functions.scan.types.aws.apigateway import mapping_key
from functions.scan.types.aws.apigateway_body import document_of
from functions.scan.types.aws.wafv2 import rule_body, rules, spelled

API = "abc123"
BODY = {
    "openapi": "3.0.1",
    "paths": {
        "/pets/{id}": {
            "get": {
                "responses": {"200": {}},
                "x-amazon-apigateway-integration": {
                    "type": "http_proxy",
                    "httpMethod": "GET",
                    "uri": "https://pets.example/",
                    "responses": {"default": {"statusCode": "200"}},
                },
            }
        }
    },
}


def no_client(service: str) -> Any:
    raise AssertionError(f"{service} was called")


SCOPE = Scope(account="123456789012", region="eu-west-1", partition="aws", client=no_client)


def declared(kind: str, attributes: dict[str, Any]) -> tuple[Declared, ...]:
    resource = {"mode": "managed", "type": kind, "name": "it", "instances": [{"attributes": attributes}]}
    state = {"version": 4, "serial": 1, "lineage": "a", "terraform_version": "1.11.4", "resources": [resource]}
    return parse_state(json.dumps(state).encode(), SPECS).declared


def drifts(stated: Iterable[Declared], live: Iterable[LiveResource]) -> set[tuple[str, str, str | None]]:
    sides = Sides("123456789012", frozenset({"eu-west-1"}), stated, live)
    return {(item.kind, item.key, item.path) for item in compare(sides, SPECS)}


def api(**attributes: object) -> LiveResource:
    return LiveResource("aws_api_gateway_rest_api", API, "eu-west-1", attributes, API)


def resources(*more: str, uri: str = "https://pets.example/") -> list[LiveResource]:
    """What an API made of `BODY` holds, with further methods on its one path."""
    method: dict[str, Any] = {
        "authorizationType": "NONE",
        "methodResponses": {"200": {}},
        "methodIntegration": {
            "type": "HTTP_PROXY",
            "httpMethod": "GET",
            "uri": uri,
            "integrationResponses": {"200": {}},
        },
    }
    items: list[dict[str, Any]] = [
        {"id": "r0", "path": "/"},
        {"id": "r1", "path": "/pets"},
        {"id": "r2", "path": "/pets/{id}", "resourceMethods": {"GET": method, **{name: {} for name in more}}},
    ]
    return [part for item in items for part in _resource(SCOPE, API, item)]


# --- API Gateway ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "body", [json.dumps(BODY), "paths:\n  /pets/{id}:\n    get:\n      responses:\n        '200': {}\n"]
)
def test_what_a_document_declares_is_declared(body: str) -> None:
    stated = declared("aws_api_gateway_rest_api", {"id": API, "body": body})
    found = drifts(stated, [api(), *resources()])
    assert found - {("unmanaged", f"{API}|r2|GET", None), ("unmanaged", f"{API}|r2|GET|200", None)} == set()
    if body.startswith("{"):
        assert found == set()


def test_without_a_document_the_same_resources_are_nobodys() -> None:
    stated = declared("aws_api_gateway_rest_api", {"id": API, "body": None})
    assert ("unmanaged", f"{API}|r2|GET", None) in drifts(stated, [api(), *resources()])


def test_one_more_method_beside_a_document_is_found_alone() -> None:
    stated = declared("aws_api_gateway_rest_api", {"id": API, "body": json.dumps(BODY)})
    assert drifts(stated, [api(), *resources("DELETE")]) == {("unmanaged", f"{API}|r2|DELETE", None)}


def test_an_integration_that_a_document_declares_is_found_when_it_changes() -> None:
    stated = declared("aws_api_gateway_rest_api", {"id": API, "body": json.dumps(BODY)})
    live = [api(), *resources(uri="https://evil.example/")]
    assert drifts(stated, live) == {("changed", f"{API}|r2|GET", "uri")}


def test_a_path_that_a_document_declares_is_missed_when_it_is_gone() -> None:
    stated = declared("aws_api_gateway_rest_api", {"id": API, "body": json.dumps(BODY)})
    live = [item for item in resources() if item.key != f"{API}|/pets"]
    assert drifts(stated, [api(), *live]) == {("missing", f"{API}|/pets", None)}


@pytest.mark.parametrize("body", ["", "no: [document", "[]", "paths", None, 7])
def test_what_is_no_document_declares_nothing(body: object) -> None:
    paths = document_of(body).get("paths")
    assert not paths


def test_the_root_of_an_api_is_its_own() -> None:
    (root,) = _resource(SCOPE, API, {"id": "r0", "path": "/"})
    (other,) = _resource(SCOPE, API, {"id": "r1", "path": "/admin"})
    assert root.cloud_made
    assert not other.cloud_made


def answer(**members: Any) -> LiveResource:
    (found,) = _gateway_response(SCOPE, API, {"responseType": "DEFAULT_4XX", **members})
    return found


ALLOW = "gatewayresponse.header.Access-Control-Allow-Origin"


def test_the_consoles_gateway_response_is_quiet() -> None:
    assert answer(responseParameters={ALLOW: "'*'"}).cloud_made
    assert list(_gateway_response(SCOPE, API, {"responseType": "DEFAULT_4XX", "defaultResponse": True})) == []


@pytest.mark.parametrize(
    "members",
    [
        {"responseParameters": {ALLOW: "'https://evil.example'"}},
        {"responseParameters": {ALLOW: "'*'", "gatewayresponse.header.Set-Cookie": "'a'"}},
        {"responseParameters": {ALLOW: "'*'"}, "statusCode": "200"},
        {"responseParameters": {ALLOW: "'*'"}, "responseTemplates": {"application/json": "{}"}},
        {"responseParameters": {ALLOW: "'*'"}, "responseType": "UNAUTHORIZED"},
        {},
    ],
)
def test_any_other_gateway_response_is_told(members: dict[str, Any]) -> None:
    assert not answer(**members).cloud_made


def test_a_models_name_alone_does_not_make_it_awss_own() -> None:
    default = {"name": "Empty", "description": "This is a default empty schema model"}
    (made,), (written,) = _model(SCOPE, API, default), _model(SCOPE, API, {**default, "description": "mine"})
    assert (made.cloud_made, written.cloud_made) == (True, False)


def test_a_deployment_is_history_and_the_stage_tells_which_one_is_served() -> None:
    (deployment,) = _deployment(SCOPE, API, {"id": "d2"})
    assert deployment.cloud_made
    stage = {"rest_api_id": API, "stage_name": "live", "deployment_id": "d1"}
    live = {"deployment_id": "d2"}
    assert [item.path for item in changes(SPECS["aws_api_gateway_stage"], stage, live)] == ["deployment_id"]


def test_a_policy_is_read_through_the_escapes_of_the_api() -> None:
    policy = {"Version": "2012-10-17", "Statement": []}
    assert json.loads(str(_unescaped(json.dumps(policy).replace('"', '\\"')))) == policy
    assert _unescaped(json.dumps(policy)) == json.dumps(policy)


def test_a_domain_name_is_one_thing_under_both_apis() -> None:
    configuration = [{"certificate_arn": "arn:one", "security_policy": "TLS_1_2"}]
    stated = declared(
        "aws_apigatewayv2_domain_name", {"domain_name": "a.example", "domain_name_configuration": configuration}
    )
    kind = "aws_api_gateway_domain_name"

    def live(arn: str) -> LiveResource:
        return LiveResource(
            kind, "a.example", "eu-west-1", {"regional_certificate_arn": arn, "security_policy": "TLS_1_2"}, ""
        )

    assert drifts(stated, [live("arn:one")]) == set()
    assert drifts(stated, [live("arn:two")]) == {("changed", "a.example", "regional_certificate_arn")}
    assert drifts([], [live("arn:one")]) == {("unmanaged", "a.example", None)}


def test_a_mapping_of_the_whole_domain_has_one_key() -> None:
    assert mapping_key("a.example", "(none)") == mapping_key("a.example", None) != mapping_key("a.example", "v1")


def test_a_route_that_a_document_declares_is_matched_by_its_words() -> None:
    stated = declared("aws_apigatewayv2_api", {"id": API, "body": json.dumps(BODY)})
    shop = LiveResource("aws_apigatewayv2_api", API, "eu-west-1", {}, API)
    known = _route(SCOPE, API, {"RouteId": "x", "RouteKey": "GET /pets/{id}"})
    other = _route(SCOPE, API, {"RouteId": "y", "RouteKey": "ANY /{proxy+}"})
    assert drifts(stated, [shop, known, other]) == {("unmanaged", f"{API}|y", None)}


# --- Networks ------------------------------------------------------------------------------------------------------


def test_only_the_dhcp_options_of_aws_are_awss_own() -> None:
    own = {"domain-name": ["eu-west-1.compute.internal"], "domain-name-servers": ["AmazonProvidedDNS"]}
    assert _is_provided(own, "eu-west-1")
    assert not _is_provided({**own, "domain-name-servers": ["198.51.100.7"]}, "eu-west-1")
    assert not _is_provided({**own, "ntp-servers": ["198.51.100.7"]}, "eu-west-1")
    assert not _is_provided(own, "us-east-1")


def test_an_interface_that_somebody_attached_later_is_not_its_instances_own() -> None:
    first = {"InstanceId": "i-1", "DeviceIndex": 0, "DeleteOnTermination": False}
    later = {"InstanceId": "i-1", "DeviceIndex": 1, "DeleteOnTermination": False}
    assert _came_with_instance(first)
    assert _came_with_instance({**later, "DeleteOnTermination": True})
    assert not _came_with_instance(later)
    assert not _came_with_instance({})


# --- WAF -----------------------------------------------------------------------------------------------------------


def test_members_are_spelled_as_terraform_does() -> None:
    names = ("IPSetReferenceStatement", "ARN", "CloudWatchMetricsEnabled", "TextTransformations", "RateBasedStatement")
    assert [spelled(name) for name in names] == [
        "ip_set_reference_statement", "arn", "cloudwatch_metrics_enabled", "text_transformation", "rate_based_statement",
    ]  # fmt: skip


def test_a_rule_is_the_same_from_a_state_and_from_the_api() -> None:
    state = [
        {"name": "a", "priority": 0, "action": [{"block": [{"custom_response": []}], "allow": []}], "rule_label": []}
    ]
    live = [{"name": "a", "Priority": 0, "Action": {"Block": {}}}]
    assert rules(state) == rules(live)
    assert rules(state) != rules([{**live[0], "Action": {"Count": {}}}])
    assert rules(state) != rules([{**live[0], "Priority": 1}])


def test_the_bytes_of_a_search_are_its_text() -> None:
    assert (
        rule_body({"SearchString": b"admin"})
        == rule_body({"search_string": "admin"})
        != rule_body({"SearchString": b"x"})
    )
