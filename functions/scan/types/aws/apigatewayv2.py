"""API Gateway's HTTP and WebSocket APIs. Their domain names are the same things as those of REST APIs, see `apigateway`.

Source: Terraform AWS provider 5.100, resource documentation of each type.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from ...domain.resources import Declared
from ...domain.shapes import block, boolean, default_is, keyed, number, set_of, string_map, tags, text
from ...domain.specs import TypeSpec, by
from .apigateway_body import methods_of

_IN_API = by("api_id", "id")


def _routes_in_body(entry: Declared) -> Iterable[Declared]:
    """Yield an API and, when it has an OpenAPI document, the routes that the document declares."""
    yield entry
    api = entry.attributes.get("id")
    for path, method, _ in methods_of(entry.attributes.get("body")) if api else ():
        route = path if path == "$default" else f"{method} {path}"
        key = f"{api}|{route}"
        yield replace(entry, type="aws_apigatewayv2_route", key=key, attributes={}, sensitive=frozenset(), parent=None)


_ROUTE_SETTINGS = {
    "data_trace_enabled": boolean,
    "detailed_metrics_enabled": boolean,
    "logging_level": default_is("OFF", text),
    "throttling_burst_limit": default_is(0, number),
    "throttling_rate_limit": default_is(0, number),
}

SPECS = (
    TypeSpec(
        "aws_apigatewayv2_api",
        {
            "name": text,
            "description": text,
            "protocol_type": text,
            "api_key_selection_expression": text,
            "route_selection_expression": text,
            "disable_execute_api_endpoint": boolean,
            "ip_address_type": text,
            "version": text,
            "cors_configuration": block(
                {
                    "allow_credentials": boolean,
                    "allow_headers": set_of(text),
                    "allow_methods": set_of(text),
                    "allow_origins": set_of(text),
                    "expose_headers": set_of(text),
                    "max_age": default_is(0, number),
                }
            ),
            "tags": tags,
        },
        expand=_routes_in_body,
    ),
    TypeSpec(
        "aws_apigatewayv2_route",
        {
            "route_key": text,
            "target": text,
            "authorization_type": default_is("NONE", text),
            "authorizer_id": text,
            "authorization_scopes": set_of(text),
            "api_key_required": boolean,
            "model_selection_expression": text,
            "operation_name": text,
            "request_models": string_map,
        },
        key=_IN_API,
    ),
    TypeSpec(
        "aws_apigatewayv2_integration",
        {
            "integration_type": text,
            "integration_method": text,
            "integration_uri": text,
            "integration_subtype": text,
            "description": text,
            "connection_type": default_is("INTERNET", text),
            "connection_id": text,
            "credentials_arn": text,
            "content_handling_strategy": text,
            "passthrough_behavior": text,
            "payload_format_version": default_is("1.0", text),
            "request_parameters": string_map,
            "request_templates": string_map,
            "template_selection_expression": text,
            "timeout_milliseconds": number,
        },
        key=_IN_API,
    ),
    TypeSpec(
        "aws_apigatewayv2_stage",
        {
            "description": text,
            "access_log_settings": block({"destination_arn": text, "format": text}),
            "auto_deploy": boolean,
            "client_certificate_id": text,
            "default_route_settings": block(_ROUTE_SETTINGS),
            "route_settings": keyed("route_key", _ROUTE_SETTINGS),
            "stage_variables": string_map,
            "tags": tags,
        },
        key=by("api_id", "name"),
    ),
    TypeSpec(
        "aws_apigatewayv2_vpc_link",
        {"name": text, "security_group_ids": set_of(text), "subnet_ids": set_of(text), "tags": tags},
    ),
)
