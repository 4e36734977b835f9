"""What the server says about itself: ServiceProviderConfig, ResourceTypes, Schemas. Source: RFC 7643 sections 5 to 7, RFC 9865 section 4.

Built and checked by the models of `scim2-models`; the attributes are those of `schemas.py`, so that what is said is what is done.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

from . import bulk, paging
from .schemas import ENTERPRISE_URN, RESOURCE_SCHEMAS, USER, Attribute, ResourceSchema

CONFIG_URN: Final = "urn:ietf:params:scim:schemas:core:2.0:ServiceProviderConfig"
RESOURCE_TYPE_URN: Final = "urn:ietf:params:scim:schemas:core:2.0:ResourceType"
SCHEMA_URN: Final = "urn:ietf:params:scim:schemas:core:2.0:Schema"
_COMMON: Final = {"schemas", "id", "externalid", "meta"}


def service_provider_config(base_url: str, documentation_url: str) -> dict[str, Any]:
    """Return what the server can do.

    Args:
        base_url: of the organisation's SCIM service, without a slash at its end.
        documentation_url: of the page for people.
    """
    return {
        "schemas": [CONFIG_URN],
        "documentationUri": documentation_url,
        "patch": {"supported": True},
        "bulk": {"supported": True, "maxOperations": bulk.MOST_OPERATIONS, "maxPayloadSize": bulk.MOST_PAYLOAD_BYTES},
        "filter": {"supported": True, "maxResults": paging.MOST_COUNT},
        "changePassword": {"supported": False},
        "sort": {"supported": True},
        "etag": {"supported": True},
        "pagination": {
            "cursor": True,
            "index": True,
            "defaultPaginationMethod": "index",
            "defaultPageSize": paging.DEFAULT_COUNT,
            "maxPageSize": paging.MOST_COUNT,
            "cursorTimeout": paging.CURSOR_SECONDS,
        },
        "authenticationSchemes": [
            {
                "type": "oauthbearertoken",
                "name": "OAuth Bearer Token",
                "description": "A SCIM token of the organisation, in the header Authorization",
                "specUri": "https://www.rfc-editor.org/info/rfc6750",
                "primary": True,
            }
        ],
        "meta": {"resourceType": "ServiceProviderConfig", "location": f"{base_url}/ServiceProviderConfig"},
    }


def resource_types(base_url: str) -> list[dict[str, Any]]:
    """Return the types of resources."""
    return [
        {
            "schemas": [RESOURCE_TYPE_URN],
            "id": schema.name,
            "name": schema.name,
            "description": schema.description,
            "endpoint": schema.endpoint,
            "schema": schema.urn,
            **({"schemaExtensions": [{"schema": urn, "required": False} for urn in schema.extensions]} if schema.extensions else {}),
            "meta": {"resourceType": "ResourceType", "location": f"{base_url}/ResourceTypes/{schema.name}"},
        }
        for schema in RESOURCE_SCHEMAS
    ]  # fmt: skip


def schema_documents(base_url: str) -> list[dict[str, Any]]:
    """Return the schemas, with every attribute that is kept and none that is not."""
    found = [
        _document(schema.urn, schema.name, schema.description, _own(schema), base_url) for schema in RESOURCE_SCHEMAS
    ]
    enterprise = USER.extensions[ENTERPRISE_URN]
    return [
        *found,
        _document(ENTERPRISE_URN, "EnterpriseUser", "A person's place in the company", enterprise, base_url),
    ]


def _own(schema: ResourceSchema) -> Mapping[str, Attribute]:
    """Return the attributes of a type as they are served: `active` always has a value, and a member is called what the person is called."""
    found = {name: attribute for name, attribute in schema.attributes.items() if name not in _COMMON}
    if "active" in found:
        found["active"] = replace(found["active"], required=True)
    if "members" in found:
        parts = dict(found["members"].sub_attributes)
        parts["display"] = replace(parts["display"], mutability="readOnly", returned="request")
        found["members"] = replace(found["members"], sub_attributes=parts)
    return found


def _document(
    urn: str, name: str, description: str, attributes: Mapping[str, Attribute], base_url: str
) -> dict[str, Any]:
    return {
        "schemas": [SCHEMA_URN],
        "id": urn,
        "name": name,
        "description": description,
        "attributes": [_described(attribute) for attribute in attributes.values()],
        "meta": {"resourceType": "Schema", "location": f"{base_url}/Schemas/{urn}"},
    }


def _described(attribute: Attribute) -> dict[str, Any]:
    described: dict[str, Any] = {
        "name": attribute.name,
        "type": attribute.type,
        "multiValued": attribute.multi_valued,
        "description": attribute.description or attribute.name,
        "required": attribute.required,
        "caseExact": attribute.case_exact,
        "mutability": attribute.mutability,
        "returned": attribute.returned,
        "uniqueness": attribute.uniqueness,
    }
    if attribute.canonical_values:
        described["canonicalValues"] = list(attribute.canonical_values)
    if attribute.reference_types:
        described["referenceTypes"] = list(attribute.reference_types)
    if attribute.sub_attributes:
        described["subAttributes"] = [_described(sub) for sub in attribute.sub_attributes.values()]
    return described
