"""Changes to IAM: roles, users, groups, policies, attachments, memberships, instance profiles."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from tests.support.aws_account import CREATED, Clients, Mutation

Apply = Callable[[Clients, dict[str, Any]], object]

_ADMIN = json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]})
_TRUST = json.dumps(
    {
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"AWS": "999988887777"}}],
    }
)
_MAIN = "arn:aws:iam::123456789012:policy/team/main"
_BOUNDARY = "arn:aws:iam::123456789012:policy/boundary"
_EXTRA_TAG = [{"Key": "Extra", "Value": "1"}]


def call(operation: str, *names: str, **arguments: Any) -> Apply:
    """Make one IAM call; `names` are `Argument=attribute` pairs filled from the target."""

    def apply(clients: Clients, target: dict[str, Any]) -> None:
        filled = {name: target[attribute] for name, attribute in (pair.split("=") for pair in names)}
        getattr(clients("iam"), operation)(**filled, **arguments)

    return apply


def changed(address: str, path: str, apply: Apply) -> Mutation:
    return Mutation(address, {("changed", address, path)}, apply)


def missing(address: str, apply: Apply, *also: str) -> Mutation:
    return Mutation(address, {("missing", address, "")}, apply, also=also)


def unmanaged(kind: str, key: str, operation: str, **arguments: Any) -> Mutation:
    return Mutation("", {("unmanaged", key, "")}, call(operation, **arguments), also=(kind,))


def _replace_role(clients: Clients, role: dict[str, Any]) -> None:
    clients("iam").delete_role(RoleName=role["name"])
    clients("iam").create_role(
        RoleName=role["name"],
        Path="/other/",
        AssumeRolePolicyDocument=role["assume_role_policy"],
        Tags=[{"Key": "Owner", "Value": "platform"}],
    )


def _replace_profile(clients: Clients, profile: dict[str, Any]) -> None:
    clients("iam").delete_instance_profile(InstanceProfileName=profile["name"])
    clients("iam").create_instance_profile(
        InstanceProfileName=profile["name"], Path="/other/", Tags=[{"Key": "Owner", "Value": "platform"}]
    )


def _replace_group(clients: Clients, group: dict[str, Any]) -> None:
    clients("iam").delete_group(GroupName=group["name"])
    clients("iam").create_group(GroupName=group["name"], Path="/other/")


def _move_user(clients: Clients, user: dict[str, Any]) -> None:
    clients("iam").update_user(UserName=user["name"], NewPath="/other/")
    tags = [{"Key": name, "Value": value} for name, value in user["tags_all"].items()]
    clients("iam").tag_user(UserName=user["name"], Tags=tags)  # moto loses the tags of a user that moves


def _create_policy(clients: Clients, _target: dict[str, Any]) -> str:
    return str(clients("iam").create_policy(PolicyName="extra", PolicyDocument=_ADMIN)["Policy"]["Arn"])


_ROLES: tuple[Mutation, ...] = (
    changed('aws_iam_role.spare["a"]', "path", _replace_role),
    changed("aws_iam_role.app", "description", call("update_role_description", "RoleName=name", Description="other")),
    changed(
        "aws_iam_role.app",
        "max_session_duration",
        call("update_role", "RoleName=name", Description="other", MaxSessionDuration=43200),
    ),
    changed(
        "aws_iam_role.app",
        "assume_role_policy.Statement",
        call("update_assume_role_policy", "RoleName=name", PolicyDocument=_TRUST),
    ),
    changed("aws_iam_role.app", "permissions_boundary", call("delete_role_permissions_boundary", "RoleName=name")),
    changed(
        "aws_iam_role.inline",
        "managed_policy_arns",
        call("attach_role_policy", "RoleName=name", PolicyArn=_BOUNDARY),
    ),
    changed(
        "aws_iam_role.inline",
        "inline_policy",
        call("put_role_policy", "RoleName=name", PolicyName="extra", PolicyDocument=_ADMIN),
    ),
    # A role for which nothing else is declared shows what is attached to it as a change of itself.
    changed(
        'aws_iam_role.spare["b"]',
        "inline_policy",
        call("put_role_policy", "RoleName=name", PolicyName="extra", PolicyDocument=_ADMIN),
    ),
    changed("aws_iam_role.app", "tags.Extra", call("tag_role", "RoleName=name", Tags=_EXTRA_TAG)),
    unmanaged(
        "aws_iam_role", "extra", "create_role", RoleName="extra", AssumeRolePolicyDocument=_TRUST
    ),
    changed(
        "aws_iam_service_linked_role.autoscaling",
        "description",
        call("update_role_description", "RoleName=name", Description="other"),
    ),
    changed(
        "aws_iam_service_linked_role.autoscaling", "tags.Extra", call("tag_role", "RoleName=name", Tags=_EXTRA_TAG)
    ),
    changed(
        "aws_iam_role_policy.app",
        "policy.Statement",
        call("put_role_policy", "RoleName=role", "PolicyName=name", PolicyDocument=_ADMIN),
    ),
    unmanaged(
        "aws_iam_role_policy", "app:extra", "put_role_policy",
        RoleName="app", PolicyName="extra", PolicyDocument=_ADMIN,
    ),
    missing("aws_iam_role_policy.app", call("delete_role_policy", "RoleName=role", "PolicyName=name")),
    unmanaged(
        "aws_iam_role_policy_attachment", f"lambda|{_MAIN}", "attach_role_policy", RoleName="lambda", PolicyArn=_MAIN
    ),
    missing(
        'aws_iam_role_policy_attachment.app["main"]',
        call("detach_role_policy", "RoleName=role", "PolicyArn=policy_arn"),
    ),
)  # fmt: skip

_USERS: tuple[Mutation, ...] = (
    changed("aws_iam_user.ann", "path", _move_user),
    changed("aws_iam_user.ann", "tags.Extra", call("tag_user", "UserName=name", Tags=_EXTRA_TAG)),
    unmanaged("aws_iam_user", "extra", "create_user", UserName="extra"),
    missing('aws_iam_user.many["spare"]', call("delete_user", "UserName=name")),
    changed(
        "aws_iam_user_policy.ann",
        "policy.Statement",
        call("put_user_policy", "UserName=user", "PolicyName=name", PolicyDocument=_ADMIN),
    ),
    unmanaged(
        "aws_iam_user_policy", "ann:extra", "put_user_policy",
        UserName="ann", PolicyName="extra", PolicyDocument=_ADMIN,
    ),
    missing("aws_iam_user_policy.ann", call("delete_user_policy", "UserName=user", "PolicyName=name")),
    unmanaged(
        "aws_iam_user_policy_attachment", f"cat|{_MAIN}", "attach_user_policy", UserName="cat", PolicyArn=_MAIN
    ),
    missing(
        "aws_iam_user_policy_attachment.ann", call("detach_user_policy", "UserName=user", "PolicyArn=policy_arn")
    ),
    missing(
        "aws_iam_policy_attachment.shared",
        call("detach_user_policy", "PolicyArn=policy_arn", UserName="bob"),
        "aws_iam_user_policy_attachment",
    ),
    unmanaged(
        "aws_iam_user_group_membership", "cat|devs", "add_user_to_group", UserName="cat", GroupName="devs"
    ),
    missing(
        "aws_iam_user_group_membership.ann", call("remove_user_from_group", "UserName=user", GroupName="audit")
    ),
    missing(
        "aws_iam_group_membership.ops",
        call("remove_user_from_group", "GroupName=group", UserName="bob"),
        "aws_iam_user_group_membership",
    ),
)  # fmt: skip

_GROUPS: tuple[Mutation, ...] = (
    changed("aws_iam_group.spare", "path", _replace_group),
    unmanaged("aws_iam_group", "extra", "create_group", GroupName="extra"),
    missing("aws_iam_group.spare", call("delete_group", "GroupName=name")),
    changed(
        "aws_iam_group_policy.devs",
        "policy.Statement",
        call("put_group_policy", "GroupName=group", "PolicyName=name", PolicyDocument=_ADMIN),
    ),
    unmanaged(
        "aws_iam_group_policy", "devs:extra", "put_group_policy",
        GroupName="devs", PolicyName="extra", PolicyDocument=_ADMIN,
    ),
    missing("aws_iam_group_policy.devs", call("delete_group_policy", "GroupName=group", "PolicyName=name")),
    unmanaged(
        "aws_iam_group_policy_attachment", f"ops|{_MAIN}", "attach_group_policy", GroupName="ops", PolicyArn=_MAIN
    ),
    missing(
        "aws_iam_group_policy_attachment.devs",
        call("detach_group_policy", "GroupName=group", "PolicyArn=policy_arn"),
    ),
)  # fmt: skip

_REST: tuple[Mutation, ...] = (
    changed(
        "aws_iam_policy.spare",
        "policy.Statement",
        call("create_policy_version", "PolicyArn=arn", PolicyDocument=_ADMIN, SetAsDefault=True),
    ),
    changed("aws_iam_policy.main", "tags.Extra", call("tag_policy", "PolicyArn=arn", Tags=_EXTRA_TAG)),
    Mutation("", {("unmanaged", CREATED, "")}, _create_policy, also=("aws_iam_policy",)),
    missing("aws_iam_policy.spare", call("delete_policy", "PolicyArn=arn")),
    changed("aws_iam_instance_profile.empty", "path", _replace_profile),
    changed(
        "aws_iam_instance_profile.app",
        "role",
        call("remove_role_from_instance_profile", "InstanceProfileName=name", "RoleName=role"),
    ),
    changed(
        "aws_iam_instance_profile.app",
        "tags.Extra",
        call("tag_instance_profile", "InstanceProfileName=name", Tags=_EXTRA_TAG),
    ),
    unmanaged("aws_iam_instance_profile", "extra", "create_instance_profile", InstanceProfileName="extra"),
    missing("aws_iam_instance_profile.empty", call("delete_instance_profile", "InstanceProfileName=name")),
    missing('aws_iam_role.spare["a"]', call("delete_role", "RoleName=name")),
    missing("aws_iam_service_linked_role.autoscaling", call("delete_service_linked_role", "RoleName=name")),
)

MUTATIONS: tuple[Mutation, ...] = (*_ROLES, *_USERS, *_GROUPS, *_REST)

EXCEPTIONS: dict[str, str] = {
    "aws_iam_service_linked_role.unmanaged": "made by AWS services, never reported",
    "aws_iam_policy.description": "fixed at creation",
    "aws_iam_user.permissions_boundary": "moto reports no boundary of users",
}
