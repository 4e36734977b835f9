"""Reads CloudFront distributions (a list leaves out parts, so each is asked for) and origin access controls.

Source: Amazon CloudFront API Reference, ListDistributions, ListTagsForResource, ListOriginAccessControls.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import partial

from ...domain.resources import LiveResource
from .base import Finding, Gap, Item, Listing, Scope, Service, attempt, each, tag_map

_KIND = "aws_cloudfront_distribution"
_GLOBAL = "global"


def read_distributions(scope: Scope) -> Iterator[Finding]:
    pages = scope.pages("cloudfront", "list_distributions", "DistributionList.Items")
    yield from each(pages, partial(_distribution, scope))


def _distribution(scope: Scope, item: Item) -> Iterator[Finding]:
    client, key, arn, tags = scope.client("cloudfront"), item["Id"], item["ARN"], dict[str, str]()
    found = attempt("cloudfront", partial(client.get_distribution_config, Id=key), "NoSuchDistribution")
    if isinstance(found, Gap):
        yield found.unread(_KIND, key)
        return
    if not found:  # deleted since the list was made
        return
    attributes = _attributes(found["DistributionConfig"])
    tagged = attempt("cloudfront", partial(client.list_tags_for_resource, Resource=arn))
    if isinstance(tagged, Gap):
        yield tagged.unread(_KIND, key, "tags")
    else:
        attributes["tags"] = tags = tag_map((tagged.get("Tags") or {}).get("Items"))
    yield LiveResource(_KIND, key, _GLOBAL, attributes, arn, tags=tags)


def _logging(config: Item) -> list[object]:
    logs = config.get("Logging") or {}
    if not logs.get("Enabled"):
        return []
    return [{"bucket": logs.get("Bucket"), "prefix": logs.get("Prefix"), "include_cookies": logs.get("IncludeCookies")}]


def _list(item: Item, name: str) -> list[object]:
    """Return one of CloudFront's lists, which come with their length."""
    return list((item.get(name) or {}).get("Items") or ())


def _attributes(item: Item) -> dict[str, object]:
    geo, certificate = (item.get("Restrictions") or {}).get("GeoRestriction") or {}, item.get("ViewerCertificate") or {}
    return {
        "enabled": item.get("Enabled"),
        "comment": item.get("Comment"),
        "default_root_object": item.get("DefaultRootObject"),
        "logging_config": _logging(item),
        "aliases": _list(item, "Aliases"),
        "http_version": str(item.get("HttpVersion") or "").lower() or None,
        "is_ipv6_enabled": item.get("IsIPV6Enabled"),
        "price_class": item.get("PriceClass"),
        "web_acl_id": item.get("WebACLId"),
        "origin": [_origin(one) for one in (item.get("Origins") or {}).get("Items") or ()],
        "default_cache_behavior": [_behavior(item.get("DefaultCacheBehavior") or {})],
        "ordered_cache_behavior": [
            {"path_pattern": one.get("PathPattern"), **_behavior(one)}
            for one in (item.get("CacheBehaviors") or {}).get("Items") or ()
        ],
        "custom_error_response": [
            {
                "error_code": one.get("ErrorCode"),
                "response_code": one.get("ResponseCode"),
                "response_page_path": one.get("ResponsePagePath"),
                "error_caching_min_ttl": one.get("ErrorCachingMinTTL"),
            }
            for one in (item.get("CustomErrorResponses") or {}).get("Items") or ()
        ],
        "restrictions": [
            {"geo_restriction": [{"restriction_type": geo.get("RestrictionType"), "locations": geo.get("Items")}]}
        ],
        "viewer_certificate": [
            {
                "acm_certificate_arn": certificate.get("ACMCertificateArn"),
                "iam_certificate_id": certificate.get("IAMCertificateId"),
                "cloudfront_default_certificate": certificate.get("CloudFrontDefaultCertificate"),
                "minimum_protocol_version": certificate.get("MinimumProtocolVersion"),
                "ssl_support_method": certificate.get("SSLSupportMethod"),
            }
        ],
    }


def _origin(item: Item) -> dict[str, object]:
    custom, bucket = item.get("CustomOriginConfig"), item.get("S3OriginConfig") or {}
    identity = bucket.get("OriginAccessIdentity")
    return {
        "origin_id": item.get("Id"),
        "domain_name": item.get("DomainName"),
        "origin_path": item.get("OriginPath"),
        "connection_attempts": item.get("ConnectionAttempts"),
        "connection_timeout": item.get("ConnectionTimeout"),
        "custom_header": [
            {"name": one.get("HeaderName"), "value": one.get("HeaderValue")}
            for one in (item.get("CustomHeaders") or {}).get("Items") or ()
        ],
        "s3_origin_config": [{"origin_access_identity": identity}] if identity else [],
        "custom_origin_config": [
            {
                "http_port": custom.get("HTTPPort"),
                "https_port": custom.get("HTTPSPort"),
                "origin_protocol_policy": custom.get("OriginProtocolPolicy"),
                "origin_ssl_protocols": _list(custom, "OriginSslProtocols"),
                "origin_read_timeout": custom.get("OriginReadTimeout"),
                "origin_keepalive_timeout": custom.get("OriginKeepaliveTimeout"),
            }
        ]
        if custom
        else [],
    }


_PLAIN = {
    "target_origin_id": "TargetOriginId",
    "viewer_protocol_policy": "ViewerProtocolPolicy",
    "cache_policy_id": "CachePolicyId",
    "origin_request_policy_id": "OriginRequestPolicyId",
    "response_headers_policy_id": "ResponseHeadersPolicyId",
    "realtime_log_config_arn": "RealtimeLogConfigArn",
    "field_level_encryption_id": "FieldLevelEncryptionId",
    "compress": "Compress",
    "smooth_streaming": "SmoothStreaming",
    "min_ttl": "MinTTL",
    "default_ttl": "DefaultTTL",
    "max_ttl": "MaxTTL",
}


def _behavior(item: Item) -> dict[str, object]:
    methods, forwarded = item.get("AllowedMethods") or {}, item.get("ForwardedValues")
    return {
        **{name: item.get(member) for name, member in _PLAIN.items()},
        "allowed_methods": methods.get("Items"),
        "cached_methods": _list(methods, "CachedMethods"),
        "trusted_key_groups": _list(item, "TrustedKeyGroups"),
        "trusted_signers": _list(item, "TrustedSigners"),
        "forwarded_values": [_forwarded(forwarded)] if forwarded else [],
        "function_association": [
            {"event_type": one.get("EventType"), "function_arn": one.get("FunctionARN")}
            for one in (item.get("FunctionAssociations") or {}).get("Items") or ()
        ],
        "lambda_function_association": [
            {
                "event_type": one.get("EventType"),
                "lambda_arn": one.get("LambdaFunctionARN"),
                "include_body": one.get("IncludeBody"),
            }
            for one in (item.get("LambdaFunctionAssociations") or {}).get("Items") or ()
        ],
    }


def _forwarded(item: Mapping[str, Item]) -> dict[str, object]:
    cookies = item.get("Cookies") or {}
    found = dict(item)
    return {
        "query_string": item.get("QueryString"),
        "query_string_cache_keys": _list(found, "QueryStringCacheKeys"),
        "headers": _list(found, "Headers"),
        "cookies": [{"forward": cookies.get("Forward"), "whitelisted_names": _list(cookies, "WhitelistedNames")}],
    }


def read_access_controls(scope: Scope) -> Iterator[Finding]:
    for item in scope.pages("cloudfront", "list_origin_access_controls", "OriginAccessControlList.Items"):
        key = item["Id"]
        yield LiveResource(
            type="aws_cloudfront_origin_access_control",
            key=key,
            region=_GLOBAL,
            cloud_id=scope.arn("cloudfront", f"origin-access-control/{key}", region=""),
            attributes={
                "name": item.get("Name"),
                "description": item.get("Description"),
                "origin_access_control_origin_type": item.get("OriginAccessControlOriginType"),
                "signing_behavior": item.get("SigningBehavior"),
                "signing_protocol": item.get("SigningProtocol"),
            },
        )


SERVICE = Service(
    "cloudfront",
    (
        Listing(
            types=(_KIND,),
            read=read_distributions,
            permissions=(
                "cloudfront:ListDistributions",
                "cloudfront:ListTagsForResource",
                "cloudfront:GetDistributionConfig",
            ),
            is_global=True,
        ),
        Listing(
            types=("aws_cloudfront_origin_access_control",),
            read=read_access_controls,
            permissions=("cloudfront:ListOriginAccessControls",),
            is_global=True,
        ),
    ),
)
