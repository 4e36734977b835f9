"""Changes to REST APIs (API Gateway v1), and to how they are served."""

from __future__ import annotations

from typing import Any

from tests.support.aws_account import CREATED, Clients, Mutation

from .calls import Apply, call, changed, missing, unmanaged
from .links_vpc import fixed, still

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


def answered(kind: str, path: str, **arguments: Any) -> Mutation:
    """Write the answer of the method or of the integration again."""
    apply = call("apigateway", f"put_{kind}", *_PLACE, statusCode="200", **arguments)
    return changed(f"aws_api_gateway_{kind}.read", path, apply)


def _one_more_answer(kind: str) -> Apply:
    def apply(clients: Clients, _target: dict[str, Any]) -> str:
        client = clients("apigateway")
        api = _orders(client)
        resource = _path(client, api, "/items")
        place = {"restApiId": api, "resourceId": resource, "httpMethod": "GET", "statusCode": "404"}
        getattr(client, f"put_{kind}")(**place, **({} if kind.startswith("method") else {"selectionPattern": "4.."}))
        return f"{api}|{resource}|GET|404"

    return apply


_REST = (
    changed("aws_api_gateway_rest_api.orders", "name", patched("update_rest_api", "restApiId=id", path="/name", value="other")),
    Mutation("aws_api_gateway_rest_api.orders", set(), patched("update_rest_api", "restApiId=id", path="/name", value="orders")),
    changed("aws_api_gateway_rest_api.orders", "description", patched("update_rest_api", "restApiId=id", path="/description", value="other")),
    changed("aws_api_gateway_rest_api.orders", "api_key_source", patched("update_rest_api", "restApiId=id", path="/apiKeySource", value="AUTHORIZER")),
    changed("aws_api_gateway_rest_api.orders", "disable_execute_api_endpoint", patched(
        "update_rest_api", "restApiId=id", path="/disableExecuteApiEndpoint", value="true")),
    unmanaged("aws_api_gateway_rest_api", lambda clients, _target: str(clients("apigateway").create_rest_api(name="more")["id"])),
    unmanaged("aws_api_gateway_resource", _create_resource),
    method("authorization", authorizationType="NONE"),
    method("api_key_required", authorizationType="NONE", apiKeyRequired=False),
    unmanaged("aws_api_gateway_method", _open_method),
    integration("uri", uri="https://other.example/"),
    integration("timeout_milliseconds", uri="https://other.example/", timeoutInMillis=500),
    method("operation_name", operationName="read"),
    method("authorization_scopes", authorizationScopes=["read"]),
    method("request_models", requestModels={"application/json": "Empty"}),
    method("request_parameters", requestParameters={}),
    method("authorizer_id", authorizerId="other"),
    method("request_validator_id", requestValidatorId="other"),
    integration("integration_http_method", integrationHttpMethod="POST"),
    integration("credentials", credentials="arn:aws:iam::123456789012:role/other"),
    integration("content_handling", contentHandling="CONVERT_TO_TEXT"),
    integration("passthrough_behavior", passthroughBehavior="NEVER"),
    integration("request_parameters", requestParameters={"integration.request.header.x": "'1'"}),
    integration("request_templates.application/json", requestTemplates={"application/json": "[]"}),
    integration("type", type="HTTP_PROXY"),
    unmanaged("aws_api_gateway_integration", _integrate),
    answered("method_response", "response_models.application/json", responseModels={"application/json": "Error"}),
    answered("method_response", "response_parameters", responseModels={"application/json": "Error"}, responseParameters={"method.response.header.X": True}),
    answered("integration_response", "selection_pattern", selectionPattern="5.."),
    answered("integration_response", "response_templates", selectionPattern="2..", responseTemplates={"application/json": "[]"}),
    unmanaged("aws_api_gateway_method_response", _one_more_answer("method_response")),
    unmanaged("aws_api_gateway_integration_response", _one_more_answer("integration_response")),
    missing("aws_api_gateway_integration_response.read", call("apigateway", "delete_integration_response", *_PLACE, statusCode="200")),
    missing("aws_api_gateway_integration.read", call("apigateway", "delete_integration", *_PLACE)),
    missing("aws_api_gateway_method_response.read", call("apigateway", "delete_method_response", *_PLACE, statusCode="200")),
    missing("aws_api_gateway_method.read", call("apigateway", "delete_method", *_PLACE)),
    missing("aws_api_gateway_resource.items", call("apigateway", "delete_resource", _API, "resourceId=id")),
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
    changed("aws_api_gateway_authorizer.people", "authorizer_credentials", patched(
        "update_authorizer", _API, "authorizerId=id", path="/authorizerCredentials", value="arn:aws:iam::123456789012:role/other")),
    changed("aws_api_gateway_authorizer.people", "identity_validation_expression", patched(
        "update_authorizer", _API, "authorizerId=id", path="/identityValidationExpression", value=".*")),
    missing("aws_api_gateway_authorizer.people", call("apigateway", "delete_authorizer", _API, "authorizerId=id")),
    missing("aws_api_gateway_request_validator.body", call("apigateway", "delete_request_validator", _API, "requestValidatorId=id")),
    missing("aws_api_gateway_model.item", call("apigateway", "delete_model", _API, "modelName=name")),
    changed("aws_api_gateway_gateway_response.denied", "response_parameters", call(
        "apigateway", "put_gateway_response", _API, responseType="UNAUTHORIZED", statusCode="401",
        responseTemplates={"application/json": '{"message":"no"}'}, responseParameters={"gatewayresponse.header.X": "'1'"})),
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
    deployment = next(
        item["id"] for item in client.get_deployments(restApiId=api)["items"] if item.get("description") == "by hand"
    )
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
    key = next(item["id"] for item in client.get_api_keys()["items"] if item["name"] == "more")
    client.create_usage_plan_key(usagePlanId=target["id"], keyId=key, keyType="API_KEY")
    return f"{target['id']}|{key}"


def plan(path: str, member: str, value: str) -> Mutation:
    """Replace one member of the usage plan."""
    return changed(
        "aws_api_gateway_usage_plan.partners",
        path,
        patched("update_usage_plan", "usagePlanId=id", path=member, value=value),
    )


def _create_domain(clients: Clients, _target: dict[str, Any]) -> list[str]:
    client = clients("apigateway")
    client.create_domain_name(domainName="more.example")
    client.create_base_path_mapping(domainName="more.example", basePath="v9", restApiId=_orders(client), stage="live")
    return ["us-east-1|more.example", "us-east-1|more.example|v9"]


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
    Mutation("aws_api_gateway_usage_plan.partners", {("unmanaged", CREATED, "")}, _add_key, also=("aws_api_gateway_usage_plan_key",)),
    missing("aws_api_gateway_usage_plan_key.partner", call("apigateway", "delete_usage_plan_key", "usagePlanId=usage_plan_id", "keyId=key_id")),
    missing("aws_api_gateway_api_key.partner", call("apigateway", "delete_api_key", "apiKey=id")),
    Mutation("", {("unmanaged", CREATED, "")}, _create_domain, also=("aws_api_gateway_domain_name",)),
    changed("aws_api_gateway_base_path_mapping.orders", "stage_name", patched(
        "update_base_path_mapping", "domainName=domain_name", "basePath=base_path", path="/stage", value="more")),
    missing("aws_api_gateway_base_path_mapping.orders", call(
        "apigateway", "delete_base_path_mapping", "domainName=domain_name", "basePath=base_path")),
    Mutation("aws_api_gateway_stage.live", {
        ("missing", "aws_api_gateway_stage.live", ""), ("missing", "aws_api_gateway_method_settings.live", "")},
        call("apigateway", "delete_stage", _API, "stageName=stage_name")),
    missing("aws_api_gateway_deployment.first", call("apigateway", "delete_deployment", _API, "deploymentId=id")),
    missing("aws_api_gateway_usage_plan.partners", call("apigateway", "delete_usage_plan", "usagePlanId=id")),
    missing("aws_api_gateway_rest_api.described", call("apigateway", "delete_rest_api", "restApiId=id")),
    missing("aws_api_gateway_domain_name.orders", call("apigateway", "delete_domain_name", "domainName=domain_name")),
)  # fmt: skip

MUTATIONS: tuple[Mutation, ...] = (*_REST, *_SERVED)

EXCEPTIONS: dict[str, str] = {
    **still("aws_api_gateway_rest_api", "binary_media_types", "endpoint_configuration", "minimum_compression_size", "policy", "tags"),
    **still("aws_api_gateway_integration", "connection_id", "connection_type"),
    **still("aws_api_gateway_integration_response", "content_handling", "response_parameters"),
    **fixed("aws_api_gateway_authorizer", "type"),
    **still("aws_api_gateway_authorizer", "provider_arns"),
    **fixed("aws_api_gateway_model", "content_type"),
    **still("aws_api_gateway_model", "description", "schema"),
    **still("aws_api_gateway_deployment", "description"),
    "aws_api_gateway_deployment.unmanaged": "an undeclared deployment is history: the stage shows it",
    **still(
        "aws_api_gateway_stage", "access_log_settings", "cache_cluster_enabled", "cache_cluster_size", "client_certificate_id",
        "documentation_version",
    ),
    **still("aws_api_gateway_method_settings", "unmanaged"),
    **still("aws_api_gateway_api_key", "tags"),
    **still("aws_api_gateway_usage_plan", "api_stages", "product_code", "tags"),
    **still(
        "aws_api_gateway_domain_name", "certificate_arn", "regional_certificate_arn", "security_policy", "endpoint_configuration", "tags"
    ),
    **still("aws_api_gateway_base_path_mapping", "api_id"),
}  # fmt: skip
