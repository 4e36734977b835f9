"""Reads REST APIs and everything in them: an API's resources come with their methods, all else takes a call per kind.

Source: Amazon API Gateway API Reference, the Get actions named in each listing. All of them are one right, `apigateway:GET`.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import partial

from ...domain.resources import LiveResource
from . import apigateway_serving
from .base import Finding, Gap, Item, Listing, Scope, Service, attempt, each

_GONE = ("NotFoundException",)
_MADE_WITH_API = {  # models that every new API has
    ("Empty", "This is a default empty schema model"),
    ("Error", "This is a default error schema model"),
}
_TEMPLATE = {"application/json": '{"message":$context.error.messageString}'}
_ALLOW = "gatewayresponse.header.Access-Control-Allow-"


def read_apis(scope: Scope) -> Iterator[Finding]:
    yield from each(scope.pages("apigateway", "get_rest_apis", "items"), partial(_api, scope))


def _api(scope: Scope, item: Item) -> Iterator[Finding]:
    api, tags = item["id"], dict(item.get("tags") or {})
    place = item.get("endpointConfiguration") or {}
    yield LiveResource(
        type="aws_api_gateway_rest_api",
        key=api,
        region=scope.region,
        cloud_id=scope.arn("apigateway", f"/restapis/{api}", account=""),
        tags=tags,
        attributes={
            "name": item.get("name"),
            "description": item.get("description"),
            "api_key_source": item.get("apiKeySource"),
            "binary_media_types": item.get("binaryMediaTypes"),
            "disable_execute_api_endpoint": item.get("disableExecuteApiEndpoint"),
            "endpoint_configuration": [{"types": place.get("types"), "vpc_endpoint_ids": place.get("vpcEndpointIds")}],
            "minimum_compression_size": item.get("minimumCompressionSize"),
            "policy": _unescaped(item.get("policy")),
            "tags": tags,
        },
    )
    for kinds, operation, member, emit in _PARTS:
        pages = partial(scope.pages, "apigateway", operation, member, restApiId=api, **_MORE.get(operation, {}))
        found = attempt("apigateway", partial(_all, pages), *_GONE)
        if isinstance(found, Gap):
            yield from (found.not_checked(kind, scope.region) for kind in kinds)
        else:
            for part in found.get("items") or ():
                yield from emit(scope, api, part)


def _all(pages: Callable[[], Iterator[Item]]) -> Item:
    return {"items": list(pages())}


def _unescaped(policy: object) -> object:
    """Return a policy as JSON; the API answers with one whose quotes are escaped once more."""
    if isinstance(policy, str) and policy.startswith('{\\"'):
        return json.loads(f'"{policy}"')
    return policy


def _emit(
    scope: Scope,
    kind: str,
    key: str,
    attributes: Mapping[str, object],
    *,
    cloud_made: bool = False,
    path_key: str | None = None,
) -> LiveResource:
    aliases = () if path_key is None else ((kind, path_key),)
    return LiveResource(
        kind, key, scope.region, attributes, key.replace("|", "/"), cloud_made=cloud_made, aliases=aliases
    )


def _resource(scope: Scope, api: str, item: Item) -> Iterator[LiveResource]:
    path, identity = item.get("path") or "", item["id"]
    yield _emit(scope, "aws_api_gateway_resource", f"{api}|{path}", {}, cloud_made=path == "/")
    for name, method in (item.get("resourceMethods") or {}).items():
        key, by_path = f"{api}|{identity}|{name}", f"{api}|{path}|{name}"
        yield _emit(scope, "aws_api_gateway_method", key, _method(method), path_key=by_path)
        for code, answer in (method.get("methodResponses") or {}).items():
            attributes = {
                "response_models": answer.get("responseModels"),
                "response_parameters": _flags(answer.get("responseParameters")),
            }
            yield _emit(
                scope, "aws_api_gateway_method_response", f"{key}|{code}", attributes, path_key=f"{by_path}|{code}"
            )
        integration = method.get("methodIntegration")
        if integration:
            yield _emit(scope, "aws_api_gateway_integration", key, _integration(integration), path_key=by_path)
            for code, answer in (integration.get("integrationResponses") or {}).items():
                yield _emit(
                    scope,
                    "aws_api_gateway_integration_response",
                    f"{key}|{code}",
                    {
                        "content_handling": answer.get("contentHandling"),
                        "response_parameters": answer.get("responseParameters"),
                        "response_templates": answer.get("responseTemplates"),
                        "selection_pattern": answer.get("selectionPattern"),
                    },
                    path_key=f"{by_path}|{code}",
                )


def _method(item: Item) -> dict[str, object]:
    return {
        "authorization": item.get("authorizationType"),
        "authorizer_id": item.get("authorizerId"),
        "authorization_scopes": item.get("authorizationScopes"),
        "api_key_required": item.get("apiKeyRequired"),
        "operation_name": item.get("operationName"),
        "request_models": item.get("requestModels"),
        "request_parameters": _flags(item.get("requestParameters")),
        "request_validator_id": item.get("requestValidatorId"),
    }


def _flags(items: Mapping[str, object] | None) -> dict[str, object]:
    """Spell a map of flags as every state does after it was read: `true` as a boolean."""
    return {
        name: value if isinstance(value, bool) else str(value).lower() == "true"
        for name, value in (items or {}).items()
    }


def _integration(item: Item) -> dict[str, object]:
    return {
        "type": item.get("type"),
        "uri": item.get("uri"),
        "integration_http_method": item.get("httpMethod"),
        "connection_type": item.get("connectionType"),
        "connection_id": item.get("connectionId"),
        "credentials": item.get("credentials"),
        "content_handling": item.get("contentHandling"),
        "passthrough_behavior": item.get("passthroughBehavior"),
        "request_parameters": item.get("requestParameters"),
        "request_templates": item.get("requestTemplates"),
        "timeout_milliseconds": item.get("timeoutInMillis"),
    }


def _authorizer(scope: Scope, api: str, item: Item) -> Iterator[LiveResource]:
    yield _emit(
        scope,
        "aws_api_gateway_authorizer",
        f"{api}|{item['id']}",
        {
            "name": item.get("name"),
            "type": item.get("type"),
            "authorizer_uri": item.get("authorizerUri"),
            "authorizer_credentials": item.get("authorizerCredentials"),
            "authorizer_result_ttl_in_seconds": item.get("authorizerResultTtlInSeconds"),
            "identity_source": item.get("identitySource"),
            "identity_validation_expression": item.get("identityValidationExpression"),
            "provider_arns": item.get("providerARNs"),
        },
    )


def _validator(scope: Scope, api: str, item: Item) -> Iterator[LiveResource]:
    attributes = {
        "name": item.get("name"),
        "validate_request_body": item.get("validateRequestBody"),
        "validate_request_parameters": item.get("validateRequestParameters"),
    }
    yield _emit(scope, "aws_api_gateway_request_validator", f"{api}|{item['id']}", attributes)


def _model(scope: Scope, api: str, item: Item) -> Iterator[LiveResource]:
    attributes = {
        "description": item.get("description"),
        "content_type": item.get("contentType"),
        "schema": item.get("schema"),
    }
    is_made = (item.get("name"), item.get("description")) in _MADE_WITH_API
    yield _emit(scope, "aws_api_gateway_model", f"{api}|{item['name']}", attributes, cloud_made=is_made)


def _gateway_response(scope: Scope, api: str, item: Item) -> Iterator[LiveResource]:
    if item.get("defaultResponse"):
        return
    attributes = {
        "status_code": item.get("statusCode"),
        "response_parameters": item.get("responseParameters"),
        "response_templates": item.get("responseTemplates"),
    }
    key = f"{api}|{item['responseType']}"
    yield _emit(scope, "aws_api_gateway_gateway_response", key, attributes, cloud_made=is_console_answer(item))


def is_console_answer(item: Item) -> bool:
    """Say whether a gateway response is one that the console's "Enable CORS" makes: the default one with CORS headers for all.

    Any other template, status or header, and a CORS header of another value, was written by somebody.
    """
    headers = item.get("responseParameters") or {}
    return (
        item.get("responseType") in {"DEFAULT_4XX", "DEFAULT_5XX"}
        and not item.get("statusCode")
        and item.get("responseTemplates") in (None, {}, _TEMPLATE)
        and bool(headers)
        and all(name == f"{_ALLOW}Origin" and value == "'*'" for name, value in headers.items())
    )


def _deployment(scope: Scope, api: str, item: Item) -> Iterator[LiveResource]:
    """Yield a deployment; one that no state knows is history, and a stage that was pointed at it tells so itself."""
    attributes = {"description": item.get("description")}
    yield _emit(scope, "aws_api_gateway_deployment", f"{api}|{item['id']}", attributes, cloud_made=True)


_MORE: Mapping[str, Mapping[str, object]] = {"get_resources": {"embed": ["methods"]}}
_PARTS: tuple[tuple[tuple[str, ...], str, str, Callable[[Scope, str, Item], Iterable[LiveResource]]], ...] = (
    (
        (
            "aws_api_gateway_resource",
            "aws_api_gateway_method",
            "aws_api_gateway_method_response",
            "aws_api_gateway_integration",
            "aws_api_gateway_integration_response",
        ),
        "get_resources",
        "items",
        _resource,
    ),
    (("aws_api_gateway_authorizer",), "get_authorizers", "items", _authorizer),
    (("aws_api_gateway_request_validator",), "get_request_validators", "items", _validator),
    (("aws_api_gateway_model",), "get_models", "items", _model),
    (("aws_api_gateway_gateway_response",), "get_gateway_responses", "items", _gateway_response),
    (("aws_api_gateway_deployment",), "get_deployments", "items", _deployment),
    (
        ("aws_api_gateway_stage", "aws_api_gateway_method_settings"),
        "get_stages",
        "item",
        apigateway_serving.stage,
    ),
)

SERVICE = Service(
    "apigateway",
    (
        Listing(
            types=("aws_api_gateway_rest_api", *(kind for kinds, *_ in _PARTS for kind in kinds)),
            read=read_apis,
            permissions=("apigateway:GET",),
        ),
        *apigateway_serving.LISTINGS,
    ),
)
