"""IAM roles, users, groups, policies and who belongs to what.

Attachments and memberships are compared one by one: a list in a state stands for its members.
Source: Terraform AWS provider 5.100, resource documentation of each type; AWS IAM API Reference.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

from ...domain.resources import Attributes, Declared, Parent
from ...domain.shapes import Canonical, default_is, members, number, policy, set_of, tags, text
from ...domain.specs import ParentRule, TypeSpec, by


def inline_policies(value: object) -> Canonical:
    """Inline policies of a role; the empty block that says "none, and remove what others add" is none."""
    items = value if isinstance(value, list) else []
    return _INLINE_POLICIES([item for item in items if isinstance(item, dict) and item.get("name")])


_INLINE_POLICIES = set_of(members({"name": text, "policy": policy}))


def _belongs_to(principal: str, attribute: str) -> ParentRule:
    def parent(attributes: Attributes) -> Parent | None:
        name = attributes.get(principal)
        return Parent(f"aws_iam_{principal}", str(name), attribute) if name else None

    return parent


def expand_policy_attachment(entry: Declared) -> Iterator[Declared]:
    """Turn one `aws_iam_policy_attachment` into the attachment of each of its roles, users and groups."""
    arn = entry.attributes.get("policy_arn")
    for principal in ("role", "user", "group"):
        for name in _names(entry.attributes.get(f"{principal}s")):
            yield replace(
                entry,
                type=f"aws_iam_{principal}_policy_attachment",
                key=f"{name}|{arn}",
                attributes={principal: name, "policy_arn": arn},
                parent=Parent(f"aws_iam_{principal}", name, "managed_policy_arns"),
            )


def expand_group_membership(entry: Declared) -> Iterator[Declared]:
    """Turn one `aws_iam_group_membership` into a membership of each user."""
    group = str(entry.attributes.get("group"))
    return (_membership(entry, user, group) for user in _names(entry.attributes.get("users")))


def expand_user_group_membership(entry: Declared) -> Iterator[Declared]:
    """Turn one `aws_iam_user_group_membership` into a membership in each group."""
    user = str(entry.attributes.get("user"))
    return (_membership(entry, user, group) for group in _names(entry.attributes.get("groups")))


def _membership(entry: Declared, user: str, group: str) -> Declared:
    return replace(
        entry,
        type="aws_iam_user_group_membership",
        key=f"{user}|{group}",
        attributes={"user": user, "group": group},
    )


def _names(value: object) -> Iterable[str]:
    return [str(name) for name in value] if isinstance(value, list) else []


def _principal_specs(principal: str) -> tuple[TypeSpec, TypeSpec]:
    """Make the specs of a principal's inline policies and attachments."""
    return (
        TypeSpec(
            f"aws_iam_{principal}_policy",
            {"policy": policy},
            parent=_belongs_to(principal, "inline_policy"),
        ),
        TypeSpec(
            f"aws_iam_{principal}_policy_attachment",
            {},
            key=by(principal, "policy_arn"),
            parent=_belongs_to(principal, "managed_policy_arns"),
        ),
    )


SPECS = (
    TypeSpec(
        "aws_iam_role",
        {
            "path": text,
            "description": text,
            "assume_role_policy": policy,
            "max_session_duration": default_is(3600, number),
            "permissions_boundary": text,
            "managed_policy_arns": set_of(text),
            "inline_policy": inline_policies,
            "tags": tags,
        },
        inline={
            "managed_policy_arns": ("aws_iam_role_policy_attachment",),
            "inline_policy": ("aws_iam_role_policy",),
        },
    ),
    TypeSpec("aws_iam_service_linked_role", {"description": text, "tags": tags}),
    TypeSpec("aws_iam_policy", {"description": text, "policy": policy, "tags": tags}),
    TypeSpec("aws_iam_user", {"path": text, "permissions_boundary": text, "tags": tags}),
    TypeSpec("aws_iam_group", {"path": text}),
    TypeSpec("aws_iam_instance_profile", {"path": text, "role": text, "tags": tags}),
    *_principal_specs("role"),
    *_principal_specs("user"),
    *_principal_specs("group"),
    TypeSpec("aws_iam_policy_attachment", {}, expand=expand_policy_attachment),
    TypeSpec("aws_iam_group_membership", {}, expand=expand_group_membership),
    TypeSpec(
        "aws_iam_user_group_membership",
        {},
        key=by("user", "groups"),
        expand=expand_user_group_membership,
    ),
)
