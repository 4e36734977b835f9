"""Changes to REST APIs (v1) and HTTP APIs (v2), and to how they are served."""

from __future__ import annotations

from typing import Any

from tests.support.aws_account import Clients, Mutation

from .calls import Apply, call, changed, missing, unmanaged
from .links_vpc import still

_API = "restApiId=rest_api_id"
_PLACE = (_API, "resourceId=resource_id", "httpMethod=http_method")
_TAG = {"Extra": "1"}


def patched(operation: str, *names: str, path: str, value: str) -> Apply:
    """Replace one member of an API Gateway resource."""
    return call("apigateway", operation, *names, patchOperations=[{"op": "replace", "path": path, "value": value}])


def _orders(client: Any) -> str:
    return str(next(item["id"] for item in client.get_rest_apis()["items"] if item["name"] == "orders"))


def _path(client: Any, api: str, path: str) -> str:
    return str(next(item["id"] for item in client.get_resources(restApiId=api)["items"] if item["path"] == path))


def _made(operation: str, key: str, **arguments: Any) -> Apply:
    """Make something in the `orders` API; `key` is filled with the API's id and members of the reply."""

    def apply(clients: Clients, _target: dict[str, Any]) -> str:
        client = clients("apigateway")
        api = _orders(client)
        return key.format(api=api, **getattr(client, operation)(restApiId=api, **arguments))

    return apply


def _create_resource(clients: Clients, _target: dict[str, Any]) -> str:
    client = clients("apigateway")
    api = _orders(client)
    client.create_resource(restApiId=api, parentId=_path(client, api, "/"), pathPart="more")
    return f"{api}|/more"


def _open_method(clients: Clients, _target: dict[str, Any]) -> str:
    """Open one more method in an API that is declared by a document: it is not in the document."""
    client = clients("apigateway")
    api = str(next(item["id"] for item in client.get_rest_apis()["items"] if item["name"] == "described"))
    resource = _path(client, api, "/pets")
    client.put_method(restApiId=api, resourceId=resource, httpMethod="DELETE", authorizationType="NONE")
    return f"{api}|{resource}|DELETE"


def _integrate(clients: Clients, _target: dict[str, Any]) -> str:
    client = clients("apigateway")
    api = _orders(client)
    resource = _path(client, api, "/more")
    place = {"restApiId": api, "resourceId": resource, "httpMethod": "GET"}
    client.put_method(**place, authorizationType="NONE")
    client.put_integration(**place, type="MOCK")
    return f"{api}|{resource}|GET"


_METHOD: dict[str, Any] = {
    "authorizationType": "CUSTOM",
    "apiKeyRequired": True,
    "requestParameters": {"method.request.querystring.page": True},
}


def method(path: str, **changes: Any) -> Mutation:
    """Write the method again with one member changed; its answers and integration are written again too."""

    def apply(clients: Clients, target: dict[str, Any]) -> None:
        client = clients("apigateway")
        place = {
            "restApiId": target["rest_api_id"],
            "resourceId": target["resource_id"],
            "httpMethod": target["http_method"],
        }
        more = {"authorizerId": target["authorizer_id"], "requestValidatorId": target["request_validator_id"]}
        client.put_method(**place, **{**_METHOD, **more, **changes})
        client.put_method_response(**place, statusCode="200", responseModels={"application/json": "Empty"})
        client.put_integration(**place, **_INTEGRATION)
        client.put_integration_response(**place, statusCode="200", selectionPattern="2..")

    return changed("aws_api_gateway_method.read", path, apply)


_INTEGRATION: dict[str, Any] = {
    "type": "HTTP", "integrationHttpMethod": "GET", "uri": "https://items.example/", "passthroughBehavior": "WHEN_NO_MATCH",
    "requestTemplates": {"application/json": "{}"}, "timeoutInMillis": 10000,
}  # fmt: skip


def integration(path: str, **changes: Any) -> Mutation:
    """Write the integration again with one member changed, and its answer."""

    def apply(clients: Clients, target: dict[str, Any]) -> None:
        client = clients("apigateway")
        place = {
            "restApiId": target["rest_api_id"],
            "resourceId": target["resource_id"],
            "httpMethod": target["http_method"],
        }
        client.put_integration(**place, **{**_INTEGRATION, **changes})
        client.put_integration_response(**place, statusCode="200", selectionPattern="2..")

    return changed("aws_api_gateway_integration.read", path, apply)


_REST = (
    changed("aws_api_gateway_rest_api.orders", "name", patched("update_rest_api", "restApiId=id", path="/name", value="other")),
    changed("aws_api_gateway_rest_api.orders", "name", patched("update_rest_api", "restApiId=id", path="/name", value="orders")),
    changed("aws_api_gateway_rest_api.orders", "description", patched("update_rest_api", "restApiId=id", path="/description", value="other")),
    changed("aws_api_gateway_rest_api.orders", "api_key_source", patched("update_rest_api", "restApiId=id", path="/apiKeySource", value="AUTHORIZER")),
    changed("aws_api_gateway_rest_api.orders", "disable_execute_api_endpoint", patched(
        "update_rest_api", "restApiId=id", path="/disableExecuteApiEndpoint", value="true")),
    changed("aws_api_gateway_rest_api.orders", "tags.Extra", call("apigateway", "tag_resource", "resourceArn=arn", tags=_TAG)),
    unmanaged("aws_api_gateway_rest_api", lambda clients, _target: str(clients("apigateway").create_rest_api(name="more")["id"])),
    unmanaged("aws_api_gateway_resource", _create_resource),
    method("authorization", authorizationType="NONE"),
    method("api_key_required", authorizationType="NONE", apiKeyRequired=False),
    unmanaged("aws_api_gateway_method", _open_method),
    integration("uri", uri="https://other.example/"),
    integration("timeout_milliseconds", uri="https://other.example/", timeoutInMillis=500),
    changed("aws_api_gateway_authorizer.people", "name", patched("update_authorizer", _API, "authorizerId=id", path="/name", value="other")),
    changed("aws_api_gateway_authorizer.people", "authorizer_uri", patched(
        "update_authorizer", _API, "authorizerId=id", path="/authorizerUri", value="arn:aws:apigateway:us-east-1:lambda:path/other")),
    changed("aws_api_gateway_authorizer.people", "authorizer_result_ttl_in_seconds", patched(
        "update_authorizer", _API, "authorizerId=id", path="/authorizerResultTtlInSeconds", value="10")),
    changed("aws_api_gateway_authorizer.people", "identity_source", patched(
        "update_authorizer", _API, "authorizerId=id", path="/identitySource", value="method.request.header.Other")),
    unmanaged("aws_api_gateway_authorizer", _made("create_authorizer", "{api}|{id}", name="more", type="TOKEN")),
    changed("aws_api_gateway_request_validator.body", "name", patched(
        "update_request_validator", _API, "requestValidatorId=id", path="/name", value="other")),
    changed("aws_api_gateway_request_validator.body", "validate_request_body", patched(
        "update_request_validator", _API, "requestValidatorId=id", path="/validateRequestBody", value="false")),
    changed("aws_api_gateway_request_validator.body", "validate_request_parameters", patched(
        "update_request_validator", _API, "requestValidatorId=id", path="/validateRequestParameters", value="true")),
    unmanaged("aws_api_gateway_request_validator", _made("create_request_validator", "{api}|{id}", name="more")),
    unmanaged("aws_api_gateway_model", _made("create_model", "{api}|{name}", name="More", contentType="application/json", schema="{}")),
    changed("aws_api_gateway_gateway_response.denied", "status_code", call(
        "apigateway", "put_gateway_response", _API, responseType="UNAUTHORIZED", statusCode="403",
        responseTemplates={"application/json": '{"message":"no"}'})),
    changed("aws_api_gateway_gateway_response.denied", "response_templates.application/json", call(
        "apigateway", "put_gateway_response", _API, responseType="UNAUTHORIZED", statusCode="403", responseTemplates={"application/json": "{}"})),
    unmanaged("aws_api_gateway_gateway_response", _made(
        "put_gateway_response", "{api}|{responseType}", responseType="DEFAULT_4XX", statusCode="400")),
    missing("aws_api_gateway_gateway_response.denied", call("apigateway", "delete_gateway_response", _API, responseType="UNAUTHORIZED")),
)  # fmt: skip


def _deploy(clients: Clients, target: dict[str, Any]) -> None:
    """Deploy from the console: the stage is pointed at a deployment that no state knows."""
    client, api = clients("apigateway"), target["rest_api_id"]
    made = client.create_deployment(restApiId=api, description="by hand")["id"]
    client.update_stage(
        restApiId=api, stageName="live", patchOperations=[{"op": "replace", "path": "/deploymentId", "value": made}]
    )


def _create_stage(clients: Clients, _target: dict[str, Any]) -> str:
    client = clients("apigateway")
    api = _orders(client)
    deployment = client.get_deployments(restApiId=api)["items"][0]["id"]
    client.create_stage(restApiId=api, stageName="more", deploymentId=deployment)
    return f"{api}|more"


def stage(path: str, member: str, value: str) -> Mutation:
    """Replace one member of the stage."""
    return changed(
        "aws_api_gateway_stage.live",
        path,
        patched("update_stage", _API, "stageName=stage_name", path=member, value=value),
    )


def _add_key(clients: Clients, target: dict[str, Any]) -> str:
    client = clients("apigateway")
    key = client.create_api_key(name="third", enabled=True)["id"]
    client.create_usage_plan_key(usagePlanId=target["id"], keyId=key, keyType="API_KEY")
    return f"{target['id']}|{key}"


def plan(path: str, member: str, value: str) -> Mutation:
    """Replace one member of the usage plan."""
    return changed(
        "aws_api_gateway_usage_plan.partners",
        path,
        patched("update_usage_plan", "usagePlanId=id", path=member, value=value),
    )


_SERVED = (
    changed("aws_api_gateway_stage.live", "deployment_id", _deploy),
    stage("description", "/description", "other"),
    stage("variables.color", "/variables/color", "green"),
    stage("xray_tracing_enabled", "/tracingEnabled", "true"),
    changed("aws_api_gateway_stage.live", "tags.Extra", call("apigateway", "tag_resource", "resourceArn=arn", tags=_TAG)),
    unmanaged("aws_api_gateway_stage", _create_stage),
    changed("aws_api_gateway_method_settings.live", "settings.throttling_burst_limit", patched(
        "update_stage", _API, "stageName=stage_name", path="/*/*/throttling/burstLimit", value="7")),
    unmanaged("aws_api_gateway_api_key", lambda clients, _target: str(clients("apigateway").create_api_key(name="more")["id"])),
    changed("aws_api_gateway_api_key.partner", "description", patched("update_api_key", "apiKey=id", path="/description", value="other")),
    changed("aws_api_gateway_api_key.partner", "enabled", patched("update_api_key", "apiKey=id", path="/enabled", value="false")),
    changed("aws_api_gateway_api_key.partner", "name", patched("update_api_key", "apiKey=id", path="/name", value="other")),
    plan("name", "/name", "other"),
    plan("description", "/description", "other"),
    plan("quota_settings.limit", "/quota/limit", "5"),
    plan("throttle_settings.rate_limit", "/throttle/rateLimit", "99"),
    unmanaged("aws_api_gateway_usage_plan", lambda clients, _target: str(clients("apigateway").create_usage_plan(name="more")["id"])),
    Mutation("aws_api_gateway_usage_plan.partners", {("unmanaged", "<created>", "")}, _add_key, also=("aws_api_gateway_usage_plan_key",)),
    missing("aws_api_gateway_usage_plan_key.partner", call("apigateway", "delete_usage_plan_key", "usagePlanId=usage_plan_id", "keyId=key_id")),
    missing("aws_api_gateway_api_key.partner", call("apigateway", "delete_api_key", "apiKey=id")),
    unmanaged("aws_api_gateway_domain_name", lambda clients, _target: str(clients("apigateway").create_domain_name(
        domainName="more.example")["domainName"])),
    changed("aws_api_gateway_base_path_mapping.orders", "stage_name", patched(
        "update_base_path_mapping", "domainName=domain_name", "basePath=base_path", path="/stage", value="more")),
    missing("aws_api_gateway_base_path_mapping.orders", call(
        "apigateway", "delete_base_path_mapping", "domainName=domain_name", "basePath=base_path")),
    missing("aws_api_gateway_domain_name.orders", call("apigateway", "delete_domain_name", "domainName=domain_name")),
)  # fmt: skip

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
    missing("aws_apigatewayv2_vpc_link.inside", call("apigatewayv2", "delete_vpc_link", "VpcLinkId=id")),
    missing("aws_apigatewayv2_stage.live", call("apigatewayv2", "delete_stage", _V2, "StageName=name")),
    missing("aws_apigatewayv2_route.items", call("apigatewayv2", "delete_route", _V2, "RouteId=id")),
    missing("aws_apigatewayv2_integration.items", call("apigatewayv2", "delete_integration", _V2, "IntegrationId=id")),
    unmanaged("aws_apigatewayv2_api", lambda clients, _target: str(clients("apigatewayv2").create_api(
        Name="more", ProtocolType="HTTP")["ApiId"])),
    missing("aws_apigatewayv2_api.shop", call("apigatewayv2", "delete_api", "ApiId=id")),
)  # fmt: skip

MUTATIONS: tuple[Mutation, ...] = (*_REST, *_SERVED, *_HTTP)

EXCEPTIONS: dict[str, str] = {
    **still(
        "aws_api_gateway_rest_api", "binary_media_types", "endpoint_configuration", "minimum_compression_size", "policy"
    ),
}
