"""Changes to HTTP APIs (API Gateway v2)."""

from __future__ import annotations

from typing import Any

from tests.support.aws_account import Clients, Mutation

from .calls import Apply, call, changed, missing, unmanaged
from .links_vpc import fixed, still

_TAG = {"Extra": "1"}
_V2 = "ApiId=api_id"


def two(kind: str, name: str, path: str, operation: str, *names: str, **arguments: Any) -> Mutation:
    """Change one member of something in the HTTP API."""
    return changed(f"aws_apigatewayv2_{kind}.{name}", path, call("apigatewayv2", operation, *names, **arguments))


def _in_shop(operation: str, member: str, **arguments: Any) -> Apply:
    def apply(clients: Clients, _target: dict[str, Any]) -> str:
        client = clients("apigatewayv2")
        api = client.get_apis()["Items"][0]["ApiId"]
        return f"{api}|{getattr(client, operation)(ApiId=api, **arguments)[member]}"

    return apply


_ROUTE = ("update_route", _V2, "RouteId=id")
_CALL = ("update_integration", _V2, "IntegrationId=id")
_HTTP = (
    two("api", "shop", "description", "update_api", "ApiId=id", Description="other"),
    two("api", "shop", "disable_execute_api_endpoint", "update_api", "ApiId=id", DisableExecuteApiEndpoint=True),
    two("api", "shop", "cors_configuration.allow_origins", "update_api", "ApiId=id", CorsConfiguration={
        "AllowOrigins": ["*"], "AllowMethods": ["GET", "POST"], "MaxAge": 60}),
    two("api", "shop", "tags.Extra", "tag_resource", "ResourceArn=arn", Tags=_TAG),
    two("api", "shop", "name", "update_api", "ApiId=id", Name="other"),
    two("api", "shop", "version", "update_api", "ApiId=id", Version="2"),
    two("api", "shop", "api_key_selection_expression", "update_api", "ApiId=id", ApiKeySelectionExpression="$request.header.other"),
    two("api", "shop", "route_selection_expression", "update_api", "ApiId=id", RouteSelectionExpression="$request.body.action"),
    two("route", "items", "api_key_required", *_ROUTE, ApiKeyRequired=True),
    two("route", "items", "authorization_scopes", *_ROUTE, AuthorizationScopes=["read"]),
    two("route", "items", "authorizer_id", *_ROUTE, AuthorizerId="other"),
    two("route", "items", "model_selection_expression", *_ROUTE, ModelSelectionExpression="other"),
    two("route", "items", "request_models", *_ROUTE, RequestModels={"application/json": "Item"}),
    two("integration", "items", "credentials_arn", *_CALL, CredentialsArn="arn:aws:iam::123456789012:role/other"),
    two("integration", "items", "connection_id", *_CALL, ConnectionId="other"),
    two("integration", "items", "connection_type", *_CALL, ConnectionType="VPC_LINK"),
    two("integration", "items", "content_handling_strategy", *_CALL, ContentHandlingStrategy="CONVERT_TO_TEXT"),
    two("integration", "items", "integration_subtype", *_CALL, IntegrationSubtype="SQS-SendMessage"),
    two("integration", "items", "integration_type", *_CALL, IntegrationType="AWS_PROXY"),
    two("integration", "items", "passthrough_behavior", *_CALL, PassthroughBehavior="NEVER"),
    two("integration", "items", "payload_format_version", *_CALL, PayloadFormatVersion="2.0"),
    two("integration", "items", "request_parameters", *_CALL, RequestParameters={"overwrite:path": "/other"}),
    two("integration", "items", "request_templates", *_CALL, RequestTemplates={"application/json": "[]"}),
    two("integration", "items", "template_selection_expression", *_CALL, TemplateSelectionExpression="other"),
    unmanaged("aws_apigatewayv2_route", _in_shop("create_route", "RouteId", RouteKey="POST /items")),
    two("route", "items", "authorization_type", *_ROUTE, AuthorizationType="NONE"),
    two("route", "items", "operation_name", *_ROUTE, OperationName="items"),
    two("route", "items", "route_key", *_ROUTE, RouteKey="GET /other"),
    two("route", "items", "target", *_ROUTE, Target="integrations/other"),
    two("integration", "items", "description", *_CALL, Description="other"),
    two("integration", "items", "integration_uri", *_CALL, IntegrationUri="https://other.example/"),
    two("integration", "items", "integration_method", *_CALL, IntegrationMethod="POST"),
    two("integration", "items", "timeout_milliseconds", *_CALL, TimeoutInMillis=500),
    unmanaged("aws_apigatewayv2_integration", _in_shop("create_integration", "IntegrationId", IntegrationType="HTTP_PROXY")),
    unmanaged("aws_apigatewayv2_stage", _in_shop("create_stage", "StageName", StageName="more")),
    two("vpc_link", "inside", "name", "update_vpc_link", "VpcLinkId=id", Name="other"),
    two("vpc_link", "inside", "tags.Extra", "tag_resource", "ResourceArn=arn", Tags=_TAG),
    unmanaged("aws_apigatewayv2_vpc_link", lambda clients, _target: str(clients("apigatewayv2").create_vpc_link(
        Name="more", SubnetIds=["subnet-1"])["VpcLinkId"])),
    missing("aws_apigatewayv2_vpc_link.inside", call("apigatewayv2", "delete_vpc_link", "VpcLinkId=id")),
    missing("aws_apigatewayv2_stage.live", call("apigatewayv2", "delete_stage", _V2, "StageName=name")),
    missing("aws_apigatewayv2_route.items", call("apigatewayv2", "delete_route", _V2, "RouteId=id")),
    missing("aws_apigatewayv2_integration.items", call("apigatewayv2", "delete_integration", _V2, "IntegrationId=id")),
    unmanaged("aws_apigatewayv2_api", lambda clients, _target: str(clients("apigatewayv2").create_api(
        Name="more", ProtocolType="HTTP")["ApiId"])),
    missing("aws_apigatewayv2_api.shop", call("apigatewayv2", "delete_api", "ApiId=id")),
)  # fmt: skip

MUTATIONS: tuple[Mutation, ...] = _HTTP

EXCEPTIONS: dict[str, str] = {
    **fixed("aws_apigatewayv2_api", "protocol_type"),
    **still("aws_apigatewayv2_api", "ip_address_type"),
    **still(
        "aws_apigatewayv2_stage", "description", "access_log_settings", "auto_deploy", "client_certificate_id", "default_route_settings",
        "route_settings", "stage_variables", "tags",
    ),
    **fixed("aws_apigatewayv2_vpc_link", "security_group_ids", "subnet_ids"),
}  # fmt: skip
