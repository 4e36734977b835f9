"""Cognito, SES, Organizations and the settings of the ECR registry.

Source: Terraform AWS provider 5.100, resource documentation of each type.
"""

from __future__ import annotations

from ...domain.shapes import (
    block,
    boolean,
    default_is,
    keyed,
    list_of,
    members,
    number_or_zero,
    policy,
    set_of,
    string_map,
    tags,
    text,
)
from ...domain.specs import TypeSpec, by, unless_arn

_PASSWORDS = {
    "minimum_length": number_or_zero,
    "password_history_size": number_or_zero,
    "require_lowercase": boolean,
    "require_numbers": boolean,
    "require_symbols": boolean,
    "require_uppercase": boolean,
    "temporary_password_validity_days": number_or_zero,
}
_TRIGGERS = (
    "create_auth_challenge", "custom_message", "define_auth_challenge", "kms_key_id", "post_authentication", "post_confirmation",
    "pre_authentication", "pre_sign_up", "pre_token_generation", "user_migration", "verify_auth_challenge_response",
)  # fmt: skip
_POOL = {
    "account_recovery_setting": block({"recovery_mechanism": keyed("name", {"priority": number_or_zero})}),
    "admin_create_user_config": block({"allow_admin_create_user_only": boolean}),
    "alias_attributes": set_of(text),
    "auto_verified_attributes": set_of(text),
    "deletion_protection": default_is("INACTIVE", text),
    "email_configuration": block(
        {
            "configuration_set": text,
            "email_sending_account": default_is("COGNITO_DEFAULT", text),
            "from_email_address": text,
            "reply_to_email_address": text,
            "source_arn": text,
        }
    ),
    "lambda_config": block(dict.fromkeys(_TRIGGERS, text)),
    "mfa_configuration": default_is("OFF", text),
    "password_policy": block(_PASSWORDS),
    "tags": tags,
    "username_attributes": set_of(text),
    "username_configuration": block({"case_sensitive": boolean}),
}


SPECS = (
    TypeSpec("aws_cognito_user_pool", _POOL, key=by("arn")),
    TypeSpec(
        "aws_cognito_user_pool_client",
        {
            "access_token_validity": number_or_zero,
            "allowed_oauth_flows": set_of(text),
            "allowed_oauth_flows_user_pool_client": boolean,
            "allowed_oauth_scopes": set_of(text),
            "callback_urls": set_of(text),
            "default_redirect_uri": text,
            "enable_token_revocation": boolean,
            "explicit_auth_flows": set_of(text),
            "id_token_validity": number_or_zero,
            "logout_urls": set_of(text),
            "name": text,
            "prevent_user_existence_errors": text,
            "read_attributes": set_of(text),
            "refresh_token_validity": number_or_zero,
            "supported_identity_providers": set_of(text),
            "write_attributes": set_of(text),
        },
    ),
    TypeSpec(
        "aws_cognito_user_group",
        {"description": text, "precedence": number_or_zero, "role_arn": text},
        key=by("user_pool_id", "name"),
    ),
    TypeSpec(
        "aws_cognito_resource_server",
        {"name": text, "scope": keyed("scope_name", {"scope_description": text})},
        key=by("user_pool_id", "identifier"),
    ),
    TypeSpec(
        "aws_cognito_identity_provider",
        {
            "attribute_mapping": string_map,
            "idp_identifiers": list_of(text),
            "provider_details": string_map,
            "provider_type": text,
        },
        key=by("user_pool_id", "provider_name"),
        sensitive=frozenset({"provider_details"}),  # the client's secret is one of them
    ),
    TypeSpec(
        "aws_cognito_identity_pool",
        {
            "allow_classic_flow": boolean,
            "allow_unauthenticated_identities": boolean,
            "cognito_identity_providers": set_of(
                members({"client_id": text, "provider_name": text, "server_side_token_check": boolean})
            ),
            "developer_provider_name": text,
            "identity_pool_name": text,
            "openid_connect_provider_arns": set_of(text),
            "saml_provider_arns": list_of(text),
            "supported_login_providers": string_map,
            "tags": tags,
        },
        key=by("arn"),
    ),
    TypeSpec("aws_ses_email_identity", {}, key=by("arn")),
    TypeSpec("aws_ses_domain_identity", {}, key=by("arn")),
    TypeSpec(
        "aws_ses_configuration_set",
        {"reputation_metrics_enabled": boolean, "sending_enabled": boolean},
        key=by("arn"),
    ),
    TypeSpec("aws_ses_template", {"html": text, "subject": text, "text": text}, key=by("arn")),
    TypeSpec(
        "aws_organizations_organization",
        {"aws_service_access_principals": set_of(text), "enabled_policy_types": set_of(text), "feature_set": text},
        is_global=True,
    ),
    TypeSpec("aws_organizations_organizational_unit", {"name": text, "parent_id": text, "tags": tags}, is_global=True),
    TypeSpec(
        "aws_organizations_policy",
        {"content": policy, "description": text, "name": text, "tags": tags, "type": text},
        is_global=True,
    ),
    TypeSpec("aws_organizations_policy_attachment", {}, key=by("target_id", "policy_id"), is_global=True),
    TypeSpec("aws_ecr_registry_policy", {"policy": policy}, key=by("registry_id"), repeats=unless_arn),
    TypeSpec(
        "aws_ecr_registry_scanning_configuration",
        {
            "rule": set_of(
                members(
                    {
                        "repository_filter": set_of(members({"filter": text, "filter_type": text})),
                        "scan_frequency": text,
                    }
                )
            ),
            "scan_type": default_is("BASIC", text),
        },
        key=by("registry_id"), repeats=unless_arn,
    ),
    TypeSpec(
        "aws_ecr_replication_configuration",
        {
            "replication_configuration": block(
                {
                    "rule": list_of(
                        members(
                            {
                                "destination": list_of(members({"region": text, "registry_id": text})),
                                "repository_filter": list_of(members({"filter": text, "filter_type": text})),
                            }
                        )
                    )
                }
            )
        },
        key=by("registry_id"), repeats=unless_arn,
    ),
)  # fmt: skip
