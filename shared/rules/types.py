"""Which resource types hold data, contain others, or hold nothing of interest. Data only."""

from __future__ import annotations

STATEFUL = frozenset({
    "aws_db_instance", "aws_db_snapshot", "aws_db_cluster_snapshot", "aws_cognito_identity_pool", "aws_glue_catalog_database", "aws_rds_cluster", "aws_rds_cluster_instance", "aws_rds_global_cluster", "aws_dynamodb_table", "aws_dynamodb_global_table",
    "aws_s3_bucket", "aws_s3_directory_bucket", "aws_s3tables_table_bucket", "aws_ebs_volume", "aws_efs_file_system", "aws_fsx_lustre_file_system", "aws_fsx_windows_file_system",
    "aws_fsx_ontap_file_system", "aws_fsx_openzfs_file_system", "aws_elasticache_cluster", "aws_elasticache_replication_group",
    "aws_elasticache_serverless_cache", "aws_memorydb_cluster", "aws_redshift_cluster", "aws_redshiftserverless_namespace",
    "aws_opensearch_domain", "aws_elasticsearch_domain", "aws_opensearchserverless_collection", "aws_docdb_cluster", "aws_neptune_cluster",
    "aws_msk_cluster", "aws_mq_broker", "aws_kinesis_stream", "aws_timestreamwrite_database", "aws_timestreamwrite_table",
    "aws_keyspaces_table", "aws_keyspaces_keyspace", "aws_backup_vault", "aws_ecr_repository", "aws_cognito_user_pool",
    "aws_secretsmanager_secret", "aws_cloudwatch_log_group", "aws_sqs_queue", "aws_qldb_ledger", "aws_codecommit_repository", "aws_glacier_vault",
    "google_sql_database_instance", "google_sql_database", "google_spanner_instance", "google_spanner_database", "google_bigtable_instance",
    "google_bigtable_table", "google_bigquery_dataset", "google_bigquery_table", "google_storage_bucket", "google_compute_disk",
    "google_compute_region_disk", "google_filestore_instance", "google_redis_instance", "google_redis_cluster", "google_alloydb_cluster",
    "google_alloydb_instance", "google_firestore_database", "google_pubsub_topic", "google_pubsub_subscription",
    "google_artifact_registry_repository", "google_secret_manager_secret", "google_logging_project_bucket_config", "google_memcache_instance",
    "azurerm_mssql_server", "azurerm_mssql_database", "azurerm_mssql_managed_instance", "azurerm_postgresql_server", "azurerm_postgresql_flexible_server",
    "azurerm_postgresql_flexible_server_database", "azurerm_mysql_flexible_server", "azurerm_mysql_flexible_database", "azurerm_cosmosdb_account",
    "azurerm_cosmosdb_sql_database", "azurerm_cosmosdb_sql_container", "azurerm_cosmosdb_mongo_database", "azurerm_cosmosdb_mongo_collection",
    "azurerm_storage_account", "azurerm_storage_container", "azurerm_storage_share", "azurerm_storage_table", "azurerm_storage_queue",
    "azurerm_managed_disk", "azurerm_redis_cache", "azurerm_kusto_cluster", "azurerm_kusto_database", "azurerm_eventhub", "azurerm_eventhub_namespace",
    "azurerm_servicebus_namespace", "azurerm_servicebus_queue", "azurerm_recovery_services_vault", "azurerm_data_protection_backup_vault",
    "azurerm_log_analytics_workspace", "azurerm_container_registry", "azurerm_netapp_volume", "azurerm_key_vault", "azurerm_app_configuration",
    "kubernetes_persistent_volume", "kubernetes_persistent_volume_v1", "kubernetes_persistent_volume_claim", "kubernetes_persistent_volume_claim_v1",
})  # fmt: skip
CONTAINERS = frozenset({
    "aws_vpc", "aws_eks_cluster", "aws_ecs_cluster", "aws_organizations_account", "aws_organizations_organizational_unit",
    "google_project", "google_folder", "google_container_cluster", "google_compute_network",
    "azurerm_resource_group", "azurerm_subscription", "azurerm_management_group", "azurerm_kubernetes_cluster", "azurerm_virtual_network",
    "kubernetes_namespace", "kubernetes_namespace_v1",
})  # fmt: skip
# Nothing runs behind these: they live in the state only, or on the machine that applies.
LOCAL = (
    "null_resource", "terraform_data", "random_*", "time_*", "local_file", "local_sensitive_file", "archive_file", "template_*",
)  # fmt: skip
NETWORK_RULES = frozenset({
    "aws_security_group", "aws_security_group_rule", "aws_vpc_security_group_ingress_rule", "aws_vpc_security_group_egress_rule",
    "aws_default_security_group", "aws_network_acl", "aws_network_acl_rule", "aws_default_network_acl",
    "aws_ec2_managed_prefix_list", "aws_ec2_managed_prefix_list_entry", "aws_wafv2_web_acl", "aws_wafv2_rule_group", "aws_wafv2_ip_set",
    "aws_wafv2_regex_pattern_set",
    "google_compute_firewall", "google_compute_firewall_policy_rule", "google_compute_network_firewall_policy_rule",
    "azurerm_network_security_group", "azurerm_network_security_rule", "kubernetes_network_policy", "kubernetes_network_policy_v1",
})  # fmt: skip
# What lets traffic or people in by being there: one that nobody declared is looked at first.
DOORS = frozenset({
    "aws_vpc_peering_connection", "aws_vpn_connection", "aws_customer_gateway", "aws_vpn_gateway_attachment", "aws_ec2_transit_gateway_vpc_attachment",
    "aws_ec2_transit_gateway_route", "aws_ec2_transit_gateway_route_table_propagation", "aws_vpc_endpoint", "aws_vpc_endpoint_security_group_association",
    "aws_network_interface_sg_attachment", "aws_ami_launch_permission", "aws_api_gateway_method", "aws_api_gateway_usage_plan_key",
    "aws_apigatewayv2_route", "aws_cloudfront_distribution",
    "google_compute_network_peering", "google_compute_vpn_gateway", "google_compute_vpn_tunnel", "google_compute_ha_vpn_gateway",
    "google_compute_external_vpn_gateway", "google_compute_interconnect_attachment", "google_compute_service_attachment",
    "google_compute_forwarding_rule", "google_compute_global_forwarding_rule", "google_compute_shared_vpc_service_project",
    "google_cloud_run_domain_mapping", "google_vpc_access_connector",
    "azurerm_virtual_network_peering", "azurerm_public_ip", "azurerm_virtual_network_gateway", "azurerm_virtual_network_gateway_connection",
    "azurerm_local_network_gateway", "azurerm_bastion_host", "azurerm_mssql_firewall_rule", "azurerm_key_vault_access_policy",
    "azurerm_storage_account_network_rules", "azurerm_private_dns_zone_virtual_network_link", "azurerm_express_route_circuit",
    "kubernetes_ingress", "kubernetes_ingress_v1",
})  # fmt: skip
IDENTITY = (
    "aws_iam_*", "aws_ssoadmin_*", "google_*_iam_*", "google_service_account*", "azurerm_role_*", "azurerm_federated_identity_credential",
    "azurerm_user_assigned_identity", "azurerm_management_lock", "aws_cognito_identity_provider", "aws_organizations_policy", "aws_organizations_policy_attachment",
    "aws_elasticache_user", "aws_memorydb_user", "kubernetes_role*", "kubernetes_cluster_role*",
)  # fmt: skip
# Attributes that protect something, by name, wherever they are: what a drift in them weakens is looked at first.
PROTECTIONS = frozenset({
    "deletion_protection", "deletion_protection_enabled", "enable_deletion_protection", "backup_retention_period", "storage_encrypted",
    "encrypted", "enable_key_rotation", "block_public_acls", "block_public_policy", "ignore_public_acls", "restrict_public_buckets",
    "versioning_configuration", "versioning", "publicly_accessible", "server_side_encryption", "server_side_encryption_configuration",
    "point_in_time_recovery", "rule", "image_tag_mutability", "metadata_options", "kms_key_id", "kms_master_key_id",
    "sqs_managed_sse_enabled", "disable_api_termination", "multi_az", "policy", "assume_role_policy", "is_enabled", "key_state",
    "enable_logging", "enable_log_file_validation", "min_retention_days", "mfa_configuration", "password_policy", "require_tls",
    "tls_enabled", "transit_encryption_enabled", "encryption_type", "encryption_configuration", "kms_key_arn", "retention_period",
    "allow_unauthenticated_identities", "admin_create_user_config", "protection", "snapshot_retention_limit", "callback_urls",
    "rotation_period", "retention_policy", "soft_delete_policy", "default_event_based_hold", "shielded_instance_config",
    "master_authorized_networks_config", "private_cluster_config", "database_encryption", "binary_authorization",
    "backup_configuration", "min_tls_version", "disabled", "retention_days", "is_locked",
    "local_account_disabled", "local_authentication_enabled", "local_authentication_disabled", "shared_access_key_enabled",
    "purge_protection_enabled", "soft_delete_retention_days", "rbac_authorization_enabled", "enable_rbac_authorization",
    "role_based_access_control_enabled", "api_server_access_profile", "infrastructure_encryption_enabled", "lock_level",
    "azure_policy_enabled", "admin_enabled", "network_rules", "network_acls", "network_rule_set", "geo_redundant_backup_enabled",
    "backup_retention_days", "threat_detection_policy", "allow_extension_operations", "encryption_at_host_enabled",
})  # fmt: skip
