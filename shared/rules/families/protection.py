"""Protections that are switched off. Rows of data; the function is one for all."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial

from ..plan import Change, Plan
from ..rule import Match, Rule, seen
from ..switches import gone, lowering, never, off, on, rule_of, switch, word, zero
from ..values import number, raw, values_at

_switch = partial(switch, family="protection")
_lowering = partial(lowering, family="protection")
_gone = partial(gone, family="protection")
_OFF = "Deletion protection is switched off"
_RDS = ("aws_db_instance", "aws_rds_cluster", "aws_docdb_cluster", "aws_neptune_cluster", "aws_rds_global_cluster")


def _expires_sooner(path: str) -> Callable[[Change, Plan], Iterator[Match]]:
    """Make the function of a rule about objects that are deleted by age: sooner than before, or at all."""

    def judge(change: Change, _plan: Plan) -> Iterator[Match]:
        if change.before is None or change.after is None:
            return
        was, will = (min(_numbers(side, path), default=None) for side in (change.before, change.after))
        if will is not None and (was is None or will < was):
            top = path.split(".", 1)[0]
            note = f"Objects are deleted after {will:g} days."
            yield Match((seen(top, raw(change.before, top), raw(change.after, top)),), note=note)

    return judge


def _numbers(document: object, path: str) -> list[float]:
    found = (number(value) for value in values_at(document, path))
    return [value for value in found if value]  # no number, and 0, mean never


RULES: tuple[Rule, ...] = (
    _switch("aws-database-deletion-protection", "protection-disabled", "high", _OFF, (*_RDS, "aws_neptune_graph", "aws_qldb_ledger", "aws_redshiftserverless_namespace"),
            "deletion_protection", off, absent=True, refs=("CKV_AWS_139", "CKV_AWS_293", "CKV_AWS_172")),
    _switch("aws-table-deletion-protection", "protection-disabled", "high", _OFF, ("aws_dynamodb_table",), "deletion_protection_enabled", off, absent=True),
    _switch("aws-pool-deletion-protection", "protection-disabled", "high", _OFF, ("aws_cognito_user_pool",), "deletion_protection", word("INACTIVE"), absent=True),
    _switch("aws-pool-mfa", "protection-disabled", "high", "People sign in with a password alone", ("aws_cognito_user_pool",), "mfa_configuration", word("OFF"), absent=True),
    _lowering("aws-pool-password-length", "protection-disabled", "medium", "Shorter passwords are accepted", ("aws_cognito_user_pool",), "password_policy.minimum_length"),
    _lowering("aws-vault-lock-shortened", "protection-disabled", "high", "Backups may be deleted sooner", ("aws_backup_vault_lock_configuration",), "min_retention_days", to_zero="high"),
    _lowering("aws-stream-shortened", "protection-disabled", "medium", "Records are kept for a shorter time", ("aws_kinesis_stream",), "retention_period"),
    _switch("aws-lb-deletion-protection", "protection-disabled", "medium", _OFF, ("aws_lb", "aws_alb"), "enable_deletion_protection", off, absent=True, refs=("CKV_AWS_150",)),
    _switch("aws-firewall-delete-protection", "protection-disabled", "medium", _OFF, ("aws_networkfirewall_firewall",), "delete_protection", off, absent=True, refs=("CKV_AWS_344",)),
    _switch("aws-instance-termination-protection", "protection-disabled", "medium", "Termination protection is switched off", ("aws_instance",), "disable_api_termination", off, absent=True),
    _switch("aws-instance-metadata-v1", "protection-disabled", "high", "Instance credentials can be read without a session token (IMDSv1)", ("aws_instance", "aws_launch_template"),
            "metadata_options.http_tokens", word("optional"), refs=("CKV_AWS_79", "CWE-918")),
    _switch("aws-database-no-final-snapshot", "protection-disabled", "medium", "No final snapshot is taken any more", (*_RDS, "aws_redshift_cluster"), "skip_final_snapshot", on),
    _lowering("aws-database-backups-shortened", "protection-disabled", "medium", "Backups are kept for a shorter time", _RDS, "backup_retention_period", to_zero="high", refs=("CKV_AWS_133", "CKV_AWS_360", "CKV_AWS_361")),
    _lowering("aws-cache-snapshots-shortened", "protection-disabled", "medium", "Snapshots are kept for a shorter time", ("aws_elasticache_cluster", "aws_elasticache_replication_group", "aws_memorydb_cluster"), "snapshot_retention_limit", to_zero="high"),
    _lowering("aws-redshift-snapshots-shortened", "protection-disabled", "medium", "Snapshots are kept for a shorter time", ("aws_redshift_cluster",), "automated_snapshot_retention_period", to_zero="high"),
    _switch("aws-table-recovery", "protection-disabled", "high", "Point-in-time recovery is switched off", ("aws_dynamodb_table",), "point_in_time_recovery.enabled", off, refs=("CKV_AWS_28",)),
    _switch("aws-bucket-versioning", "protection-disabled", "high", "Versioning is switched off", ("aws_s3_bucket_versioning",), "versioning_configuration.status", word("Suspended", "Disabled"), refs=("CKV_AWS_21",)),
    _switch("aws-bucket-versioning-inline", "protection-disabled", "high", "Versioning is switched off", ("aws_s3_bucket",), "versioning.enabled", off, refs=("CKV_AWS_21",)),
    _switch("aws-force-destroy", "protection-disabled", "medium", "It may now be deleted with everything in it", ("aws_s3_bucket", "aws_route53_zone", "aws_backup_vault"), "force_destroy", on),
    _switch("aws-force-delete", "protection-disabled", "medium", "It may now be deleted with everything in it", ("aws_ecr_repository", "aws_autoscaling_group"), "force_delete", on),
    _switch("aws-image-tags-mutable", "protection-disabled", "medium", "Image tags may be overwritten", ("aws_ecr_repository",), "image_tag_mutability", word("MUTABLE"), refs=("CKV_AWS_51",)),
    _switch("aws-secret-recovery-window", "protection-disabled", "medium", "A deleted secret can no longer be recovered", ("aws_secretsmanager_secret",), "recovery_window_in_days", zero),
    _switch("aws-key-rotation", "protection-disabled", "medium", "Yearly key rotation is switched off", ("aws_kms_key",), "enable_key_rotation", off, absent=True, refs=("CKV_AWS_7",)),
    _switch("aws-boundary-removed", "protection-disabled", "high", "A permission boundary is removed", ("aws_iam_role", "aws_iam_user"), "permissions_boundary", word(""), absent=True, refs=("CWE-250",)),
    _lowering("aws-password-length", "protection-disabled", "medium", "Shorter passwords are accepted", ("aws_iam_account_password_policy",), "minimum_password_length", refs=("CKV_AWS_10",)),
    _lowering("aws-password-reuse", "protection-disabled", "medium", "Old passwords may be used again sooner", ("aws_iam_account_password_policy",), "password_reuse_prevention", refs=("CKV_AWS_13",)),
    *(_switch(f"aws-password-{name}", "protection-disabled", "medium", "Weaker passwords are accepted", ("aws_iam_account_password_policy",), f"require_{name}", off, refs=(check,))
      for name, check in (("symbols", "CKV_AWS_14"), ("numbers", "CKV_AWS_12"), ("uppercase_characters", "CKV_AWS_15"), ("lowercase_characters", "CKV_AWS_11"))),
    _gone("aws-password-policy-removed", "protection-disabled", "medium", "The policy for passwords is removed", ("aws_iam_account_password_policy",)),
    _gone("aws-protection-removed", "protection-disabled", "high", "What protects data is removed", (
        "aws_s3_bucket_versioning", "aws_s3_bucket_object_lock_configuration", "aws_backup_plan", "aws_backup_selection", "aws_backup_vault_lock_configuration",
        "aws_efs_backup_policy", "aws_organizations_policy", "aws_organizations_policy_attachment", "aws_wafv2_web_acl_association", "aws_shield_protection", "aws_s3_bucket_replication_configuration"),
        refs=("CKV_AWS_143",)),
    *(rule_of(f"{cloud}-objects-expire", "protection", "protection-disabled", "medium", "Objects are deleted sooner", (kind,), _expires_sooner(path), paths=(path,)) for cloud, kind, path in (
        ("aws", "aws_s3_bucket_lifecycle_configuration", "rule.expiration.days"), ("aws-old", "aws_s3_bucket_lifecycle_configuration", "rule.noncurrent_version_expiration.noncurrent_days"),
        ("google", "google_storage_bucket", "lifecycle_rule.condition.age"), ("azure", "azurerm_storage_management_policy", "rule.actions.base_blob.delete_after_days_since_modification_greater_than"))),
    _switch("google-deletion-protection", "protection-disabled", "high", _OFF, (
        "google_sql_database_instance", "google_container_cluster", "google_bigquery_table", "google_spanner_database", "google_compute_instance", "google_cloud_run_v2_service",
        "google_cloud_run_v2_job", "google_privateca_certificate_authority", "google_secret_manager_secret"),
        "deletion_protection", off, refs=("CKV_GCP_121", "CKV_GCP_119")),
    _switch("google-api-deletion-protection", "protection-disabled", "high", _OFF, ("google_sql_database_instance",), "settings.deletion_protection_enabled", off, absent=False),
    _switch("google-bigtable-deletion-protection", "protection-disabled", "high", _OFF, ("google_bigtable_table",), "deletion_protection", word("UNPROTECTED"), refs=("CKV_GCP_122",)),
    _switch("google-firestore-delete-protection", "protection-disabled", "high", _OFF, ("google_firestore_database",), "delete_protection_state", word("DELETE_PROTECTION_DISABLED")),
    _switch("google-drop-protection", "protection-disabled", "high", _OFF, ("google_spanner_database",), "enable_drop_protection", off, refs=("CKV_GCP_120",)),
    _switch("google-project-deletion-policy", "protection-disabled", "high", _OFF, ("google_project",), "deletion_policy", word("DELETE")),
    _switch("google-sql-backups", "protection-disabled", "high", "Backups are switched off", ("google_sql_database_instance",), "settings.backup_configuration.enabled", off, refs=("CKV_GCP_14",)),
    _switch("google-sql-recovery", "protection-disabled", "high", "Point-in-time recovery is switched off", ("google_sql_database_instance",), "settings.backup_configuration.point_in_time_recovery_enabled", off),
    _switch("google-bucket-versioning", "protection-disabled", "high", "Versioning is switched off", ("google_storage_bucket",), "versioning.enabled", off, refs=("CKV_GCP_78",)),
    _switch("google-bucket-retention", "protection-disabled", "high", "The retention policy is removed", ("google_storage_bucket",), "retention_policy.retention_period", never, absent=True),
    _switch("google-force-destroy", "protection-disabled", "medium", "It may now be deleted with everything in it", ("google_storage_bucket", "google_dns_managed_zone"), "force_destroy", on),
    _switch("google-delete-contents", "protection-disabled", "medium", "It may now be deleted with everything in it", ("google_bigquery_dataset",), "delete_contents_on_destroy", on),
    _gone("google-protection-removed", "protection-disabled", "high", "What protects data is removed", ("google_resource_manager_lien", "google_compute_resource_policy", "google_compute_disk_resource_policy_attachment", "google_org_policy_policy", "google_project_organization_policy")),
    _switch("azure-purge-protection", "protection-disabled", "high", "Purge protection is switched off", ("azurerm_key_vault", "azurerm_app_configuration"), "purge_protection_enabled", off, absent=True, refs=("CKV_AZURE_110", "CKV_AZURE_187")),
    _switch("azure-vault-soft-delete", "protection-disabled", "high", "Soft delete is switched off", ("azurerm_recovery_services_vault",), "soft_delete_enabled", off),
    _lowering("azure-soft-delete-shortened", "protection-disabled", "medium", "What is deleted can be recovered for a shorter time", ("azurerm_key_vault",), "soft_delete_retention_days"),
    _switch("azure-blob-versioning", "protection-disabled", "high", "Blob versioning is switched off", ("azurerm_storage_account",), "blob_properties.versioning_enabled", off),
    _switch("azure-blob-soft-delete", "protection-disabled", "high", "Soft delete of blobs is switched off", ("azurerm_storage_account",), "blob_properties.delete_retention_policy.days", never, absent=True, refs=("CKV_AZURE_111",)),
    _lowering("azure-backups-shortened", "protection-disabled", "medium", "Backups are kept for a shorter time", ("azurerm_postgresql_flexible_server", "azurerm_mysql_flexible_server", "azurerm_postgresql_server"), "backup_retention_days"),
    _switch("azure-geo-backups", "protection-disabled", "medium", "Backups are no longer kept in another region", ("azurerm_postgresql_flexible_server", "azurerm_mysql_flexible_server"), "geo_redundant_backup_enabled", off, refs=("CKV_AZURE_136",)),
    _gone("azure-protection-removed", "protection-disabled", "high", "What protects data is removed", (
        "azurerm_management_lock", "azurerm_backup_protected_vm", "azurerm_backup_policy_vm", "azurerm_backup_protected_file_share", "azurerm_storage_management_policy",
        "azurerm_storage_container_immutability_policy", "azurerm_subscription_policy_assignment", "azurerm_management_group_policy_assignment", "azurerm_resource_group_policy_assignment")),
)  # fmt: skip
