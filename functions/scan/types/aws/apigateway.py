"""API Gateway's REST APIs: the API, what is in it, its stages, keys, usage plans and domain names.

An API may be declared as one OpenAPI document (`body`); what the document says is then declared, see `apigateway_body`.
The value of an API key is never mapped.
Source: Terraform AWS provider 5.100, resource documentation of each type.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

from ...domain.resources import Attributes, Declared
from ...domain.shapes import (
    block,
    boolean,
    default_is,
    document,
    keyed,
    members,
    number,
    policy,
    set_of,
    string_map,
    tags,
    text,
)
from ...domain.specs import TypeSpec, by, unless_arn
from .apigateway_body import declared_in_body

_ENDPOINT = block({"types": set_of(text), "vpc_endpoint_ids": set_of(text)})
_METHOD = by("rest_api_id", "resource_id", "http_method")
_RESPONSE = by("rest_api_id", "resource_id", "http_method", "status_code")


def _path(attributes: Attributes) -> str | None:
    """Key of a resource: its API and its path, which AWS keeps unique."""
    return by("rest_api_id", "path")(attributes)


def mapping_key(domain: object, path: object) -> str:
    """Key of a base path mapping; AWS writes the empty path as `(none)`."""
    return f"{domain}|{'' if path in (None, '(none)') else path}"


def _mapping(attributes: Attributes) -> str | None:
    domain = attributes.get("domain_name")
    return mapping_key(domain, attributes.get("base_path")) if domain else None


def _as_rest_domain(entry: Declared) -> Iterable[Declared]:
    """Compare a domain name of the HTTP API resources as what it is: one domain, which both APIs list."""
    found = entry.attributes.get("domain_name_configuration")
    first = found[0] if isinstance(found, list) and found and isinstance(found[0], Mapping) else {}
    attributes = {
        "regional_certificate_arn": first.get("certificate_arn"),
        "security_policy": first.get("security_policy"),
        "tags": entry.attributes.get("tags_all") or entry.attributes.get("tags"),
    }
    yield replace(entry, type="aws_api_gateway_domain_name", attributes=attributes)


def _with_its_stage(entry: Declared) -> Iterable[Declared]:
    """Yield a deployment and, when it names one, the stage that AWS makes with it."""
    yield entry
    api, name = entry.attributes.get("rest_api_id"), entry.attributes.get("stage_name")
    if api and name:
        attributes = {"deployment_id": entry.attributes.get("id"), "variables": entry.attributes.get("variables")}
        yield replace(entry, type="aws_api_gateway_stage", key=f"{api}|{name}", attributes=attributes)


_APIS = (
    TypeSpec(
        "aws_api_gateway_rest_api",
        {
            "name": text,
            "description": text,
            "api_key_source": default_is("HEADER", text),
            "binary_media_types": set_of(text),
            "disable_execute_api_endpoint": boolean,
            "endpoint_configuration": _ENDPOINT,
            "minimum_compression_size": number,
            "policy": policy,
            "tags": tags,
        },
        expand=declared_in_body,
    ),
    TypeSpec("aws_api_gateway_resource", {}, key=_path),
    TypeSpec(
        "aws_api_gateway_method",
        {
            "authorization": text,
            "authorizer_id": text,
            "authorization_scopes": set_of(text),
            "api_key_required": boolean,
            "operation_name": text,
            "request_models": string_map,
            "request_parameters": string_map,
            "request_validator_id": text,
        },
        key=_METHOD,
    ),
    TypeSpec("aws_api_gateway_method_response", {"response_models": string_map, "response_parameters": string_map}, key=_RESPONSE),
    TypeSpec(
        "aws_api_gateway_integration",
        {
            "type": text,
            "uri": text,
            "integration_http_method": text,
            "connection_type": default_is("INTERNET", text),
            "connection_id": text,
            "credentials": text,
            "content_handling": text,
            "passthrough_behavior": default_is("WHEN_NO_MATCH", text),
            "request_parameters": string_map,
            "request_templates": string_map,
            "timeout_milliseconds": default_is(29000, number),
        },
        key=_METHOD,
    ),
    TypeSpec(
        "aws_api_gateway_integration_response",
        {
            "content_handling": text,
            "response_parameters": string_map,
            "response_templates": string_map,
            "selection_pattern": text,
        },
        key=_RESPONSE,
    ),
    TypeSpec(
        "aws_api_gateway_authorizer",
        {
            "name": text,
            "type": text,
            "authorizer_uri": text,
            "authorizer_credentials": text,
            "authorizer_result_ttl_in_seconds": default_is(300, number),
            "identity_source": text,
            "identity_validation_expression": text,
            "provider_arns": set_of(text),
        },
        key=by("rest_api_id", "id"),
    ),
    TypeSpec(
        "aws_api_gateway_request_validator",
        {"name": text, "validate_request_body": boolean, "validate_request_parameters": boolean},
        key=by("rest_api_id", "id"),
    ),
    TypeSpec(
        "aws_api_gateway_model",
        {"description": text, "content_type": text, "schema": document},
        key=by("rest_api_id", "name"),
    ),
    TypeSpec(
        "aws_api_gateway_gateway_response",
        {"status_code": text, "response_parameters": string_map, "response_templates": string_map},
        key=by("rest_api_id", "response_type"),
    ),
)  # fmt: skip

_SETTINGS = {
    "cache_data_encrypted": boolean,
    "cache_ttl_in_seconds": number,
    "caching_enabled": boolean,
    "data_trace_enabled": boolean,
    "logging_level": default_is("OFF", text),
    "metrics_enabled": boolean,
    "require_authorization_for_cache_control": boolean,
    "throttling_burst_limit": default_is(-1, number),
    "throttling_rate_limit": default_is(-1, number),
    "unauthorized_cache_control_header_strategy": text,
}
_THROTTLE = block({"burst_limit": number, "rate_limit": number})

_SERVED = (
    TypeSpec("aws_api_gateway_deployment", {"description": text}, key=by("rest_api_id", "id"), expand=_with_its_stage),
    TypeSpec(
        "aws_api_gateway_stage",
        {
            "deployment_id": text,
            "description": text,
            "access_log_settings": block({"destination_arn": text, "format": text}),
            "cache_cluster_enabled": boolean,
            "cache_cluster_size": text,
            "client_certificate_id": text,
            "documentation_version": text,
            "variables": string_map,
            "xray_tracing_enabled": boolean,
            "tags": tags,
        },
        key=by("rest_api_id", "stage_name"),
    ),
    TypeSpec(
        "aws_api_gateway_method_settings",
        {"settings": block(_SETTINGS)},
        key=by("rest_api_id", "stage_name", "method_path"),
    ),
    TypeSpec("aws_api_gateway_api_key", {"name": text, "description": text, "enabled": boolean, "tags": tags}),
    TypeSpec(
        "aws_api_gateway_usage_plan",
        {
            "name": text,
            "description": text,
            "product_code": text,
            "api_stages": set_of(members({"api_id": text, "stage": text, "throttle": keyed("path", {"burst_limit": number, "rate_limit": number})})),
            "quota_settings": block({"limit": number, "offset": number, "period": text}),
            "throttle_settings": _THROTTLE,
            "tags": tags,
        },
    ),
    TypeSpec("aws_api_gateway_usage_plan_key", {}, key=by("usage_plan_id", "key_id")),
    TypeSpec(
        "aws_api_gateway_domain_name",
        {
            "certificate_arn": text,
            "regional_certificate_arn": text,
            "security_policy": text,
            "endpoint_configuration": block({"types": set_of(text)}),
            "tags": tags,
        },
        key=by("domain_name"),
        repeats=unless_arn,
    ),
    TypeSpec("aws_apigatewayv2_domain_name", {}, key=by("domain_name"), expand=_as_rest_domain),
    TypeSpec("aws_api_gateway_base_path_mapping", {"api_id": text, "stage_name": text}, key=_mapping, repeats=unless_arn),
)  # fmt: skip

SPECS = (*_APIS, *_SERVED)
