"""Reads IAM: roles, users, groups, managed policies, attachments, memberships, instance profiles.

One paged `GetAccountAuthorizationDetails` gives nearly everything; only tags of policies and profiles need a call each.
Source: AWS IAM API Reference, the operations named in each listing.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from ...domain.resources import LiveResource, Parent
from .base import Finding, Gap, Item, Listing, Scope, Service, attempt, each, tag_map

_SERVICE_ROLES = "/aws-service-role/"  # service-linked: made and deleted by an AWS service
_RESERVED_ROLES = "/aws-reserved/"  # made by IAM Identity Center


def _details(scope: Scope, kind: str, member: str) -> Iterator[Item]:
    return scope.pages("iam", "get_account_authorization_details", member, Filter=[kind])


# --- roles ---------------------------------------------------------------------------------------------------------


def read_roles(scope: Scope) -> Iterator[Finding]:
    """List roles with their inline policies and attachments; `ListRoles` adds what the details leave out."""
    listed = {item["RoleName"]: item for item in scope.pages("iam", "list_roles", "Roles")}
    for item in _details(scope, "Role", "RoleDetailList"):
        more = listed.get(item["RoleName"])
        linked = item["Path"].startswith(_SERVICE_ROLES)
        yield _linked_role(item, more) if linked else _role(item, more)
        cloud_made = linked or item["Path"].startswith(_RESERVED_ROLES)
        yield from _policies("role", item["RoleName"], item, "RolePolicyList", cloud_made=cloud_made)


def _role(item: Item, more: Item | None) -> LiveResource:
    tags = tag_map(item.get("Tags"))
    attributes = {
        "path": item["Path"],
        "assume_role_policy": item.get("AssumeRolePolicyDocument"),
        "permissions_boundary": (item.get("PermissionsBoundary") or {}).get("PermissionsBoundaryArn"),
        "managed_policy_arns": [found["PolicyArn"] for found in item.get("AttachedManagedPolicies") or ()],
        "inline_policy": [
            {"name": found["PolicyName"], "policy": found["PolicyDocument"]}
            for found in item.get("RolePolicyList") or ()
        ],
        "tags": tags,
    }
    if more is not None:  # absent only when the role was made between the two lists
        attributes |= {
            "description": more.get("Description"),
            "max_session_duration": more.get("MaxSessionDuration"),
        }
    return LiveResource(
        type="aws_iam_role",
        key=item["RoleName"],
        region="global",
        cloud_id=item["Arn"],
        cloud_made=item["Path"].startswith(_RESERVED_ROLES),
        tags=tags,
        attributes=attributes,
    )


def _linked_role(item: Item, more: Item | None) -> LiveResource:
    tags = tag_map(item.get("Tags"))
    attributes: dict[str, object] = {"tags": tags}
    if more is not None:
        attributes["description"] = more.get("Description")
    return LiveResource(
        type="aws_iam_service_linked_role",
        key=item["Arn"],
        region="global",
        cloud_id=item["Arn"],
        cloud_made=True,
        aliases=(("aws_iam_role", item["RoleName"]),),
        tags=tags,
        attributes=attributes,
    )


def _policies(
    principal: str, name: str, item: Item, member: str, *, cloud_made: bool = False
) -> Iterator[LiveResource]:
    """Yield the inline policies and the attachments of one role, user or group."""
    for found in item.get(member) or ():
        yield LiveResource(
            type=f"aws_iam_{principal}_policy",
            key=f"{name}:{found['PolicyName']}",
            region="global",
            cloud_id=f"{item['Arn']}/policy/{found['PolicyName']}",
            cloud_made=cloud_made,
            parent=Parent(f"aws_iam_{principal}", name, "inline_policy"),
            attributes={"policy": found.get("PolicyDocument")},
        )
    for found in item.get("AttachedManagedPolicies") or ():
        yield LiveResource(
            type=f"aws_iam_{principal}_policy_attachment",
            key=f"{name}|{found['PolicyArn']}",
            region="global",
            cloud_id=f"{item['Arn']} {found['PolicyArn']}",
            cloud_made=cloud_made,
            parent=Parent(f"aws_iam_{principal}", name, "managed_policy_arns"),
            attributes={},
        )


# --- users and groups ----------------------------------------------------------------------------------------------


def read_users(scope: Scope) -> Iterator[Finding]:
    """List users with their policies, attachments and group memberships."""
    for item in _details(scope, "User", "UserDetailList"):
        tags = tag_map(item.get("Tags"))
        yield LiveResource(
            type="aws_iam_user",
            document=item,
            key=item["UserName"],
            region="global",
            cloud_id=item["Arn"],
            tags=tags,
            attributes={
                "path": item["Path"],
                "permissions_boundary": (item.get("PermissionsBoundary") or {}).get("PermissionsBoundaryArn"),
                "tags": tags,
            },
        )
        yield from _policies("user", item["UserName"], item, "UserPolicyList")
        for group in item.get("GroupList") or ():
            # No parent: a user put into a group of a state matters even when one of the two is in no state.
            yield LiveResource(
                type="aws_iam_user_group_membership",
                key=f"{item['UserName']}|{group}",
                region="global",
                cloud_id=f"{item['Arn']} group/{group}",
                attributes={},
            )


def read_groups(scope: Scope) -> Iterator[Finding]:
    """List groups with their policies and attachments."""
    for item in _details(scope, "Group", "GroupDetailList"):
        yield LiveResource(
            type="aws_iam_group",
            key=item["GroupName"],
            region="global",
            cloud_id=item["Arn"],
            attributes={"path": item["Path"]},
        )
        yield from _policies("group", item["GroupName"], item, "GroupPolicyList")


# --- managed policies and instance profiles ------------------------------------------------------------------------


def read_policies(scope: Scope) -> Iterator[Finding]:
    """List the account's own managed policies; their tags take a call each."""
    client = scope.client("iam")

    def one(item: Item) -> Iterable[Finding]:
        reply = attempt("iam", lambda: client.list_policy_tags(PolicyArn=item["Arn"]))
        yield from _with_tags("aws_iam_policy", item["Arn"], item["Arn"], _policy_attributes(item), reply)

    yield from each(_details(scope, "LocalManagedPolicy", "Policies"), one)


def _policy_attributes(item: Item) -> dict[str, object]:
    versions = item.get("PolicyVersionList") or ()
    document = next((version.get("Document") for version in versions if version.get("IsDefaultVersion")), None)
    return {"description": item.get("Description"), "policy": document}


def read_instance_profiles(scope: Scope) -> Iterator[Finding]:
    """List instance profiles; their tags take a call each."""
    client = scope.client("iam")

    def one(item: Item) -> Iterable[Finding]:
        name = item["InstanceProfileName"]
        reply = attempt(
            "iam", lambda: client.get_instance_profile(InstanceProfileName=name).get("InstanceProfile") or {}
        )
        roles = [role["RoleName"] for role in item.get("Roles") or ()]
        attributes: dict[str, object] = {
            "path": item["Path"],
            "role": roles[0] if roles else None,
        }  # AWS allows one role at most
        yield from _with_tags("aws_iam_instance_profile", name, item["Arn"], attributes, reply)

    yield from each(scope.pages("iam", "list_instance_profiles", "InstanceProfiles"), one)


def _with_tags(kind: str, key: str, arn: str, attributes: dict[str, object], reply: Item | Gap) -> Iterator[Finding]:
    if isinstance(reply, Gap):
        yield LiveResource(type=kind, key=key, region="global", cloud_id=arn, attributes=attributes)
        yield reply.unread(kind, key, "tags")
        return
    tags = tag_map(reply.get("Tags"))
    yield LiveResource(
        type=kind, key=key, region="global", cloud_id=arn, tags=tags, attributes={**attributes, "tags": tags}
    )


_DETAILS = "iam:GetAccountAuthorizationDetails"

SERVICE = Service(
    "iam",
    (
        Listing(
            types=(
                "aws_iam_role",
                "aws_iam_service_linked_role",
                "aws_iam_role_policy",
                "aws_iam_role_policy_attachment",
            ),
            read=read_roles,
            permissions=(_DETAILS, "iam:ListRoles"),
            is_global=True,
        ),
        Listing(
            types=(
                "aws_iam_user",
                "aws_iam_user_policy",
                "aws_iam_user_policy_attachment",
                "aws_iam_user_group_membership",
            ),
            read=read_users,
            permissions=(_DETAILS,),
            is_global=True,
        ),
        Listing(
            types=("aws_iam_group", "aws_iam_group_policy", "aws_iam_group_policy_attachment"),
            read=read_groups,
            permissions=(_DETAILS,),
            is_global=True,
        ),
        Listing(
            types=("aws_iam_policy",),
            read=read_policies,
            permissions=(_DETAILS, "iam:ListPolicyTags"),
            is_global=True,
        ),
        Listing(
            types=("aws_iam_instance_profile",),
            read=read_instance_profiles,
            permissions=("iam:ListInstanceProfiles", "iam:GetInstanceProfile"),
            is_global=True,
        ),
    ),
)
