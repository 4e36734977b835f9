"""Reads how REST APIs are served: stages with their settings, API keys (never their values), usage plans, domain names.

Source: Amazon API Gateway API Reference, GetStages, GetApiKeys, GetUsagePlans, GetUsagePlanKeys, GetDomainNames,
GetBasePathMappings.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import partial

from ...domain.resources import LiveResource
from ...types.aws.apigateway import mapping_key
from .base import Finding, Gap, Item, Listing, Scope, attempt, each

_GONE = ("NotFoundException",)
_SETTINGS = {
    "cache_data_encrypted": "cacheDataEncrypted",
    "cache_ttl_in_seconds": "cacheTtlInSeconds",
    "caching_enabled": "cachingEnabled",
    "data_trace_enabled": "dataTraceEnabled",
    "logging_level": "loggingLevel",
    "metrics_enabled": "metricsEnabled",
    "require_authorization_for_cache_control": "requireAuthorizationForCacheControl",
    "throttling_burst_limit": "throttlingBurstLimit",
    "throttling_rate_limit": "throttlingRateLimit",
    "unauthorized_cache_control_header_strategy": "unauthorizedCacheControlHeaderStrategy",
}


def stage(scope: Scope, api: str, item: Item) -> Iterator[LiveResource]:
    """Yield a stage and the method settings in it."""
    name, tags = item["stageName"], dict(item.get("tags") or {})
    logs = item.get("accessLogSettings") or {}
    key = f"{api}|{name}"
    yield LiveResource(
        type="aws_api_gateway_stage",
        key=key,
        region=scope.region,
        cloud_id=scope.arn("apigateway", f"/restapis/{api}/stages/{name}", account=""),
        tags=tags,
        attributes={
            "deployment_id": item.get("deploymentId"),
            "description": item.get("description"),
            "access_log_settings": [{"destination_arn": logs.get("destinationArn"), "format": logs.get("format")}],
            "cache_cluster_enabled": item.get("cacheClusterEnabled"),
            "cache_cluster_size": item.get("cacheClusterSize"),
            "client_certificate_id": item.get("clientCertificateId"),
            "documentation_version": item.get("documentationVersion"),
            "variables": item.get("variables"),
            "xray_tracing_enabled": item.get("tracingEnabled"),
            "tags": tags,
        },
    )
    for path, found in (item.get("methodSettings") or {}).items():
        settings = [{attribute: found.get(member) for attribute, member in _SETTINGS.items()}]
        place = f"{key}|{path.replace('~1', '/')}"
        yield LiveResource(
            "aws_api_gateway_method_settings", place, scope.region, {"settings": settings}, place.replace("|", "-")
        )


def read_keys(scope: Scope) -> Iterator[Finding]:
    for item in scope.pages("apigateway", "get_api_keys", "items"):
        key, tags = item["id"], dict(item.get("tags") or {})
        yield LiveResource(
            type="aws_api_gateway_api_key",
            key=key,
            region=scope.region,
            cloud_id=scope.arn("apigateway", f"/apikeys/{key}", account=""),
            tags=tags,
            attributes={
                "name": item.get("name"),
                "description": item.get("description"),
                "enabled": item.get("enabled"),
                "tags": tags,
            },
        )


def read_plans(scope: Scope) -> Iterator[Finding]:
    yield from each(scope.pages("apigateway", "get_usage_plans", "items"), partial(_plan, scope))


def _plan(scope: Scope, item: Item) -> Iterator[Finding]:
    key, tags = item["id"], dict(item.get("tags") or {})
    quota, throttle = item.get("quota") or {}, item.get("throttle") or {}
    yield LiveResource(
        type="aws_api_gateway_usage_plan",
        key=key,
        region=scope.region,
        cloud_id=scope.arn("apigateway", f"/usageplans/{key}", account=""),
        tags=tags,
        attributes={
            "name": item.get("name"),
            "description": item.get("description"),
            "product_code": item.get("productCode"),
            "api_stages": [
                {
                    "api_id": one.get("apiId"),
                    "stage": one.get("stage"),
                    "throttle": _throttles(one.get("throttle") or {}),
                }
                for one in item.get("apiStages") or ()
            ],
            "quota_settings": [
                {"limit": quota.get("limit"), "offset": quota.get("offset") or 0, "period": quota.get("period")}
            ]
            if quota
            else [],
            "throttle_settings": [{"burst_limit": throttle.get("burstLimit"), "rate_limit": throttle.get("rateLimit")}]
            if throttle
            else [],
            "tags": tags,
        },
    )
    kind = "aws_api_gateway_usage_plan_key"
    pages = partial(scope.pages, "apigateway", "get_usage_plan_keys", "items", usagePlanId=key)
    found = attempt("apigateway", lambda: {"items": list(pages())}, *_GONE)
    if isinstance(found, Gap):
        yield found.not_checked(kind, scope.region)
    else:
        for one in found.get("items") or ():
            yield LiveResource(kind, f"{key}|{one['id']}", scope.region, {}, f"{key}/{one['id']}")


def _throttles(found: Mapping[str, Item]) -> list[object]:
    return [
        {"path": path, "burst_limit": one.get("burstLimit"), "rate_limit": one.get("rateLimit")}
        for path, one in found.items()
    ]


def read_domains(scope: Scope) -> Iterator[Finding]:
    yield from each(scope.pages("apigateway", "get_domain_names", "items"), partial(_domain, scope))


def _domain(scope: Scope, item: Item) -> Iterator[Finding]:
    key, tags = item["domainName"], dict(item.get("tags") or {})
    yield LiveResource(
        type="aws_api_gateway_domain_name",
        key=key,
        region=scope.region,
        cloud_id=scope.arn("apigateway", f"/domainnames/{key}", account=""),
        tags=tags,
        attributes={
            "certificate_arn": item.get("certificateArn"),
            "regional_certificate_arn": item.get("regionalCertificateArn"),
            "security_policy": item.get("securityPolicy"),
            "endpoint_configuration": [{"types": (item.get("endpointConfiguration") or {}).get("types")}],
            "tags": tags,
        },
    )
    kind = "aws_api_gateway_base_path_mapping"
    pages = partial(scope.pages, "apigateway", "get_base_path_mappings", "items", domainName=key)
    found = attempt("apigateway", lambda: {"items": list(pages())}, *_GONE)
    if isinstance(found, Gap):
        yield found.not_checked(kind, scope.region)
        return
    for one in found.get("items") or ():
        place = mapping_key(key, one.get("basePath"))
        attributes = {"api_id": one.get("restApiId"), "stage_name": one.get("stage")}
        yield LiveResource(kind, place, scope.region, attributes, place.replace("|", "/"))


LISTINGS = (
    Listing(types=("aws_api_gateway_api_key",), read=read_keys, permissions=("apigateway:GET",)),
    Listing(
        types=("aws_api_gateway_usage_plan", "aws_api_gateway_usage_plan_key"),
        read=read_plans,
        permissions=("apigateway:GET",),
    ),
    Listing(
        types=("aws_api_gateway_domain_name", "aws_api_gateway_base_path_mapping"),
        read=read_domains,
        permissions=("apigateway:GET",),
    ),
)
