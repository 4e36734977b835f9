"""Public access: what becomes readable or reachable by anybody, other than by network rules."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Any

from ..google_iam import grants
from ..networks import network_of
from ..plan import Change, Plan
from ..rule import Match, Rule, seen
from ..switches import gone, not_word, off, on, rule_of, switch, word
from ..values import at, first, is_mark, raw
from .resource_policies import RULES as POLICY_RULES

_switch = partial(switch, flag="public-access", family="access")
_PUBLIC = "It gets a public address"
_NET = "Access from public networks is switched on"
_ALL_USERS = ("AllUsers", "AuthenticatedUsers")


def _is_world(value: Any) -> bool:
    network = network_of(value)
    return network is not None and network.prefixlen <= 1


def _grants_all(value: Any) -> bool:
    return isinstance(value, str) and value.rsplit("/", 1)[-1] in _ALL_USERS


def _cluster_endpoint(change: Change, plan: Plan) -> Iterator[Match]:
    """An EKS endpoint is open when it is public and its networks are the world (which is what an empty list means)."""

    def is_open(document: object) -> bool:
        if first(document, "vpc_config.endpoint_public_access") is not True:
            return False
        cidrs = [(where, value) for where, value in at(document, "vpc_config.public_access_cidrs") if value is not None]
        marks = [where for where, value in cidrs if is_mark(value)]
        if marks:  # the provider fills in the world where the configuration names no networks
            return document is change.after and not any(plan.configured_at(change, where) for where in marks)
        return not cidrs or any(_is_world(value) for _, value in cidrs)

    if change.after is None or raw(change.after, "vpc_config") is None or not is_open(change.after):
        return
    evidence = (seen("vpc_config", raw(change.before, "vpc_config"), raw(change.after, "vpc_config")),)
    if change.before is None or not is_open(change.before):
        yield Match(evidence)
    else:
        yield Match(evidence, "low", "It is so already; this change keeps it.")


def _everybody(change: Change, _plan: Plan) -> Iterator[Match]:
    everybody = {"allUsers", "allAuthenticatedUsers"}
    was = {grant for grant in grants(change.before) if grant[1] in everybody}
    will = {grant for grant in grants(change.after) if grant[1] in everybody}
    paths = [name for name in ("member", "members", "policy_data") if raw(change.after, name) is not None]
    evidence = tuple(seen(name, raw(change.before, name), raw(change.after, name)) for name in (*paths, "role"))
    if new := sorted(will - was):
        is_invoker = all("invoker" in role.lower() for role, _ in new)
        yield Match(evidence, "high" if is_invoker else "critical", f"{new[0][1]} gets {new[0][0]}.")
    elif will and change.before is not None:
        yield Match(evidence, "low", "It is so already; this change keeps it.")


def _function_permission(change: Change, _plan: Plan) -> Iterator[Match]:
    """A Lambda permission for everybody without a source."""

    def is_open(document: object) -> bool:
        narrowing = ("source_arn", "source_account", "principal_org_id")
        return first(document, "principal") == "*" and not any(first(document, name) for name in narrowing)

    if change.after is not None and is_open(change.after) and not is_open(change.before):
        yield Match((seen("principal", first(change.before, "principal"), first(change.after, "principal")),))


_MORE: tuple[Rule, ...] = (
    _switch("aws-anonymous-identities", severity="high", title="Anybody gets credentials without signing in", types=("aws_cognito_identity_pool",),
            path="allow_unauthenticated_identities", bad=on, on_create="medium"),
    _switch("aws-publicly-accessible", severity="high", title=_PUBLIC, types=("aws_db_instance", "aws_rds_cluster_instance", "aws_redshift_cluster", "aws_dms_replication_instance", "aws_mq_broker", "aws_neptune_cluster_instance", "aws_redshiftserverless_workgroup"), path="publicly_accessible", bad=on, on_create="high", refs=("CKV_AWS_17", "CKV_AWS_87", "CKV_AWS_89", "CKV_AWS_69")),
    *(_switch(f"aws-bucket-{name.replace('_', '-')}", severity="high", title="The block on public access is lifted", types=("aws_s3_bucket_public_access_block", "aws_s3_account_public_access_block"), path=name, bad=off, absent=True, on_create="medium", refs=(check,))
      for name, check in (("block_public_acls", "CKV_AWS_53"), ("block_public_policy", "CKV_AWS_54"), ("ignore_public_acls", "CKV_AWS_55"), ("restrict_public_buckets", "CKV_AWS_56"))),
    gone("aws-public-block-removed", "public-access", "high", "The block on public access is removed", ("aws_s3_bucket_public_access_block", "aws_s3_account_public_access_block"), family="access", refs=("CKV2_AWS_6",)),
    _switch("aws-bucket-acl", severity="critical", title="The bucket's objects become public", types=("aws_s3_bucket_acl", "aws_s3_bucket", "aws_s3_object"), path="acl", bad=word("public-read", "public-read-write", "authenticated-read", "website"), on_create="critical", refs=("CKV_AWS_20", "CKV_AWS_57")),
    _switch("aws-bucket-grant", severity="critical", title="The bucket is granted to everybody", types=("aws_s3_bucket_acl",), path="access_control_policy.grant.grantee.uri", bad=_grants_all, on_create="critical"),
    _switch("aws-function-url", severity="high", title="The function can be called without signing in", types=("aws_lambda_function_url",), path="authorization_type", bad=word("NONE"), on_create="high", refs=("CKV_AWS_258",)),
    rule_of("aws-function-permission", "access", "public-access", "critical", "Everybody may call the function", ("aws_lambda_permission",), _function_permission, paths=("principal",), refs=("CKV_AWS_301",)),
    _switch("aws-route-open", severity="high", title="The API can be called without signing in", types=("aws_apigatewayv2_route",), path="authorization_type", bad=word("NONE"), absent=True, on_create="low"),
    _switch("aws-method-open", severity="high", title="The API can be called without signing in", types=("aws_api_gateway_method",), path="authorization", bad=word("NONE"), on_create="low", refs=("CKV_AWS_59",)),
    _switch("aws-snapshot-shared", severity="critical", title="A snapshot is shared with everybody", types=("aws_db_snapshot", "aws_db_cluster_snapshot"), path="shared_accounts", bad=word("all"), on_create="critical"),
    _switch("aws-image-shared", severity="critical", title="A machine image is shared with everybody", types=("aws_ami_launch_permission",), path="group", bad=word("all"), on_create="critical"),
    rule_of("aws-cluster-endpoint", "access", "public-access", "high", "The cluster's control plane can be reached from everywhere", ("aws_eks_cluster",), _cluster_endpoint, paths=("vpc_config.endpoint_public_access", "vpc_config.public_access_cidrs"), refs=("CKV_AWS_38", "CKV_AWS_39")),
    _switch("aws-instance-public-address", severity="medium", title=_PUBLIC, types=("aws_instance",), path="associate_public_ip_address", bad=on, on_create="medium", refs=("CKV_AWS_88",)),
    _switch("aws-template-public-address", severity="medium", title=_PUBLIC, types=("aws_launch_template",), path="network_interfaces.associate_public_ip_address", bad=word("true"), on_create="medium", refs=("CKV_AWS_88",)),
    _switch("aws-subnet-public-address", severity="medium", title="New machines in the subnet get public addresses", types=("aws_subnet",), path="map_public_ip_on_launch", bad=on, on_create="medium", refs=("CKV_AWS_130",)),
    _switch("aws-lb-public", severity="medium", title="The load balancer faces the internet", types=("aws_lb", "aws_alb"), path="internal", bad=off, on_create="low"),
    rule_of("google-everybody", "access", "public-access", "critical", "Everybody is granted a role", ("google_*_iam_member", "google_*_iam_binding", "google_*_iam_policy"), _everybody, paths=("member", "members", "role", "policy_data"), refs=("CKV_GCP_28", "CKV_GCP_107")),
    _switch("google-bucket-access", severity="critical", title="The bucket is granted to everybody", types=("google_storage_bucket_access_control", "google_storage_default_object_access_control", "google_storage_object_access_control"), path="entity", bad=word("allUsers", "allAuthenticatedUsers"), on_create="critical"),
    _switch("google-public-prevention", severity="high", title="The block on public access is lifted", types=("google_storage_bucket",), path="public_access_prevention", bad=word("inherited"), refs=("CKV_GCP_114",)),
    _switch("google-uniform-access", severity="medium", title="Objects may be opened one by one", types=("google_storage_bucket",), path="uniform_bucket_level_access", bad=off, refs=("CKV_GCP_29",)),
    _switch("google-dataset-access", severity="critical", title="The dataset is granted to everybody", types=("google_bigquery_dataset",), path="access.special_group", bad=word("allAuthenticatedUsers"), on_create="critical", refs=("CKV_GCP_15",)),
    _switch("google-dataset-member", severity="critical", title="The dataset is granted to everybody", types=("google_bigquery_dataset",), path="access.iam_member", bad=word("allUsers", "allAuthenticatedUsers"), on_create="critical", refs=("CKV_GCP_15",)),
    _switch("google-sql-networks", severity="critical", title="The database accepts connections from everywhere", types=("google_sql_database_instance",), path="settings.ip_configuration.authorized_networks.value", bad=_is_world, on_create="critical", refs=("CKV_GCP_11",)),
    _switch("google-sql-address", severity="high", title=_PUBLIC, types=("google_sql_database_instance",), path="settings.ip_configuration.ipv4_enabled", bad=on, on_create="medium", refs=("CKV_GCP_60",)),
    _switch("google-cluster-networks", severity="high", title="The cluster's control plane can be reached from everywhere", types=("google_container_cluster",), path="master_authorized_networks_config.cidr_blocks.cidr_block", bad=_is_world, absent=True, on_create=None, refs=("CKV_GCP_18", "CKV_GCP_20")),
    _switch("google-cluster-nodes", severity="high", title="Nodes get public addresses", types=("google_container_cluster",), path="private_cluster_config.enable_private_nodes", bad=off, refs=("CKV_GCP_25",)),
    _switch("google-cluster-endpoint", severity="high", title="The cluster's control plane gets a public address", types=("google_container_cluster",), path="private_cluster_config.enable_private_endpoint", bad=off),
    _switch("google-run-ingress", severity="high", title="The service can be reached from the internet", types=("google_cloud_run_v2_service",), path="ingress", bad=word("INGRESS_TRAFFIC_ALL"), on_create=None),
    _switch("google-function-ingress", severity="high", title="The function can be reached from the internet", types=("google_cloudfunctions2_function",), path="service_config.ingress_settings", bad=word("ALLOW_ALL"), on_create=None, refs=("CKV_GCP_124",)),
    _switch("azure-public-network", severity="high", title=_NET, types=(
        "azurerm_mssql_server", "azurerm_postgresql_server", "azurerm_postgresql_flexible_server", "azurerm_mysql_server", "azurerm_mysql_flexible_server", "azurerm_cosmosdb_account",
        "azurerm_storage_account", "azurerm_key_vault", "azurerm_container_registry", "azurerm_redis_cache", "azurerm_servicebus_namespace", "azurerm_eventhub_namespace",
        "azurerm_app_configuration", "azurerm_linux_web_app", "azurerm_windows_web_app", "azurerm_search_service", "azurerm_cognitive_account", "azurerm_data_factory", "azurerm_recovery_services_vault"),
        path="public_network_access_enabled", bad=on, on_create="medium", refs=("CKV_AZURE_113", "CKV_AZURE_68", "CKV_AZURE_53", "CKV_AZURE_101", "CKV_AZURE_59", "CKV_AZURE_189", "CKV_AZURE_139")),
    _switch("azure-nested-public", severity="high", title="Containers may be made public", types=("azurerm_storage_account",), path="allow_nested_items_to_be_public", bad=on, on_create="medium", refs=("CKV_AZURE_190",)),
    _switch("azure-container-public", severity="critical", title="The container's blobs become public", types=("azurerm_storage_container",), path="container_access_type", bad=not_word("private", ""), on_create="critical", refs=("CKV_AZURE_34",)),
    _switch("azure-network-default", severity="high", title="Every network is let in by default", types=("azurerm_storage_account",), path="network_rules.default_action", bad=word("Allow"), on_create="medium", refs=("CKV_AZURE_35",)),
    _switch("azure-network-rules", severity="high", title="Every network is let in by default", types=("azurerm_storage_account_network_rules",), path="default_action", bad=word("Allow"), on_create="medium"),
    _switch("azure-vault-network", severity="high", title="Every network is let in by default", types=("azurerm_key_vault",), path="network_acls.default_action", bad=word("Allow"), on_create="medium", refs=("CKV_AZURE_109",)),
    _switch("azure-cluster-networks", severity="high", title="The cluster's control plane can be reached from everywhere", types=("azurerm_kubernetes_cluster",), path="api_server_access_profile.authorized_ip_ranges", bad=_is_world, absent=True, refs=("CKV_AZURE_6",)),
    _switch("azure-cluster-private", severity="high", title="The cluster's control plane gets a public address", types=("azurerm_kubernetes_cluster",), path="private_cluster_enabled", bad=off, refs=("CKV_AZURE_115",)),
)  # fmt: skip
RULES: tuple[Rule, ...] = (*_MORE, *POLICY_RULES)
