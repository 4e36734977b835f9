"""Changes to Cognito, SES, Organizations and the ECR registry."""

from __future__ import annotations

import json
from typing import Any

from tests.support.aws_account import Clients, Mutation

from ._again import again, fixed, unchanged_by_moto
from .calls import Apply, call, changed, create, missing, unmanaged

_POOL = "aws_cognito_user_pool.main"
_CLIENT = "aws_cognito_user_pool_client.main"
_GROUP = "aws_cognito_user_group.main"
_PROVIDER = "aws_cognito_identity_provider.main"
_IDENTITIES = "aws_cognito_identity_pool.main"
_OTHER = "arn:aws:iam::123456789012:role/other"
_TAG = [{"Key": "Extra", "Value": "1"}]
_PASSWORDS = {
    "MinimumLength": 12, "RequireLowercase": True, "RequireNumbers": True, "RequireSymbols": True, "RequireUppercase": True,
    "TemporaryPasswordValidityDays": 3,
}  # fmt: skip


def pool(**changes: Any) -> Apply:
    """Update the target pool: what is not sent again falls back to its default."""
    base = {
        "DeletionProtection": "ACTIVE", "MfaConfiguration": "OFF", "AutoVerifiedAttributes": ["email"], "UserPoolTags": {"Team": "shop"},
        "Policies": {"PasswordPolicy": _PASSWORDS}, "AdminCreateUserConfig": {"AllowAdminCreateUserOnly": True},
    }  # fmt: skip
    return call("cognito-idp", "update_user_pool", "UserPoolId=id", **{**base, **changes})


def client(**changes: Any) -> Apply:
    """Update the target client."""
    return call("cognito-idp", "update_user_pool_client", "UserPoolId=user_pool_id", "ClientId=id", **changes)


def _pool_of(clients: Clients) -> str:
    return str(clients("cognito-idp").list_user_pools(MaxResults=10)["UserPools"][0]["Id"])


def _new_client(clients: Clients, _target: dict[str, Any]) -> str:
    reply = clients("cognito-idp").create_user_pool_client(UserPoolId=_pool_of(clients), ClientName="extra")
    return str(reply["UserPoolClient"]["ClientId"])


def _new_group(clients: Clients, _target: dict[str, Any]) -> str:
    identifier = _pool_of(clients)
    clients("cognito-idp").create_group(UserPoolId=identifier, GroupName="extra")
    return f"{identifier}|extra"


def _new_server(clients: Clients, _target: dict[str, Any]) -> str:
    identifier = _pool_of(clients)
    clients("cognito-idp").create_resource_server(UserPoolId=identifier, Identifier="https://extra", Name="extra")
    return f"{identifier}|https://extra"


def _new_provider(clients: Clients, _target: dict[str, Any]) -> str:
    identifier = _pool_of(clients)
    clients("cognito-idp").create_identity_provider(
        UserPoolId=identifier, ProviderName="Extra", ProviderType="OIDC", ProviderDetails={"client_id": "x"}
    )
    return f"{identifier}|Extra"


def group(**changes: Any) -> Apply:
    """Update the target group."""
    return call("cognito-idp", "update_group", "UserPoolId=user_pool_id", "GroupName=name", **changes)


def provider(**changes: Any) -> Apply:
    """Update the target identity provider."""
    return call(
        "cognito-idp", "update_identity_provider", "UserPoolId=user_pool_id", "ProviderName=provider_name", **changes
    )


_USERS: tuple[Mutation, ...] = (
    Mutation(  # with its first update moto forgets the attributes that are names
        _POOL,
        {("changed", _POOL, "deletion_protection"), ("changed", _POOL, "username_attributes")},
        pool(DeletionProtection="INACTIVE"),
    ),
    changed(_POOL, "password_policy.minimum_length", pool(Policies={"PasswordPolicy": {**_PASSWORDS, "MinimumLength": 6}})),
    changed(_POOL, "admin_create_user_config", pool(AdminCreateUserConfig={"AllowAdminCreateUserOnly": False})),
    changed(_POOL, "auto_verified_attributes", pool(AutoVerifiedAttributes=["email", "phone_number"])),
    changed(_POOL, "lambda_config", pool(LambdaConfig={"PreSignUp": "arn:aws:lambda:us-east-1:123456789012:function:x"})),
    changed(_POOL, "mfa_configuration", pool(MfaConfiguration="OPTIONAL")),
    changed(_POOL, "tags.Extra", pool(UserPoolTags={"Team": "shop", "Extra": "1"})),
    changed(
        _POOL, "account_recovery_setting", pool(AccountRecoverySetting={"RecoveryMechanisms": [{"Name": "admin_only", "Priority": 1}]})
    ),
    changed(_POOL, "email_configuration", pool(EmailConfiguration={"EmailSendingAccount": "COGNITO_DEFAULT", "ReplyToEmailAddress": "x@example.com"})),
    changed(_CLIENT, "name", client(ClientName="other")),
    changed(_CLIENT, "callback_urls", client(CallbackURLs=["https://evil.example.com/"])),
    changed(_CLIENT, "logout_urls", client(LogoutURLs=["https://evil.example.com/"])),
    changed(_CLIENT, "explicit_auth_flows", client(ExplicitAuthFlows=["ALLOW_USER_PASSWORD_AUTH"])),
    changed(_CLIENT, "allowed_oauth_flows", client(AllowedOAuthFlows=["implicit"])),
    changed(_CLIENT, "allowed_oauth_scopes", client(AllowedOAuthScopes=["openid", "email", "profile"])),
    changed(_CLIENT, "allowed_oauth_flows_user_pool_client", client(AllowedOAuthFlowsUserPoolClient=False)),
    changed(_CLIENT, "supported_identity_providers", client(SupportedIdentityProviders=["COGNITO", "Example"])),
    changed(_CLIENT, "prevent_user_existence_errors", client(PreventUserExistenceErrors="LEGACY")),
    changed(_CLIENT, "refresh_token_validity", client(RefreshTokenValidity=365)),
    changed(_CLIENT, "access_token_validity", client(AccessTokenValidity=24)),
    changed(_CLIENT, "id_token_validity", client(IdTokenValidity=24)),
    changed(_CLIENT, "enable_token_revocation", client(EnableTokenRevocation=False)),
    changed(_CLIENT, "default_redirect_uri", client(DefaultRedirectURI="https://evil.example.com/")),
    changed(_CLIENT, "read_attributes", client(ReadAttributes=["email"])),
    changed(_CLIENT, "write_attributes", client(WriteAttributes=["email"])),
    unmanaged("aws_cognito_user_pool_client", _new_client),
    missing(_CLIENT, call("cognito-idp", "delete_user_pool_client", "UserPoolId=user_pool_id", "ClientId=id")),
    changed(_GROUP, "description", group(Description="Other", Precedence=10, RoleArn="arn:aws:iam::123456789012:role/service")),
    changed(_GROUP, "precedence", group(Description="Other", Precedence=1, RoleArn="arn:aws:iam::123456789012:role/service")),
    changed(_GROUP, "role_arn", group(Description="Other", Precedence=1, RoleArn=_OTHER)),
    unmanaged("aws_cognito_user_group", _new_group),
    missing(_GROUP, call("cognito-idp", "delete_group", "UserPoolId=user_pool_id", "GroupName=name")),
    unmanaged("aws_cognito_resource_server", _new_server),
    changed(_PROVIDER, "provider_details", provider(ProviderDetails={"client_id": "shop", "client_secret": "another-one"})),
    changed(_PROVIDER, "attribute_mapping.username", provider(AttributeMapping={"username": "email"})),
    changed(_PROVIDER, "idp_identifiers", provider(IdpIdentifiers=["example"])),
    unmanaged("aws_cognito_identity_provider", _new_provider),
    missing(
        _PROVIDER, call("cognito-idp", "delete_identity_provider", "UserPoolId=user_pool_id", "ProviderName=provider_name")
    ),
    unmanaged("aws_cognito_user_pool", create("cognito-idp", "create_user_pool", "UserPool.Arn", PoolName="extra")),
    Mutation(
        _POOL,
        {("missing", _POOL, ""), ("missing", "aws_cognito_resource_server.main", "")},
        call("cognito-idp", "delete_user_pool", "UserPoolId=id"),
    ),
)  # fmt: skip


def identities(**changes: Any) -> Apply:
    """Update the target identity pool."""
    base = {
        "IdentityPoolName": "customers", "AllowUnauthenticatedIdentities": False, "AllowClassicFlow": False,
        "IdentityPoolTags": {"Team": "shop"},
    }  # fmt: skip
    return call("cognito-identity", "update_identity_pool", "IdentityPoolId=id", **{**base, **changes})


_POOLS: tuple[Mutation, ...] = (
    changed(_IDENTITIES, "allow_unauthenticated_identities", identities(AllowUnauthenticatedIdentities=True)),
    changed(_IDENTITIES, "developer_provider_name", identities(DeveloperProviderName="login")),
    changed(_IDENTITIES, "supported_login_providers", identities(SupportedLoginProviders={"accounts.google.com": "x"})),
    changed(_IDENTITIES, "openid_connect_provider_arns", identities(OpenIdConnectProviderARNs=["arn:aws:iam::123456789012:oidc-provider/x.example"])),
    changed(_IDENTITIES, "saml_provider_arns", identities(SamlProviderARNs=["arn:aws:iam::123456789012:saml-provider/x"])),
    changed(_IDENTITIES, "cognito_identity_providers", identities(CognitoIdentityProviders=[{"ProviderName": "cognito-idp.us-east-1.amazonaws.com/x", "ClientId": "y"}])),
    changed(_IDENTITIES, "tags.Extra", identities(IdentityPoolTags={"Team": "shop", "Extra": "1"})),
    unmanaged(
        "aws_cognito_identity_pool",
        lambda clients, _target: "arn:aws:cognito-identity:us-east-1:123456789012:identitypool/" + clients("cognito-identity").create_identity_pool(
            IdentityPoolName="extra", AllowUnauthenticatedIdentities=True
        )["IdentityPoolId"],
    ),
    missing(_IDENTITIES, call("cognito-identity", "delete_identity_pool", "IdentityPoolId=id")),
)  # fmt: skip

_SES = "arn:aws:ses:us-east-1:123456789012"
_template = again(
    "ses", ("delete_template", {"TemplateName": "welcome"}), "create_template", {}, "aws_ses_template.main"
)


def _written(path: str, **changes: str) -> Mutation:
    base = {"TemplateName": "welcome", "SubjectPart": "Welcome", "HtmlPart": "<p>Welcome</p>", "TextPart": "Welcome"}
    return _template(path, Template={**base, **changes})


_MAIL: tuple[Mutation, ...] = (
    unmanaged("aws_ses_email_identity", call("ses", "verify_email_identity", EmailAddress="evil@example.net"), f"{_SES}:identity/evil@example.net"),
    missing("aws_ses_email_identity.main", call("ses", "delete_identity", "Identity=email")),
    unmanaged("aws_ses_domain_identity", call("ses", "verify_domain_identity", Domain="example.net"), f"{_SES}:identity/example.net"),
    missing("aws_ses_domain_identity.main", call("ses", "delete_identity", "Identity=domain")),
    unmanaged("aws_ses_configuration_set", call("ses", "create_configuration_set", ConfigurationSet={"Name": "extra"}), f"{_SES}:configuration-set/extra"),
    missing("aws_ses_configuration_set.main", call("ses", "delete_configuration_set", "ConfigurationSetName=name")),
    _written("subject", SubjectPart="Other"),
    _written("html", HtmlPart="<p>Other</p>"),
    _written("text", TextPart="Other"),
    unmanaged(
        "aws_ses_template",
        call("ses", "create_template", Template={"TemplateName": "extra", "SubjectPart": "x", "HtmlPart": "x", "TextPart": "x"}),
        f"{_SES}:template/extra",
    ),
    missing("aws_ses_template.main", call("ses", "delete_template", "TemplateName=name")),
)  # fmt: skip

_ORGANIZATION = "aws_organizations_organization.main"
_UNIT = "aws_organizations_organizational_unit.main"
_SCP = "aws_organizations_policy.main"
_OPEN = json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]})


def scp(**changes: Any) -> Apply:
    """Update the target policy."""
    return call("organizations", "update_policy", "PolicyId=id", **changes)


def _new_attachment(clients: Clients, target: dict[str, Any]) -> str:
    root = clients("organizations").list_roots()["Roots"][0]["Id"]
    clients("organizations").attach_policy(PolicyId=target["id"], TargetId=root)
    return f"{root}|{target['id']}"


def _new_unit(clients: Clients, _target: dict[str, Any]) -> str:
    root = clients("organizations").list_roots()["Roots"][0]["Id"]
    return str(
        clients("organizations").create_organizational_unit(ParentId=root, Name="extra")["OrganizationalUnit"]["Id"]
    )


def _org_tag(address: str) -> Mutation:
    return changed(address, "tags.Extra", call("organizations", "tag_resource", "ResourceId=id", Tags=_TAG))


_ACCOUNTS: tuple[Mutation, ...] = (
    changed(
        _ORGANIZATION,
        "aws_service_access_principals",
        call("organizations", "enable_aws_service_access", ServicePrincipal="config.amazonaws.com"),
    ),
    changed(
        _ORGANIZATION,
        "enabled_policy_types",
        lambda clients, _target: clients("organizations").enable_policy_type(
            RootId=clients("organizations").list_roots()["Roots"][0]["Id"], PolicyType="TAG_POLICY"
        ),
    ),
    changed(_UNIT, "name", call("organizations", "update_organizational_unit", "OrganizationalUnitId=id", Name="other")),
    _org_tag(_UNIT),
    unmanaged("aws_organizations_organizational_unit", _new_unit),
    changed(_SCP, "content.Statement", scp(Content=_OPEN)),
    changed(_SCP, "description", scp(Description="Other")),
    changed(_SCP, "name", scp(Name="other")),
    _org_tag(_SCP),
    Mutation(_SCP, {("unmanaged", "<created>", "")}, _new_attachment, also=("aws_organizations_policy_attachment",)),
    missing(
        "aws_organizations_policy_attachment.main",
        call("organizations", "detach_policy", "PolicyId=policy_id", "TargetId=target_id"),
    ),
    unmanaged(
        "aws_organizations_policy",
        create("organizations", "create_policy", "Policy.PolicySummary.Id", Name="extra", Description="x", Type="SERVICE_CONTROL_POLICY", Content=_OPEN),
    ),
)  # fmt: skip

_SCANNING = "aws_ecr_registry_scanning_configuration.main"
_RULES = [{"scanFrequency": "SCAN_ON_PUSH", "repositoryFilters": [{"filter": "*", "filterType": "WILDCARD"}]}]
_REGISTRY: tuple[Mutation, ...] = (
    changed(
        "aws_ecr_registry_policy.main",
        "policy.Statement",
        call(
            "ecr", "put_registry_policy",
            policyText=json.dumps({
                "Version": "2012-10-17",
                "Statement": [{"Sid": "Replicate", "Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::999999999999:root"}, "Action": ["ecr:ReplicateImage"], "Resource": ["arn:aws:ecr:us-east-1:123456789012:repository/*"]}],
            }),
        ),
    ),
    missing("aws_ecr_registry_policy.main", call("ecr", "delete_registry_policy")),
    changed(_SCANNING, "scan_type", call("ecr", "put_registry_scanning_configuration", scanType="ENHANCED", rules=_RULES)),
    changed(_SCANNING, "rule", call("ecr", "put_registry_scanning_configuration", scanType="ENHANCED", rules=[])),
    changed(
        "aws_ecr_replication_configuration.main",
        "replication_configuration.rule[0].destination[0].region",
        call("ecr", "put_replication_configuration", replicationConfiguration={"rules": [{"destinations": [{"region": "eu-west-1", "registryId": "123456789012"}]}]}),
    ),
    missing("aws_ecr_replication_configuration.main", call("ecr", "put_replication_configuration", replicationConfiguration={"rules": []})),
)  # fmt: skip

MUTATIONS = (*_USERS, *_POOLS, *_MAIL, *_ACCOUNTS, *_REGISTRY)

_ONE = "an account has one in a region, and it is declared"
EXCEPTIONS: dict[str, str] = {
    **fixed("aws_cognito_user_pool", "alias_attributes", "username_configuration"),
    **unchanged_by_moto("aws_cognito_resource_server", "name", "scope"),
    **fixed("aws_cognito_identity_provider", "provider_type"),
    **unchanged_by_moto("aws_cognito_identity_pool", "allow_classic_flow", "identity_pool_name"),
    **unchanged_by_moto("aws_ses_configuration_set", "reputation_metrics_enabled", "sending_enabled"),
    **fixed("aws_organizations_organizational_unit", "parent_id"),
    **fixed("aws_organizations_policy", "type"),
    "aws_organizations_organization.feature_set": "moto has no other",
    "aws_organizations_organization.unmanaged": "an account is in one organisation, and it is declared",
    "aws_organizations_organization.missing": "moto keeps an organisation with policies",
    "aws_organizations_organizational_unit.missing": "moto keeps a unit with policies",
    "aws_organizations_policy.missing": "moto keeps a policy that is attached",
    "aws_ecr_registry_policy.unmanaged": _ONE,
    "aws_ecr_registry_scanning_configuration.missing": "every registry has one",
    "aws_ecr_registry_scanning_configuration.unmanaged": _ONE,
    "aws_ecr_replication_configuration.unmanaged": _ONE,
}
