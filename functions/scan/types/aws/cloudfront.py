"""CloudFront distributions and origin access controls.

Source: Terraform AWS provider 5.100, resource documentation of each type.
"""

from __future__ import annotations

from collections.abc import Mapping

from ...domain.shapes import (
    Shape,
    block,
    boolean,
    default_is,
    keyed,
    list_of,
    members,
    number,
    number_or_zero,
    set_of,
    tags,
    text,
)
from ...domain.specs import TypeSpec

_COOKIES = block({"forward": text, "whitelisted_names": set_of(text)})
BEHAVIOR: Mapping[str, Shape] = {
    "target_origin_id": text,
    "viewer_protocol_policy": text,
    "allowed_methods": set_of(text),
    "cached_methods": set_of(text),
    "cache_policy_id": text,
    "origin_request_policy_id": text,
    "response_headers_policy_id": text,
    "realtime_log_config_arn": text,
    "field_level_encryption_id": text,
    "compress": boolean,
    "smooth_streaming": boolean,
    "min_ttl": number_or_zero,
    "default_ttl": number_or_zero,
    "max_ttl": number_or_zero,
    "trusted_key_groups": set_of(text),
    "trusted_signers": set_of(text),
    "forwarded_values": block(
        {"query_string": boolean, "query_string_cache_keys": set_of(text), "headers": set_of(text), "cookies": _COOKIES}
    ),
    "function_association": keyed("event_type", {"function_arn": text}),
    "lambda_function_association": keyed("event_type", {"lambda_arn": text, "include_body": boolean}),
}
_ORIGIN: Mapping[str, Shape] = {
    "domain_name": text,
    "origin_path": text,
    "connection_attempts": default_is(3, number),
    "connection_timeout": default_is(10, number),
    "custom_header": keyed("name", {"value": text}),
    "s3_origin_config": block({"origin_access_identity": text}),
    "custom_origin_config": block(
        {
            "http_port": number,
            "https_port": number,
            "origin_protocol_policy": text,
            "origin_ssl_protocols": set_of(text),
            "origin_read_timeout": number,
            "origin_keepalive_timeout": number,
        }
    ),
}

SPECS = (
    TypeSpec(
        "aws_cloudfront_distribution",
        {
            "enabled": boolean,
            "comment": text,
            "aliases": set_of(text),
            "default_root_object": text,
            "http_version": text,
            "is_ipv6_enabled": boolean,
            "price_class": text,
            "web_acl_id": text,
            "origin": keyed("origin_id", _ORIGIN),
            "default_cache_behavior": block(BEHAVIOR),
            "ordered_cache_behavior": list_of(members({"path_pattern": text, **BEHAVIOR})),
            "custom_error_response": keyed(
                "error_code", {"response_code": number_or_zero, "response_page_path": text, "error_caching_min_ttl": number_or_zero}
            ),
            "logging_config": block({"bucket": text, "prefix": text, "include_cookies": boolean}),
            "restrictions": block({"geo_restriction": block({"restriction_type": text, "locations": set_of(text)})}),
            "viewer_certificate": block(
                {
                    "acm_certificate_arn": text,
                    "iam_certificate_id": text,
                    "cloudfront_default_certificate": boolean,
                    "minimum_protocol_version": text,
                    "ssl_support_method": text,
                }
            ),
            "tags": tags,
        },
    ),
    TypeSpec(
        "aws_cloudfront_origin_access_control",
        {
            "name": text,
            "description": text,
            "origin_access_control_origin_type": text,
            "signing_behavior": text,
            "signing_protocol": text,
        },
    ),
)  # fmt: skip
