"""Reads HTTP and WebSocket APIs with their routes, integrations and stages; VPC links.

Source: Amazon API Gateway V2 API Reference, the Get actions named in each listing. All of them are one right, `apigateway:GET`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial

from ...domain.resources import LiveResource
from .base import Finding, Gap, Item, Listing, Scope, Service, attempt, each
from .ec2_compute import snake

_GONE = ("NotFoundException",)


def read_apis(scope: Scope) -> Iterator[Finding]:
    yield from each(scope.pages("apigatewayv2", "get_apis", "Items"), partial(_api, scope))


def _api(scope: Scope, item: Item) -> Iterator[Finding]:
    api, tags, cors = item["ApiId"], dict(item.get("Tags") or {}), item.get("CorsConfiguration")
    yield LiveResource(
        type="aws_apigatewayv2_api",
        key=api,
        region=scope.region,
        cloud_id=scope.arn("apigateway", f"/apis/{api}", account=""),
        tags=tags,
        attributes={
            "name": item.get("Name"),
            "description": item.get("Description"),
            "protocol_type": item.get("ProtocolType"),
            "api_key_selection_expression": item.get("ApiKeySelectionExpression"),
            "route_selection_expression": item.get("RouteSelectionExpression"),
            "disable_execute_api_endpoint": item.get("DisableExecuteApiEndpoint"),
            "ip_address_type": item.get("IpAddressType"),
            "version": item.get("Version"),
            "cors_configuration": [snake(cors)] if cors else [],
            "tags": tags,
        },
    )
    for kind, operation, emit in _PARTS:
        pages = partial(scope.pages, "apigatewayv2", operation, "Items", ApiId=api)
        found = attempt("apigateway", partial(_all, pages), *_GONE)
        if isinstance(found, Gap):
            yield found.not_checked(kind, scope.region)
        else:
            yield from (emit(scope, api, part) for part in found.get("Items") or ())


def _all(pages: Callable[[], Iterator[Item]]) -> Item:
    return {"Items": list(pages())}


def _route(scope: Scope, api: str, item: Item) -> LiveResource:
    kind, key = "aws_apigatewayv2_route", f"{api}|{item['RouteId']}"
    return LiveResource(
        type=kind,
        key=key,
        region=scope.region,
        cloud_id=f"{api}/{item.get('RouteKey')}",
        cloud_made=bool(item.get("ApiGatewayManaged")),
        aliases=((kind, f"{api}|{item.get('RouteKey')}"),),  # a document that declares it knows no id
        attributes={
            "route_key": item.get("RouteKey"),
            "target": item.get("Target"),
            "authorization_type": item.get("AuthorizationType"),
            "authorizer_id": item.get("AuthorizerId"),
            "authorization_scopes": item.get("AuthorizationScopes"),
            "api_key_required": item.get("ApiKeyRequired"),
            "model_selection_expression": item.get("ModelSelectionExpression"),
            "operation_name": item.get("OperationName"),
            "request_models": item.get("RequestModels"),
        },
    )


def _integration(scope: Scope, api: str, item: Item) -> LiveResource:
    key = f"{api}|{item['IntegrationId']}"
    return LiveResource(
        type="aws_apigatewayv2_integration",
        key=key,
        region=scope.region,
        cloud_id=key.replace("|", "/"),
        cloud_made=bool(item.get("ApiGatewayManaged")),
        attributes={
            "integration_type": item.get("IntegrationType"),
            "integration_method": item.get("IntegrationMethod"),
            "integration_uri": item.get("IntegrationUri"),
            "integration_subtype": item.get("IntegrationSubtype"),
            "description": item.get("Description"),
            "connection_type": item.get("ConnectionType"),
            "connection_id": item.get("ConnectionId"),
            "credentials_arn": item.get("CredentialsArn"),
            "content_handling_strategy": item.get("ContentHandlingStrategy"),
            "passthrough_behavior": item.get("PassthroughBehavior"),
            "payload_format_version": item.get("PayloadFormatVersion"),
            "request_parameters": item.get("RequestParameters"),
            "request_templates": item.get("RequestTemplates"),
            "template_selection_expression": item.get("TemplateSelectionExpression"),
            "timeout_milliseconds": item.get("TimeoutInMillis"),
        },
    )


def _stage(scope: Scope, api: str, item: Item) -> LiveResource:
    name, tags = item["StageName"], dict(item.get("Tags") or {})
    logs, settings = item.get("AccessLogSettings") or {}, item.get("DefaultRouteSettings") or {}
    routes = item.get("RouteSettings") or {}
    return LiveResource(
        type="aws_apigatewayv2_stage",
        key=f"{api}|{name}",
        region=scope.region,
        cloud_id=scope.arn("apigateway", f"/apis/{api}/stages/{name}", account=""),
        cloud_made=bool(item.get("ApiGatewayManaged")),
        tags=tags,
        attributes={
            "description": item.get("Description"),
            "access_log_settings": [{"destination_arn": logs.get("DestinationArn"), "format": logs.get("Format")}],
            "auto_deploy": item.get("AutoDeploy"),
            "client_certificate_id": item.get("ClientCertificateId"),
            "default_route_settings": [snake(settings)],
            "route_settings": [{"route_key": route, **_mapping(one)} for route, one in routes.items()],
            "stage_variables": item.get("StageVariables"),
            "tags": tags,
        },
    )


def _mapping(value: Item) -> dict[str, object]:
    found = snake(value)
    return dict(found) if isinstance(found, dict) else {}


def read_links(scope: Scope) -> Iterator[Finding]:
    for item in scope.pages("apigatewayv2", "get_vpc_links", "Items"):
        if item.get("VpcLinkStatus") == "DELETING":
            continue
        key, tags = item["VpcLinkId"], dict(item.get("Tags") or {})
        yield LiveResource(
            type="aws_apigatewayv2_vpc_link",
            key=key,
            region=scope.region,
            cloud_id=scope.arn("apigateway", f"/vpclinks/{key}", account=""),
            tags=tags,
            attributes={
                "name": item.get("Name"),
                "security_group_ids": item.get("SecurityGroupIds"),
                "subnet_ids": item.get("SubnetIds"),
                "tags": tags,
            },
        )


_PARTS: tuple[tuple[str, str, Callable[[Scope, str, Item], LiveResource]], ...] = (
    ("aws_apigatewayv2_route", "get_routes", _route),
    ("aws_apigatewayv2_integration", "get_integrations", _integration),
    ("aws_apigatewayv2_stage", "get_stages", _stage),
)

SERVICE = Service(
    "apigatewayv2",
    (
        Listing(
            types=("aws_apigatewayv2_api", *(kind for kind, *_ in _PARTS)),
            read=read_apis,
            permissions=("apigateway:GET",),
        ),
        Listing(types=("aws_apigatewayv2_vpc_link",), read=read_links, permissions=("apigateway:GET",)),
    ),
)
