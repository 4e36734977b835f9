"""Cloud Map namespaces and services, and resource groups.

Source: Terraform AWS provider 5.100, resource documentation of each type.
"""

from __future__ import annotations

from ...domain.shapes import block, document, keyed, number, tags, text
from ...domain.specs import TypeSpec, by

NAMESPACES = {  # kind of namespace, as the API names it -> Terraform type
    "DNS_PRIVATE": "aws_service_discovery_private_dns_namespace",
    "DNS_PUBLIC": "aws_service_discovery_public_dns_namespace",
    "HTTP": "aws_service_discovery_http_namespace",
}
_RECORDS = keyed("type", {"ttl": number})

SPECS = (
    *(TypeSpec(kind, {"name": text, "description": text, "tags": tags}, key=by("arn")) for kind in NAMESPACES.values()),
    TypeSpec(
        "aws_service_discovery_service",
        {
            "name": text,
            "description": text,
            "dns_config": block({"namespace_id": text, "routing_policy": text, "dns_records": _RECORDS}),
            "health_check_config": block({"failure_threshold": number, "resource_path": text, "type": text}),
            "health_check_custom_config": block({"failure_threshold": number}),
            "tags": tags,
        },
        key=by("arn"),
    ),
    TypeSpec(
        "aws_resourcegroups_group",
        {
            "name": text,
            "description": text,
            "resource_query": block({"query": document, "type": text}),
            "tags": tags,
        },
        key=by("arn"),
    ),
)
