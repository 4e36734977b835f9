"""Encryption that is switched off, at rest or on the way, or falls back to a key of the provider's."""

from __future__ import annotations

from functools import partial

from ..rule import Rule
from ..switches import gone, never, not_word, off, on, switch, word

_switch = partial(switch, flag="encryption-disabled", family="encryption")
_REST = "Encryption at rest is switched off"
_KEY = "It is no longer encrypted under your own key"
_WAY = "Encryption on the way is switched off"
_OLD_TLS = ("1.0", "1.1", "TLS1_0", "TLS1_1", "Disabled", "TLSEnforcementDisabled")

RULES: tuple[Rule, ...] = (
    _switch("aws-storage-encrypted", severity="high", title=_REST, types=("aws_db_instance", "aws_rds_cluster", "aws_docdb_cluster", "aws_neptune_cluster", "aws_rds_global_cluster"), path="storage_encrypted", bad=off, absent=True, on_create="medium", refs=("CKV_AWS_16", "CKV_AWS_96", "CKV_AWS_74", "CKV_AWS_44")),
    _switch("aws-encrypted", severity="high", title=_REST, types=("aws_ebs_volume", "aws_efs_file_system", "aws_redshift_cluster"), path="encrypted", bad=off, absent=True, on_create="medium", refs=("CKV_AWS_3", "CKV_AWS_64")),
    _switch("aws-instance-disk-encrypted", severity="high", title=_REST, types=("aws_instance",), path="root_block_device.encrypted", bad=off),
    _switch("aws-at-rest-encryption", severity="high", title=_REST, types=("aws_elasticache_replication_group",), path="at_rest_encryption_enabled", bad=off, absent=True, on_create="medium", refs=("CKV_AWS_29",)),
    _switch("aws-search-at-rest", severity="high", title=_REST, types=("aws_opensearch_domain", "aws_elasticsearch_domain"), path="encrypt_at_rest.enabled", bad=off, absent=True, on_create="medium"),
    _switch("aws-stream-encryption", severity="high", title=_REST, types=("aws_kinesis_stream",), path="encryption_type", bad=word("NONE"), refs=("CKV_AWS_43",)),
    _switch("aws-queue-encryption", severity="medium", title=_REST, types=("aws_sqs_queue",), path="sqs_managed_sse_enabled", bad=off, refs=("CKV_AWS_27",)),
    _switch("aws-default-ebs-encryption", severity="high", title="New disks are no longer encrypted by default", types=("aws_ebs_encryption_by_default",), path="enabled", bad=off),
    gone("aws-encryption-removed", "encryption-disabled", "high", _REST, ("aws_s3_bucket_server_side_encryption_configuration", "aws_ebs_encryption_by_default"), family="encryption", refs=("CKV_AWS_19",)),
    _switch("aws-customer-key", severity="medium", title=_KEY, types=("aws_db_instance", "aws_rds_cluster", "aws_ebs_volume", "aws_efs_file_system", "aws_secretsmanager_secret", "aws_cloudwatch_log_group", "aws_cloudtrail", "aws_redshift_cluster", "aws_docdb_cluster", "aws_elasticache_replication_group"), path="kms_key_id", bad=word(""), absent=True),
    _switch("aws-customer-key-messages", severity="medium", title=_KEY, types=("aws_sns_topic", "aws_sqs_queue"), path="kms_master_key_id", bad=word(""), absent=True),
    _switch("aws-cache-transit", severity="high", title=_WAY, types=("aws_elasticache_replication_group", "aws_elasticache_cluster"), path="transit_encryption_enabled", bad=off, refs=("CKV_AWS_30",)),
    _switch("aws-memorydb-transit", severity="high", title=_WAY, types=("aws_memorydb_cluster",), path="tls_enabled", bad=off),
    _switch("aws-proxy-tls", severity="high", title=_WAY, types=("aws_db_proxy",), path="require_tls", bad=off),
    _switch("aws-search-https", severity="high", title=_WAY, types=("aws_opensearch_domain", "aws_elasticsearch_domain"), path="domain_endpoint_options.enforce_https", bad=off, refs=("CKV_AWS_83",)),
    _switch("aws-search-nodes-transit", severity="medium", title=_WAY, types=("aws_opensearch_domain", "aws_elasticsearch_domain"), path="node_to_node_encryption.enabled", bad=off, refs=("CKV_AWS_6",)),
    _switch("aws-listener-plain", severity="high", title=_WAY, types=("aws_lb_listener", "aws_alb_listener"), path="protocol", bad=word("HTTP", "TCP"), refs=("CKV_AWS_2",)),
    _switch("aws-edge-plain", severity="high", title=_WAY, types=("aws_cloudfront_distribution",), path="default_cache_behavior.viewer_protocol_policy", bad=word("allow-all"), refs=("CKV_AWS_34",)),
    _switch("google-customer-key", severity="medium", title=_KEY, types=("google_sql_database_instance", "google_spanner_database"), path="encryption_key_name", bad=word(""), absent=True),
    _switch("google-customer-key-topic", severity="medium", title=_KEY, types=("google_pubsub_topic", "google_artifact_registry_repository"), path="kms_key_name", bad=word(""), absent=True, refs=("CKV_GCP_83", "CKV_GCP_84")),
    _switch("google-customer-key-bucket", severity="medium", title=_KEY, types=("google_storage_bucket",), path="encryption.default_kms_key_name", bad=never, absent=True),
    _switch("google-customer-key-dataset", severity="medium", title=_KEY, types=("google_bigquery_dataset",), path="default_encryption_configuration.kms_key_name", bad=never, absent=True, refs=("CKV_GCP_81",)),
    _switch("google-customer-key-disk", severity="medium", title=_KEY, types=("google_compute_disk",), path="disk_encryption_key.kms_key_self_link", bad=never, absent=True, refs=("CKV_GCP_37",)),
    _switch("google-cluster-secrets", severity="high", title="Secrets of the cluster are no longer encrypted", types=("google_container_cluster",), path="database_encryption.state", bad=word("DECRYPTED")),
    _switch("google-sql-tls", severity="high", title=_WAY, types=("google_sql_database_instance",), path="settings.ip_configuration.ssl_mode", bad=word("ALLOW_UNENCRYPTED_AND_ENCRYPTED"), refs=("CKV_GCP_6",)),
    _switch("google-sql-tls-old", severity="high", title=_WAY, types=("google_sql_database_instance",), path="settings.ip_configuration.require_ssl", bad=off),
    _switch("google-tls-policy", severity="medium", title="Old TLS versions are accepted", types=("google_compute_ssl_policy",), path="min_tls_version", bad=word("TLS_1_0", "TLS_1_1"), refs=("CKV_GCP_4",)),
    _switch("google-redis-transit", severity="high", title=_WAY, types=("google_redis_instance",), path="transit_encryption_mode", bad=word("DISABLED"), refs=("CKV_GCP_97",)),
    _switch("azure-storage-https", severity="high", title=_WAY, types=("azurerm_storage_account",), path="https_traffic_only_enabled", bad=off, on_create="medium"),
    _switch("azure-storage-https-old", severity="high", title=_WAY, types=("azurerm_storage_account",), path="enable_https_traffic_only", bad=off, on_create="medium"),
    _switch("azure-app-https", severity="high", title=_WAY, types=("azurerm_linux_web_app", "azurerm_windows_web_app", "azurerm_linux_function_app", "azurerm_windows_function_app", "azurerm_app_service"), path="https_only", bad=off),
    _switch("azure-min-tls", severity="high", title="Old TLS versions are accepted", types=("azurerm_storage_account",), path="min_tls_version", bad=word(*_OLD_TLS), on_create="medium", refs=("CKV_AZURE_44",)),
    _switch("azure-minimum-tls", severity="high", title="Old TLS versions are accepted", types=("azurerm_mssql_server", "azurerm_redis_cache", "azurerm_servicebus_namespace", "azurerm_eventhub_namespace"), path="minimum_tls_version", bad=word(*_OLD_TLS), on_create="medium", refs=("CKV_AZURE_52", "CKV_AZURE_148")),
    _switch("azure-redis-plain", severity="high", title=_WAY, types=("azurerm_redis_cache",), path="non_ssl_port_enabled", bad=on, on_create="medium"),
    _switch("azure-tde", severity="high", title=_REST, types=("azurerm_mssql_database",), path="transparent_data_encryption_enabled", bad=off, on_create="medium"),
    _switch("azure-host-encryption", severity="medium", title="Disks are no longer encrypted on the host", types=("azurerm_linux_virtual_machine", "azurerm_windows_virtual_machine", "azurerm_kubernetes_cluster_node_pool"), path="encryption_at_host_enabled", bad=off, refs=("CKV_AZURE_97",)),
    _switch("azure-customer-key-disk", severity="medium", title=_KEY, types=("azurerm_managed_disk", "azurerm_kubernetes_cluster"), path="disk_encryption_set_id", bad=word(""), absent=True, refs=("CKV_AZURE_93",)),
    _switch("azure-customer-key", severity="medium", title=_KEY, types=("azurerm_storage_account", "azurerm_postgresql_flexible_server", "azurerm_mysql_flexible_server"), path="customer_managed_key.key_vault_key_id", bad=never, absent=True),
    _switch("aws-listener-old-tls", severity="medium", title="The listener's TLS policy is replaced by an older one", types=("aws_lb_listener",), path="ssl_policy", bad=lambda value: isinstance(value, str) and value != "" and (value.startswith(("ELBSecurityPolicy-2015", "ELBSecurityPolicy-2016", "ELBSecurityPolicy-TLS-1-0", "ELBSecurityPolicy-TLS-1-1"))), refs=("CKV_AWS_103",)),
    _switch("aws-edge-old-tls", severity="medium", title="Old TLS versions are accepted", types=("aws_cloudfront_distribution",), path="viewer_certificate.minimum_protocol_version", bad=not_word("TLSv1.2_2018", "TLSv1.2_2019", "TLSv1.2_2021", "TLSv1.2_2025", "TLSv1.3_2025"), refs=("CKV_AWS_174",)),
)  # fmt: skip
