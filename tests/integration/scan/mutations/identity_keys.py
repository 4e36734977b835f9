"""Changes to KMS keys, secrets and parameters."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from tests.support.aws_account import CREATED, Clients, Mutation

Apply = Callable[[Clients, dict[str, Any]], object]

_OPEN = json.dumps(
    {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": "*", "Action": "*", "Resource": "*"}]}
)


def call(service: str, operation: str, *names: str, **arguments: Any) -> Apply:
    """Make one call; `names` are `Argument=attribute` pairs filled from the target."""

    def apply(clients: Clients, target: dict[str, Any]) -> None:
        filled = {name: target[attribute] for name, attribute in (pair.split("=") for pair in names)}
        getattr(clients(service), operation)(**filled, **arguments)

    return apply


def changed(address: str, path: str, apply: Apply) -> Mutation:
    return Mutation(address, {("changed", address, path)}, apply)


def missing(address: str, apply: Apply) -> Mutation:
    return Mutation(address, {("missing", address, "")}, apply)


def _create_key(clients: Clients, _target: dict[str, Any]) -> str:
    return str(clients("kms").create_key(Description="extra")["KeyMetadata"]["KeyId"])


def _create_external_key(clients: Clients, _target: dict[str, Any]) -> str:
    return str(clients("kms").create_key(Description="extra", Origin="EXTERNAL")["KeyMetadata"]["KeyId"])


def _create_alias(clients: Clients, key: dict[str, Any]) -> str:
    clients("kms").create_alias(AliasName="alias/extra", TargetKeyId=key["key_id"])
    return "arn:aws:kms:us-east-1:123456789012:alias/extra"


def _turn_alias(clients: Clients, alias: dict[str, Any]) -> None:
    key = clients("kms").describe_key(KeyId="alias/second")["KeyMetadata"]["KeyId"]
    others = [item["KeyId"] for item in clients("kms").list_keys()["Keys"] if item["KeyId"] != key]
    clients("kms").update_alias(AliasName=alias["name"], TargetKeyId=others[0])


_EXTRA_TAG = [{"TagKey": "Extra", "TagValue": "1"}]

_KMS: tuple[Mutation, ...] = (
    changed("aws_kms_key.main", "description", call("kms", "update_key_description", "KeyId=id", Description="other")),
    changed("aws_kms_key.main", "enable_key_rotation", call("kms", "disable_key_rotation", "KeyId=id")),
    changed("aws_kms_key.main", "is_enabled", call("kms", "disable_key", "KeyId=id")),
    changed(
        "aws_kms_key.main",
        "policy.Statement",
        call(
            "kms",
            "put_key_policy",
            "KeyId=id",
            PolicyName="default",
            Policy=json.dumps({**json.loads(_OPEN), "Id": "main"}),
        ),
    ),
    changed("aws_kms_key.main", "tags.Extra", call("kms", "tag_resource", "KeyId=id", Tags=_EXTRA_TAG)),
    Mutation("", {("unmanaged", CREATED, "")}, _create_key, also=("aws_kms_key",)),
    missing("aws_kms_key.plain[0]", call("kms", "schedule_key_deletion", "KeyId=id", PendingWindowInDays=7)),
    changed(
        "aws_kms_external_key.imported",
        "description",
        call("kms", "update_key_description", "KeyId=id", Description="other"),
    ),
    changed(
        "aws_kms_external_key.imported",
        "policy.Statement",
        call(
            "kms",
            "put_key_policy",
            "KeyId=id",
            PolicyName="default",
            Policy=json.dumps({**json.loads(_OPEN), "Id": "key-default-1"}),
        ),
    ),
    changed("aws_kms_external_key.imported", "tags.Extra", call("kms", "tag_resource", "KeyId=id", Tags=_EXTRA_TAG)),
    changed("aws_kms_external_key.imported", "enabled", call("kms", "disable_key", "KeyId=id")),
    Mutation("", {("unmanaged", CREATED, "")}, _create_external_key, also=("aws_kms_external_key",)),
    missing("aws_kms_external_key.imported", call("kms", "schedule_key_deletion", "KeyId=id", PendingWindowInDays=7)),
    changed(
        "aws_kms_key_policy.split",
        "policy.Statement",
        call("kms", "put_key_policy", "KeyId=key_id", PolicyName="default", Policy=_OPEN),
    ),
    Mutation("aws_kms_key.main", {("unmanaged", CREATED, "")}, _create_alias, also=("aws_kms_alias",)),
    changed("aws_kms_alias.second", "target_key_id", _turn_alias),
    missing("aws_kms_alias.second", call("kms", "delete_alias", "AliasName=name")),
)


def _create_secret(clients: Clients, _target: dict[str, Any]) -> str:
    return str(clients("secretsmanager").create_secret(Name="extra")["ARN"])


def _rotate(clients: Clients, secret: dict[str, Any], function: str = "bare-b", days: int = 30) -> str:
    clients("secretsmanager").rotate_secret(
        SecretId=secret["arn"] if "arn" in secret else secret["secret_id"],
        RotationLambdaARN=f"arn:aws:lambda:us-east-1:123456789012:function:{function}",
        RotationRules={"AutomaticallyAfterDays": days},
        RotateImmediately=False,
    )
    return str(secret["id"])


def _rotate_undeclared(clients: Clients, secret: dict[str, Any]) -> str:
    clients("secretsmanager").put_secret_value(
        SecretId=secret["id"], SecretString="example-only"
    )  # moto cannot rotate a secret without one
    return _rotate(clients, secret)


_SECRET, _INLINE_SECRET = "aws_secretsmanager_secret.main", "aws_secretsmanager_secret.inline"

_SECRETS: tuple[Mutation, ...] = (
    changed(
        "aws_secretsmanager_secret_rotation.main",
        "rotation_rules.automatically_after_days",
        lambda clients, rotation: _rotate(clients, rotation, "main", 90),
    ),
    changed(
        "aws_secretsmanager_secret_rotation.main",
        "rotation_lambda_arn",
        lambda clients, rotation: _rotate(clients, rotation, "bare-b", 90),
    ),
    missing("aws_secretsmanager_secret_rotation.main", call("secretsmanager", "cancel_rotate_secret", "SecretId=id")),
    Mutation(
        _INLINE_SECRET, {("unmanaged", CREATED, "")}, _rotate_undeclared, also=("aws_secretsmanager_secret_rotation",)
    ),
    changed(_SECRET, "tags.Extra", call(
        "secretsmanager", "tag_resource", "SecretId=id", Tags=[{"Key": "Extra", "Value": "1"}]
    )),
    changed(
        _INLINE_SECRET,
        "policy.Statement",
        call("secretsmanager", "put_resource_policy", "SecretId=id", ResourcePolicy=_OPEN),
    ),
    changed(
        _SECRET,
        "replica",
        call("secretsmanager", "replicate_secret_to_regions", "SecretId=id", AddReplicaRegions=[{"Region": "eu-west-1"}]),
    ),
    changed(
        "aws_secretsmanager_secret_policy.main",
        "policy.Statement",
        call("secretsmanager", "put_resource_policy", "SecretId=secret_arn", ResourcePolicy=_OPEN),
    ),
    missing(
        "aws_secretsmanager_secret_policy.main",
        call("secretsmanager", "delete_resource_policy", "SecretId=secret_arn"),
    ),
    changed(
        _SECRET,
        "description",
        call("secretsmanager", "update_secret", "SecretId=id", "KmsKeyId=kms_key_id", Description="other"),
    ),
    changed(
        _SECRET,
        "kms_key_id",
        call("secretsmanager", "update_secret", "SecretId=id", Description="other", KmsKeyId="alias/other"),
    ),
    Mutation("", {("unmanaged", CREATED, "")}, _create_secret, also=("aws_secretsmanager_secret",)),
    missing(
        _INLINE_SECRET,
        call("secretsmanager", "delete_secret", "SecretId=id", ForceDeleteWithoutRecovery=True),
    ),
)  # fmt: skip

_PUT_MEMBERS = {
    "Type": "type",
    "Description": "description",
    "AllowedPattern": "allowed_pattern",
    "Tier": "tier",
    "DataType": "data_type",
}


def _put(**override: Any) -> Apply:
    """Write a parameter as it is in the state, except for one argument."""

    def apply(clients: Clients, target: dict[str, Any]) -> None:
        arguments = {name: target[attribute] for name, attribute in _PUT_MEMBERS.items() if target.get(attribute)}
        value = target.get("value") or target.get("insecure_value")
        if target["type"] == "SecureString":
            arguments["KeyId"] = target["key_id"]
        clients("ssm").put_parameter(
            **{"Name": target["name"], "Value": value, **arguments, **override}, Overwrite=True
        )

    return apply


def _create_parameter(clients: Clients, _target: dict[str, Any]) -> str:
    clients("ssm").put_parameter(Name="/extra", Value="1", Type="String")
    return "arn:aws:ssm:us-east-1:123456789012:parameter/extra"


_PLAIN, _SECURE = "aws_ssm_parameter.plain", "aws_ssm_parameter.secure"

_PARAMETERS: tuple[Mutation, ...] = (
    changed("aws_ssm_parameter.insecure", "insecure_value", _put(Value="other")),
    changed(_SECURE, "version", _put(Value="other")),
    changed(_PLAIN, "value", _put(Value="other")),
    changed(_PLAIN, "description", _put(Value="other", Description="other")),
    changed(_PLAIN, "allowed_pattern", _put(Value="other", Description="other", AllowedPattern="^[a-z]*$")),
    changed(_PLAIN, "tier", _put(Value="other", Description="other", AllowedPattern="^[a-z]*$", Tier="Advanced")),
    changed(
        _PLAIN,
        "tags.Extra",
        call(
            "ssm",
            "add_tags_to_resource",
            "ResourceId=name",
            ResourceType="Parameter",
            Tags=[{"Key": "Extra", "Value": "1"}],
        ),
    ),
    changed("aws_ssm_parameter.list", "type", _put(Type="String")),
    changed("aws_ssm_parameter.list", "data_type", _put(Type="String", DataType="aws:ec2:image")),
    Mutation(
        _SECURE,
        {("changed", _SECURE, "key_id"), ("changed", _SECURE, "version")},  # every write counts the version up
        _put(Value="other", KeyId="alias/other"),
    ),
    Mutation("", {("unmanaged", CREATED, "")}, _create_parameter, also=("aws_ssm_parameter",)),
    missing(_SECURE, call("ssm", "delete_parameter", "Name=name")),
)

MUTATIONS: tuple[Mutation, ...] = (*_SECRETS, *_PARAMETERS, *_KMS)

_ALWAYS_THERE = "every key has a policy, so it can only change"

EXCEPTIONS: dict[str, str] = {
    "aws_kms_key.rotation_period_in_days": "moto does not report it",
    "aws_kms_key.key_usage": "fixed at creation",
    "aws_kms_key.customer_master_key_spec": "fixed at creation",
    "aws_kms_key.multi_region": "fixed at creation",
    "aws_kms_external_key.multi_region": "fixed at creation",
    "aws_kms_replica_key.*": "needs a second region",
    "aws_kms_key_policy.missing": _ALWAYS_THERE,
    "aws_kms_key_policy.unmanaged": _ALWAYS_THERE,
    "aws_secretsmanager_secret_policy.unmanaged": "an undeclared policy shows as a change of its secret",
}
