"""Reads ECR repositories with their policies; policy, lifecycle policy and tags take a call per repository each.

Source: Amazon ECR API Reference, DescribeRepositories, GetRepositoryPolicy, GetLifecyclePolicy, ListTagsForResource.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any

from ...domain.resources import LiveResource, Parent
from .base import Finding, Gap, Item, Listing, Scope, Service, attempt, each, tag_map

_GONE = "RepositoryNotFoundException"


def read_repositories(scope: Scope) -> Iterator[Finding]:
    """List repositories, each with its policies and tags."""
    client = scope.client("ecr")
    items = scope.pages("ecr", "describe_repositories", "repositories")
    yield from each(items, lambda item: _repository(scope, client, item))


def _repository(scope: Scope, client: Any, item: Item) -> Iterable[Finding]:
    arn, place = item["repositoryArn"], {"registryId": item["registryId"], "repositoryName": item["repositoryName"]}
    encryption = item.get("encryptionConfiguration") or {}
    scanning = item.get("imageScanningConfiguration") or {}
    attributes: dict[str, object] = {
        "image_tag_mutability": item.get("imageTagMutability"),
        "image_scanning_configuration": [{"scan_on_push": scanning.get("scanOnPush")}],
        "encryption_configuration": [
            {"encryption_type": encryption.get("encryptionType"), "kms_key": encryption.get("kmsKey")}
        ],
    }
    tags: dict[str, str] = {}
    tagged = attempt("ecr", lambda: client.list_tags_for_resource(resourceArn=arn), _GONE)
    if isinstance(tagged, Gap):
        yield tagged.unread("aws_ecr_repository", arn, "tags")
    else:
        attributes["tags"] = tags = tag_map(tagged.get("tags"))
    yield LiveResource("aws_ecr_repository", arn, scope.region, attributes, arn, tags=tags, document=item)
    policies: dict[str, tuple[Callable[[], Item], str, str]] = {
        "aws_ecr_repository_policy": (
            lambda: client.get_repository_policy(**place), "policyText", "RepositoryPolicyNotFoundException",
        ),
        "aws_ecr_lifecycle_policy": (
            lambda: client.get_lifecycle_policy(**place), "lifecyclePolicyText", "LifecyclePolicyNotFoundException",
        ),
    }  # fmt: skip
    key = f"{item['registryId']}|{item['repositoryName']}"
    for kind, (call, member, none) in policies.items():
        reply = attempt("ecr", call, none, _GONE)
        if isinstance(reply, Gap):
            yield reply.unread(kind, key)
        elif reply.get(member):
            parent = Parent("aws_ecr_repository", arn, "policy")
            yield LiveResource(kind, key, scope.region, {"policy": reply[member]}, arn, parent=parent)


SERVICE = Service(
    "ecr",
    (
        Listing(
            types=("aws_ecr_repository", "aws_ecr_repository_policy", "aws_ecr_lifecycle_policy"),
            read=read_repositories,
            permissions=(
                "ecr:DescribeRepositories",
                "ecr:ListTagsForResource",
                "ecr:GetRepositoryPolicy",
                "ecr:GetLifecyclePolicy",
            ),
        ),
    ),
)
