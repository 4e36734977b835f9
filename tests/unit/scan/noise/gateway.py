"""The middlewares of the first generation for API Gateway, each on the real readers or the real type table."""

from __future__ import annotations

import json
from typing import Any

from functions.scan.domain.resources import LiveResource

from .harness import Family, change, fold, live, one, read

_DEPLOYED = {"id": "d1", "rest_api_id": "a1", "stage_name": "live"}
_STAGE = live("aws_api_gateway_stage", "a1|live", deployment_id="d1", variables={})
_ENTRY = json.dumps({"openapi": "3.0.1", "paths": {"/pets": {"get": {"responses": {"200": {}}}}}})
_API = ("aws_api_gateway_rest_api", {"id": "a1", "name": "pets", "body": _ENTRY})
_GET = {"GET": {"methodResponses": {"200": {}}}}
_STATEMENT = {"Effect": "Allow", "Principal": "*", "Action": "execute-api:Invoke", "Resource": "*"}
_POLICY = json.dumps({"Version": "2012-10-17", "Statement": [_STATEMENT]})
_WIDER = json.dumps({"Version": "2012-10-17", "Statement": [{**_STATEMENT, "Action": "execute-api:*"}]})
_CORS = "gatewayresponse.header.Access-Control-Allow-Origin"
_DOMAIN = (
    "aws_apigatewayv2_domain_name",
    {"domain_name": "api.example.com", "domain_name_configuration": [{"certificate_arn": "arn:c", "security_policy": "TLS_1_2"}]},
)  # fmt: skip


def _api(policy: str | None = None, **replies: Any) -> tuple[LiveResource, ...]:
    item = {"id": "a1", "name": "pets", **({"policy": policy} if policy else {})}
    found = read("aws_api_gateway_rest_api", get_rest_apis={"items": [item]}, **replies)
    return tuple(item for item in found if item.type != "aws_api_gateway_rest_api" or policy)


def _resources(*paths: str, **methods: Any) -> tuple[LiveResource, ...]:
    items = [{"id": f"r{path}", "path": path, "resourceMethods": methods if path == "/pets" else {}} for path in paths]
    api = live("aws_api_gateway_rest_api", "a1", name="pets")
    return (api, *_api(get_resources={"items": items}))


def _answers(**members: Any) -> tuple[LiveResource, ...]:
    return _api(get_gateway_responses={"items": [{"responseType": "DEFAULT_4XX", "defaultResponse": False, **members}]})


def _domains(certificate: str) -> tuple[LiveResource, ...]:
    item = {"domainName": "api.example.com", "regionalCertificateArn": certificate, "securityPolicy": "TLS_1_2"}
    return read("aws_api_gateway_domain_name", get_domain_names={"items": [item]})


def _escaped(policy: str) -> str:
    return policy.replace('"', '\\"')


FAMILIES: tuple[Family, ...] = (
    Family(
        "30 gateway-deployment", "API Gateway deployment with a stage name: creates a stage", "`types/aws/apigateway._with_its_stage`.",
        (fold("the stage that came with it", ("aws_api_gateway_deployment", _DEPLOYED), (live("aws_api_gateway_deployment", "a1|d1"), _STAGE)),),
        (
            change("a stage that no deployment names", ("aws_api_gateway_deployment", {**_DEPLOYED, "stage_name": None}), (live("aws_api_gateway_deployment", "a1|d1"), _STAGE),
                   ("unmanaged", "a1|live", "")),
            change("the stage serves another deployment", ("aws_api_gateway_deployment", _DEPLOYED),
                   (live("aws_api_gateway_deployment", "a1|d1"), live("aws_api_gateway_stage", "a1|live", deployment_id="d2")),
                   ("changed", "aws_api_gateway_deployment.x", "deployment_id")),
        ),
    ),
    Family(
        "31 gateway-root", "REST API's root resource: created from its id", "`readers/aws/apigateway._resource`: `cloud_made` by its path.",
        (fold("the root of an API", ("aws_api_gateway_rest_api", {"id": "a1", "name": "pets"}), _resources("/")),),
        (change("a path below it", ("aws_api_gateway_rest_api", {"id": "a1", "name": "pets"}), _resources("/", "/pets"), ("unmanaged", "a1|/pets", "")),),
    ),
    Family(
        "32 gateway-body", "OpenAPI body: expanded to resources, methods, responses and routes", "`types/aws/apigateway_body.declared_in_body`.",
        (fold("what the document declares", _API, _resources("/", "/pets", **_GET)),),
        (
            change("one method more", _API, _resources("/", "/pets", **_GET, DELETE={}), ("unmanaged", "a1|r/pets|DELETE", "")),
            change("its path is gone", _API, _resources("/"), ("missing", "aws_api_gateway_rest_api.x", "")),
        ),
    ),
    Family(
        "33 gateway-policy", "REST API inline policy: split; one of its own wins",
        "`readers/aws/apigateway._unescaped`; a policy of its own is in the API's state once that was refreshed, and its type has no spec here.",
        (fold("escaped once more, as the API answers", ("aws_api_gateway_rest_api", {"id": "a1", "policy": _POLICY}), _api(_escaped(_POLICY))),),
        (change("a wider one", ("aws_api_gateway_rest_api", {"id": "a1", "policy": _POLICY}), _api(_escaped(_WIDER)), ("changed", "aws_api_gateway_rest_api.x", "policy.Statement")),),
    ),
    Family(
        "34 gateway-responses", "Gateway responses made by the console: hidden", "`readers/aws/apigateway.is_console_answer`: exactly the default one with CORS headers for all.",
        (fold("CORS for all", (), _answers(responseParameters={_CORS: "'*'"})),),
        (
            change("another origin", (), _answers(responseParameters={_CORS: "'https://evil.example'"}), ("unmanaged", "a1|DEFAULT_4XX", "")),
            change("another status", (), _answers(responseParameters={_CORS: "'*'"}, statusCode="200"), ("unmanaged", "a1|DEFAULT_4XX", "")),
        ),
    ),
    Family(
        "35 gateway-domains", "Domain names in both API versions: the managed one is kept", "`types/aws/apigateway._as_rest_domain`: one domain, whichever API declares it.",
        (fold("declared as one of an HTTP API", _DOMAIN, _domains("arn:c")),),
        (change("another certificate", _DOMAIN, _domains("arn:d"), ("changed", "aws_apigatewayv2_domain_name.x", "regional_certificate_arn")),),
    ),
    Family(
        "36 gateway-mappings", "Base path mappings in both API versions: the managed one is kept",
        "`types/aws/apigateway.mapping_key`: the empty path and `(none)` are one; mappings of HTTP APIs have no spec here.",
        **one("aws_api_gateway_base_path_mapping", {"domain_name": "api.example.com", "base_path": "(none)", "api_id": "a1", "stage_name": "live"},
              {"api_id": "a1", "stage_name": "live"}, {"api_id": "a2", "stage_name": "live"}, "api_id"),
    ),
)  # fmt: skip
