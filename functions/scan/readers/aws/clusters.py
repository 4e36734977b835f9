"""Reads EKS clusters with their node groups and Fargate profiles.

Source: Amazon EKS API Reference, the actions named in each listing.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from ...domain.resources import LiveResource
from .base import Finding, Gap, Item, Listing, Scope, Service, attempt, each
from .forms import blocks, in_snake

_GONE = "ResourceNotFoundException"
_EFFECTS = {"NoSchedule": "NO_SCHEDULE", "NoExecute": "NO_EXECUTE", "PreferNoSchedule": "PREFER_NO_SCHEDULE"}
_NETWORK = ("endpointPrivateAccess", "endpointPublicAccess", "publicAccessCidrs", "securityGroupIds", "subnetIds")


def _names(scope: Scope) -> Iterator[Item]:
    return ({"name": name} for name in scope.pages("eks", "list_clusters", "clusters"))


def read_clusters(scope: Scope) -> Iterator[Finding]:
    """List clusters; each takes a call."""
    client, kind = scope.client("eks"), "aws_eks_cluster"

    def one(item: Item) -> Iterator[Finding]:
        reply = attempt("eks", lambda: client.describe_cluster(name=item["name"]), _GONE)
        if isinstance(reply, Gap):
            yield reply.unread(kind, scope.arn("eks", f"cluster/{item['name']}"))
            return
        if not reply:
            return
        found = reply["cluster"]
        arn, tags = found["arn"], found.get("tags") or {}
        logged = (found.get("logging") or {}).get("clusterLogging") or ()
        attributes: dict[str, object] = {
            **in_snake(found, "roleArn", "version"),
            "access_config": blocks(found.get("accessConfig")),
            "enabled_cluster_log_types": [
                name for entry in logged if entry.get("enabled") for name in entry.get("types") or ()
            ],
            "encryption_config": blocks(found.get("encryptionConfig") or []),
            "tags": tags,
            "upgrade_policy": blocks(found.get("upgradePolicy")),
            "vpc_config": [in_snake(found.get("resourcesVpcConfig") or {}, *_NETWORK)],
        }
        yield LiveResource(kind, arn, scope.region, attributes, arn, tags=tags)

    yield from each(_names(scope), one)


def read_node_groups(scope: Scope) -> Iterator[Finding]:
    """List the node groups of all clusters; each takes a call."""
    client, kind = scope.client("eks"), "aws_eks_node_group"

    def one(cluster: Item) -> Iterator[Finding]:
        place = {"clusterName": cluster["name"]}
        for name in scope.pages("eks", "list_nodegroups", "nodegroups", **place):
            reply = attempt("eks", partial(client.describe_nodegroup, **place, nodegroupName=name), _GONE)
            if isinstance(reply, Gap):
                yield reply.not_checked(kind, scope.region)  # the id in its ARN is not known
            elif reply:
                yield _node_group(scope, reply["nodegroup"])

    yield from each(_names(scope), one)


def _node_group(scope: Scope, found: Item) -> LiveResource:
    arn, tags = found["nodegroupArn"], found.get("tags") or {}
    scaling, access = found.get("scalingConfig") or {}, found.get("remoteAccess") or {}
    template = found.get("launchTemplate") or {}
    attributes: dict[str, object] = {
        **in_snake(
            found, "amiType", "capacityType", "diskSize", "instanceTypes", "labels", "releaseVersion", "version"
        ),
        "launch_template": blocks(template),
        "node_role_arn": found.get("nodeRole"),
        "remote_access": [
            {"ec2_ssh_key": access.get("ec2SshKey"), "source_security_group_ids": access.get("sourceSecurityGroups")}
        ],
        "scaling_config": [in_snake(scaling, "desiredSize", "maxSize", "minSize")],
        "subnet_ids": found.get("subnets"),
        "tags": tags,
        "taint": [
            {**taint, "effect": _EFFECTS.get(taint.get("effect", ""), taint.get("effect"))}
            for taint in found.get("taints") or ()
        ],
    }
    return LiveResource("aws_eks_node_group", arn, scope.region, attributes, arn, tags=tags)


def read_profiles(scope: Scope) -> Iterator[Finding]:
    """List the Fargate profiles of all clusters; each takes a call."""
    client, kind = scope.client("eks"), "aws_eks_fargate_profile"

    def one(cluster: Item) -> Iterator[Finding]:
        place = {"clusterName": cluster["name"]}
        for name in scope.pages("eks", "list_fargate_profiles", "fargateProfileNames", **place):
            reply = attempt("eks", partial(client.describe_fargate_profile, **place, fargateProfileName=name), _GONE)
            if isinstance(reply, Gap):
                yield reply.not_checked(kind, scope.region)
            elif reply:
                found = reply["fargateProfile"]
                arn, tags = found["fargateProfileArn"], found.get("tags") or {}
                attributes: dict[str, object] = {
                    **in_snake(found, "podExecutionRoleArn"),
                    "selector": blocks(found.get("selectors") or [], frozenset({"labels"})),
                    "subnet_ids": found.get("subnets"),
                    "tags": tags,
                }
                yield LiveResource(kind, arn, scope.region, attributes, arn, tags=tags)

    yield from each(_names(scope), one)


SERVICE = Service(
    "clusters",
    (
        Listing(("aws_eks_cluster",), read_clusters, ("eks:ListClusters", "eks:DescribeCluster")),
        Listing(
            ("aws_eks_node_group",),
            read_node_groups,
            ("eks:ListClusters", "eks:ListNodegroups", "eks:DescribeNodegroup"),
        ),
        Listing(
            ("aws_eks_fargate_profile",),
            read_profiles,
            ("eks:ListClusters", "eks:ListFargateProfiles", "eks:DescribeFargateProfile"),
        ),
    ),
)
