"""Reads Lambda functions, their permissions, aliases, URLs and event source mappings.

`ListFunctions` has the configuration; tags, reserved concurrency and image take `GetFunction`, permissions `GetPolicy`.
Source: AWS Lambda API Reference, the operations named in each listing.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from typing import Any

from ...domain.resources import LiveResource, Parent
from .base import Finding, Gap, Item, Listing, Scope, Service, attempt, each
from .lambda_shapes import function_attributes, mapping_attributes, permission_attributes, url_attributes

_NONE = "ResourceNotFoundException"


def read_functions(scope: Scope) -> Iterator[Finding]:
    """List functions with everything that hangs on each."""
    client = scope.client("lambda")
    items = scope.pages("lambda", "list_functions", "Functions")
    yield from each(items, lambda item: _function(scope, client, item))


def _function(scope: Scope, client: Any, item: Item) -> Iterable[Finding]:
    name, arn = item["FunctionName"], item["FunctionArn"]
    attributes = function_attributes(item)
    tags: dict[str, str] = {}
    if item.get("PackageType") != "Image":  # images cannot be signed
        signing = attempt("lambda", lambda: client.get_function_code_signing_config(FunctionName=name), _NONE)
        if isinstance(signing, Gap):
            yield signing.unread("aws_lambda_function", arn, "code_signing_config_arn")
        else:
            attributes["code_signing_config_arn"] = signing.get("CodeSigningConfigArn")
    details = attempt("lambda", lambda: client.get_function(FunctionName=name))
    if isinstance(details, Gap):
        yield details.unread("aws_lambda_function", arn, "tags", "reserved_concurrent_executions", "image_uri")
    else:
        reserved = (details.get("Concurrency") or {}).get("ReservedConcurrentExecutions")
        attributes["tags"] = tags = details.get("Tags") or {}
        attributes["reserved_concurrent_executions"] = -1 if reserved is None else reserved
        attributes["image_uri"] = (details.get("Code") or {}).get("ImageUri")
    yield LiveResource(
        type="aws_lambda_function",
        document=item,
        key=arn,
        region=scope.region,
        cloud_id=arn,
        tags=tags,
        attributes=attributes,
    )
    yield from _permissions(scope, client, item, None)
    yield from _aliases(scope, client, item)
    yield from _url(scope, client, item, None)


def _permissions(scope: Scope, client: Any, item: Item, qualifier: str | None) -> Iterator[Finding]:
    """Yield the statements of one resource policy: of the function itself, or of one alias."""
    name, arn = item["FunctionName"], item["FunctionArn"]
    arguments = {"FunctionName": name} | ({"Qualifier": qualifier} if qualifier else {})
    reply = attempt("lambda", lambda: client.get_policy(**arguments), _NONE)
    if isinstance(reply, Gap):
        yield reply.not_checked("aws_lambda_permission", scope.region)
        return
    policy = json.loads(reply.get("Policy") or "{}")
    for statement in policy.get("Statement") or ():
        if qualifier and not str(statement.get("Resource")).endswith(f":{qualifier}"):
            continue  # a statement of the function itself
        identity = statement.get("Sid") or ""
        yield LiveResource(
            type="aws_lambda_permission",
            key=f"{arn}|{qualifier or ''}|{identity}",
            region=scope.region,
            cloud_id=f"{arn}{f':{qualifier}' if qualifier else ''} {identity}",
            parent=Parent("aws_lambda_function", arn, "policy"),
            aliases=(("aws_lambda_permission", f"{name}|{qualifier or ''}|{identity}"),),
            attributes=permission_attributes(statement),
        )


def _aliases(scope: Scope, client: Any, item: Item) -> Iterator[Finding]:
    name, arn = item["FunctionName"], item["FunctionArn"]

    def call() -> Item:
        pages = client.get_paginator("list_aliases").paginate(FunctionName=name)
        return {"Aliases": [alias for page in pages for alias in page.get("Aliases") or ()]}

    reply = attempt("lambda", call)
    if isinstance(reply, Gap):
        yield reply.not_checked("aws_lambda_alias", scope.region)
        return
    for alias in reply["Aliases"]:
        weights = (alias.get("RoutingConfig") or {}).get("AdditionalVersionWeights") or {}
        yield LiveResource(
            type="aws_lambda_alias",
            document=alias,
            key=alias["AliasArn"],
            region=scope.region,
            cloud_id=alias["AliasArn"],
            parent=Parent("aws_lambda_function", arn, "alias"),
            attributes={
                "description": alias.get("Description"),
                "function_version": alias.get("FunctionVersion"),
                "routing_config": [{"additional_version_weights": weights}] if weights else [],
            },
        )
        yield from _permissions(scope, client, item, alias["Name"])
        yield from _url(scope, client, item, alias["Name"])


def _url(scope: Scope, client: Any, item: Item, qualifier: str | None) -> Iterator[Finding]:
    """Yield the URL of a function or of one alias, when it has one."""
    arguments = {"FunctionName": item["FunctionName"]} | ({"Qualifier": qualifier} if qualifier else {})
    key = item["FunctionArn"] + (f":{qualifier}" if qualifier else "")
    reply = attempt("lambda", lambda: client.get_function_url_config(**arguments), _NONE)
    if isinstance(reply, Gap):
        yield reply.unread("aws_lambda_function_url", key)
        return
    if reply.get("FunctionArn") == key:
        yield LiveResource(
            type="aws_lambda_function_url",
            document=reply,
            key=key,
            region=scope.region,
            cloud_id=key,
            parent=Parent("aws_lambda_function", item["FunctionArn"], "url"),
            attributes=url_attributes(reply),
        )


def read_event_source_mappings(scope: Scope) -> Iterator[Finding]:
    """List event source mappings; their tags take a call each."""
    client = scope.client("lambda")

    def one(item: Item) -> Iterable[Finding]:
        key, arn = item["UUID"], item.get("EventSourceMappingArn")
        attributes = mapping_attributes(item)
        tags: dict[str, str] = {}
        reply = attempt("lambda", lambda: client.list_tags(Resource=arn)) if arn else {}
        if isinstance(reply, Gap):
            yield reply.unread("aws_lambda_event_source_mapping", key, "tags")
        elif arn:
            attributes["tags"] = tags = reply.get("Tags") or {}
        yield LiveResource(
            type="aws_lambda_event_source_mapping",
            document=item,
            key=key,
            region=scope.region,
            cloud_id=arn or key,
            tags=tags,
            attributes=attributes,
        )

    yield from each(scope.pages("lambda", "list_event_source_mappings", "EventSourceMappings"), one)


SERVICE = Service(
    "lambda",
    (
        Listing(
            types=(
                "aws_lambda_function",
                "aws_lambda_permission",
                "aws_lambda_alias",
                "aws_lambda_function_url",
            ),
            read=read_functions,
            permissions=(
                "lambda:ListFunctions",
                "lambda:GetFunction",
                "lambda:GetPolicy",
                "lambda:ListAliases",
                "lambda:GetFunctionUrlConfig",
                "lambda:GetFunctionCodeSigningConfig",
            ),
        ),
        Listing(
            types=("aws_lambda_event_source_mapping",),
            read=read_event_source_mappings,
            permissions=("lambda:ListEventSourceMappings", "lambda:ListTags"),
        ),
    ),
)
