"""Reads Cognito user pools with what hangs on them, and identity pools.

Source: Amazon Cognito user pools and identity pools API References, the actions named in each listing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from functools import partial
from typing import Any

from ...domain.resources import LiveResource
from .base import Finding, Gap, Item, Listing, Scope, Service, attempt, each
from .forms import blocks, in_snake

_GONE = "ResourceNotFoundException"
_API = "cognito-idp"
_POOL = ("AliasAttributes", "AutoVerifiedAttributes", "DeletionProtection", "MfaConfiguration", "UsernameAttributes")
_CLIENT = (
    "AccessTokenValidity", "AllowedOAuthFlowsUserPoolClient", "DefaultRedirectURI", "EnableTokenRevocation",
    "ExplicitAuthFlows", "IdTokenValidity", "PreventUserExistenceErrors", "ReadAttributes", "RefreshTokenValidity",
    "SupportedIdentityProviders", "WriteAttributes",
)  # fmt: skip
_EMAIL = {
    "configuration_set": "ConfigurationSet",
    "email_sending_account": "EmailSendingAccount",
    "from_email_address": "From",
    "reply_to_email_address": "ReplyToEmailAddress",
    "source_arn": "SourceArn",
}


def _pools(scope: Scope) -> Iterator[Item]:
    return scope.pages(_API, "list_user_pools", "UserPools", MaxResults=60)


def read_pools(scope: Scope) -> Iterator[Finding]:
    """List user pools; each takes a call."""
    client, kind = scope.client(_API), "aws_cognito_user_pool"

    def one(item: Item) -> Iterator[Finding]:
        reply = attempt(_API, lambda: client.describe_user_pool(UserPoolId=item["Id"]), _GONE)
        if isinstance(reply, Gap):
            yield reply.unread(kind, scope.arn(_API, f"userpool/{item['Id']}"))
        elif reply:
            found = reply["UserPool"]
            arn, tags = found.get("Arn") or scope.arn(_API, f"userpool/{item['Id']}"), found.get("UserPoolTags") or {}
            yield LiveResource(kind, arn, scope.region, {**_pool(found), "tags": tags}, arn, tags=tags)

    yield from each(_pools(scope), one)


def _pool(found: Item) -> dict[str, object]:
    email = found.get("EmailConfiguration") or {}
    creation = found.get("AdminCreateUserConfig") or {}
    recovery = (found.get("AccountRecoverySetting") or {}).get("RecoveryMechanisms")
    triggers = {name: value for name, value in (found.get("LambdaConfig") or {}).items() if isinstance(value, str)}
    return {
        **in_snake(found, *_POOL),
        "account_recovery_setting": [{"recovery_mechanism": blocks(recovery)}] if recovery else [],
        "admin_create_user_config": [in_snake(creation, "AllowAdminCreateUserOnly")],
        "email_configuration": [{name: email.get(member) for name, member in _EMAIL.items()}],
        "lambda_config": blocks({name.replace("KMSKeyID", "KmsKeyId"): value for name, value in triggers.items()}),
        "password_policy": blocks((found.get("Policies") or {}).get("PasswordPolicy")),
        "username_configuration": blocks(found.get("UsernameConfiguration")),
    }


def _of_pools(scope: Scope, read: Callable[[Any, str], Iterable[Finding]]) -> Iterator[Finding]:
    client = scope.client(_API)
    yield from each(_pools(scope), lambda item: read(client, item["Id"]))


def read_clients(scope: Scope) -> Iterator[Finding]:
    """List the clients of all pools; each takes a call, whose answer holds a secret that is left where it is."""
    kind = "aws_cognito_user_pool_client"

    def read(client: Any, pool: str) -> Iterator[Finding]:
        for item in scope.pages(_API, "list_user_pool_clients", "UserPoolClients", UserPoolId=pool):
            key = item["ClientId"]
            reply = attempt(_API, partial(client.describe_user_pool_client, UserPoolId=pool, ClientId=key), _GONE)
            if isinstance(reply, Gap):
                yield reply.unread(kind, key)
            elif reply:
                found = reply["UserPoolClient"]
                attributes: dict[str, object] = {
                    **in_snake(found, *_CLIENT),
                    "allowed_oauth_flows": found.get("AllowedOAuthFlows"),
                    "allowed_oauth_flows_user_pool_client": found.get("AllowedOAuthFlowsUserPoolClient"),
                    "allowed_oauth_scopes": found.get("AllowedOAuthScopes"),
                    "callback_urls": found.get("CallbackURLs"),
                    "default_redirect_uri": found.get("DefaultRedirectURI"),
                    "logout_urls": found.get("LogoutURLs"),
                    "name": found.get("ClientName"),
                }
                yield LiveResource(kind, key, scope.region, attributes, f"{pool}/{key}")

    yield from _of_pools(scope, read)


def read_groups(scope: Scope) -> Iterator[Finding]:
    """List the groups of all pools."""

    def read(_client: Any, pool: str) -> Iterator[Finding]:
        for item in scope.pages(_API, "list_groups", "Groups", UserPoolId=pool):
            attributes = in_snake(item, "Description", "Precedence", "RoleArn")
            name = item["GroupName"]
            yield LiveResource("aws_cognito_user_group", f"{pool}|{name}", scope.region, attributes, f"{pool}/{name}")

    yield from _of_pools(scope, read)


def read_resource_servers(scope: Scope) -> Iterator[Finding]:
    """List the resource servers of all pools."""

    def read(_client: Any, pool: str) -> Iterator[Finding]:
        for item in scope.pages(_API, "list_resource_servers", "ResourceServers", UserPoolId=pool, MaxResults=50):
            name = item["Identifier"]
            attributes: dict[str, object] = {"name": item.get("Name"), "scope": blocks(item.get("Scopes") or [])}
            key = f"{pool}|{name}"
            yield LiveResource("aws_cognito_resource_server", key, scope.region, attributes, f"{pool}/{name}")

    yield from _of_pools(scope, read)


def read_providers(scope: Scope) -> Iterator[Finding]:
    """List the identity providers of all pools; each takes a call, whose details are stored as a digest."""
    kind = "aws_cognito_identity_provider"

    def read(client: Any, pool: str) -> Iterator[Finding]:
        for item in scope.pages(_API, "list_identity_providers", "Providers", UserPoolId=pool):
            name = item["ProviderName"]
            key = f"{pool}|{name}"
            reply = attempt(
                _API,
                partial(client.describe_identity_provider, UserPoolId=pool, ProviderName=name),
                _GONE,
            )
            if isinstance(reply, Gap):
                yield reply.unread(kind, key)
            elif reply:
                attributes = in_snake(
                    reply["IdentityProvider"], "AttributeMapping", "IdpIdentifiers", "ProviderDetails", "ProviderType"
                )
                yield LiveResource(kind, key, scope.region, attributes, f"{pool}/{name}")

    yield from _of_pools(scope, read)


def read_identity_pools(scope: Scope) -> Iterator[Finding]:
    """List identity pools; each takes a call."""
    client, kind = scope.client("cognito-identity"), "aws_cognito_identity_pool"

    def one(item: Item) -> Iterator[Finding]:
        identifier = item["IdentityPoolId"]
        arn = scope.arn("cognito-identity", f"identitypool/{identifier}")
        found = attempt("cognito-identity", lambda: client.describe_identity_pool(IdentityPoolId=identifier), _GONE)
        if isinstance(found, Gap):
            yield found.unread(kind, arn)
        elif found:
            tags = found.get("IdentityPoolTags") or {}
            attributes: dict[str, object] = {
                **in_snake(
                    found,
                    "AllowClassicFlow",
                    "AllowUnauthenticatedIdentities",
                    "DeveloperProviderName",
                    "IdentityPoolName",
                ),
                "cognito_identity_providers": blocks(found.get("CognitoIdentityProviders") or []),
                "openid_connect_provider_arns": found.get("OpenIdConnectProviderARNs"),
                "saml_provider_arns": found.get("SamlProviderARNs"),
                "supported_login_providers": found.get("SupportedLoginProviders"),
                "tags": tags,
            }
            yield LiveResource(kind, arn, scope.region, attributes, arn, tags=tags)

    yield from each(scope.pages("cognito-identity", "list_identity_pools", "IdentityPools", MaxResults=60), one)


SERVICE = Service(
    "cognito",
    (
        Listing(("aws_cognito_user_pool",), read_pools, ("cognito-idp:ListUserPools", "cognito-idp:DescribeUserPool")),
        Listing(
            ("aws_cognito_user_pool_client",),
            read_clients,
            ("cognito-idp:ListUserPools", "cognito-idp:ListUserPoolClients", "cognito-idp:DescribeUserPoolClient"),
        ),
        Listing(("aws_cognito_user_group",), read_groups, ("cognito-idp:ListUserPools", "cognito-idp:ListGroups")),
        Listing(
            ("aws_cognito_resource_server",),
            read_resource_servers,
            ("cognito-idp:ListUserPools", "cognito-idp:ListResourceServers"),
        ),
        Listing(
            ("aws_cognito_identity_provider",),
            read_providers,
            ("cognito-idp:ListUserPools", "cognito-idp:ListIdentityProviders", "cognito-idp:DescribeIdentityProvider"),
        ),
        Listing(
            ("aws_cognito_identity_pool",),
            read_identity_pools,
            ("cognito-identity:ListIdentityPools", "cognito-identity:DescribeIdentityPool"),
        ),
    ),
)
