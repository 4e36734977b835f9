"""Reads Cloud Map namespaces and services, and resource groups; tags and details take a call each.

Source: AWS Cloud Map API Reference, ListNamespaces, ListServices, GetService; AWS Resource Groups API Reference, ListGroups,
GetGroup, GetGroupQuery, GetTags.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import partial

from ...domain.resources import LiveResource
from ...types.aws.discovery import NAMESPACES
from .base import Finding, Gap, Item, Listing, Scope, Service, attempt, each, tag_map

_SERVICE = "aws_service_discovery_service"
_GROUP = "aws_resourcegroups_group"
_GONE = ("ServiceNotFound", "NamespaceNotFound", "ResourceNotFoundException", "NotFoundException")


def read_namespaces(scope: Scope) -> Iterator[Finding]:
    yield from each(
        scope.pages("servicediscovery", "list_namespaces", "Namespaces"),
        lambda item: _tagged(
            scope, NAMESPACES[item["Type"]], item, {"name": item.get("Name"), "description": item.get("Description")}
        ),
    )


def read_services(scope: Scope) -> Iterator[Finding]:
    yield from each(scope.pages("servicediscovery", "list_services", "Services"), partial(_service, scope))


def _service(scope: Scope, item: Item) -> Iterable[Finding]:
    """Yield one service; only GetService tells the namespace."""
    found = attempt("servicediscovery", partial(scope.client("servicediscovery").get_service, Id=item["Id"]), *_GONE)
    if isinstance(found, Gap):
        return (found.unread(_SERVICE, item["Arn"]),)
    if not found:  # deleted since the list was made
        return ()
    service = found["Service"]
    dns, check = service.get("DnsConfig") or {}, service.get("HealthCheckConfig") or {}
    own_check = service.get("HealthCheckCustomConfig") or {}
    attributes: dict[str, object] = {
        "name": service.get("Name"),
        "description": service.get("Description"),
        "dns_config": [
            {
                "namespace_id": dns.get("NamespaceId") or service.get("NamespaceId"),
                "routing_policy": dns.get("RoutingPolicy"),
                "dns_records": [{"type": one["Type"], "ttl": one.get("TTL")} for one in dns["DnsRecords"]],
            }
        ]
        if dns.get("DnsRecords")
        else [],
        "health_check_config": [
            {
                "failure_threshold": check.get("FailureThreshold"),
                "resource_path": check.get("ResourcePath"),
                "type": check.get("Type"),
            }
        ],
        "health_check_custom_config": [{"failure_threshold": own_check.get("FailureThreshold")}],
    }
    return _tagged(scope, _SERVICE, service, attributes)


def _tagged(scope: Scope, kind: str, item: Item, attributes: dict[str, object]) -> Iterable[Finding]:
    key, tags = item["Arn"], dict[str, str]()
    call = partial(scope.client("servicediscovery").list_tags_for_resource, ResourceARN=key)
    found = attempt("servicediscovery", call, *_GONE)
    if isinstance(found, Gap):
        yield found.unread(kind, key, "tags")
    else:
        attributes["tags"] = tags = tag_map(found.get("Tags"))
    yield LiveResource(kind, key, scope.region, attributes, key, tags=tags)


def read_groups(scope: Scope) -> Iterator[Finding]:
    yield from each(scope.pages("resource-groups", "list_groups", "GroupIdentifiers"), partial(_group, scope))


def _group(scope: Scope, item: Item) -> Iterator[Finding]:
    client, key = scope.client("resource-groups"), item["GroupArn"]
    attributes, tags = dict[str, object](), dict[str, str]()
    group = attempt("resource-groups", partial(client.get_group, GroupName=item["GroupName"]), *_GONE)
    if isinstance(group, Gap):
        yield group.unread(_GROUP, key, "name", "description")
    else:
        found = group.get("Group") or {}
        attributes |= {"name": found.get("Name"), "description": found.get("Description")}
    # A group that is made by configuration has no query, and says so with a bad request.
    query = attempt("resource-groups", partial(client.get_group_query, Group=key), *_GONE, "BadRequestException")
    if isinstance(query, Gap):
        yield query.unread(_GROUP, key, "resource_query")
    else:
        asked = (query.get("GroupQuery") or {}).get("ResourceQuery") or {}
        attributes["resource_query"] = [{"query": asked.get("Query"), "type": asked.get("Type")}]
    tagged = attempt("resource-groups", partial(client.get_tags, Arn=key), *_GONE)
    if isinstance(tagged, Gap):
        yield tagged.unread(_GROUP, key, "tags")
    else:
        attributes["tags"] = tags = dict(tagged.get("Tags") or {})
    yield LiveResource(_GROUP, key, scope.region, attributes, key, tags=tags)


SERVICE = Service(
    "discovery",
    (
        Listing(
            types=tuple(NAMESPACES.values()),
            read=read_namespaces,
            permissions=("servicediscovery:ListNamespaces", "servicediscovery:ListTagsForResource"),
        ),
        Listing(
            types=(_SERVICE,),
            read=read_services,
            permissions=(
                "servicediscovery:ListServices",
                "servicediscovery:GetService",
                "servicediscovery:ListTagsForResource",
            ),
        ),
        Listing(
            types=(_GROUP,),
            read=read_groups,
            permissions=(
                "resource-groups:ListGroups",
                "resource-groups:GetGroup",
                "resource-groups:GetGroupQuery",
                "resource-groups:GetTags",
            ),
        ),
    ),
)
