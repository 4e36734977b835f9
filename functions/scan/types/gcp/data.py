"""What holds data: buckets, databases, warehouses, queues of messages, secrets and the keys they are encrypted with.

Source: the REST references of Cloud Storage (JSON API v1), Pub/Sub v1, Cloud KMS v1, Secret Manager v1, BigQuery v2, Cloud SQL
Admin v1, Memorystore v1, Spanner v1, Bigtable Admin v2, Firestore v1, Filestore v1 and Artifact Registry v1;
Terraform Google provider 6.50, resource documentation of each type.
"""

from __future__ import annotations

from ...domain.resources import Attributes
from ...domain.shapes import block, boolean, default_is, folded_text, set_of, text
from .assets import Asset
from .forms import after_colon, dataset_role, duration, kms_key, table_schema, tail, unless, written
from .mapping import UNREAD, GoogleType, Item, Reading, entries, member


def _with_state(data: Item, _asset: Asset) -> object:
    """Live or archived versions are a flag in the API and a word in a state."""
    is_live = data.get("isLive")
    return "ANY" if is_live is None else "LIVE" if is_live else "ARCHIVED"


def _retains_objects(data: Item, _asset: Asset) -> object:
    """Whether objects may be retained is a word in the API and a flag in a state."""
    return member(data, "objectRetention", "mode") == "Enabled"


_INSTANCE_KINDS = {"CLOUDSQL_INSTANCE": "CLOUD_SQL_INSTANCE"}


def _instance_kind(data: Item, _asset: Asset) -> object:
    """The inventory spells one kind of instance otherwise than the API."""
    found = data.get("instanceType")
    return _INSTANCE_KINDS.get(str(found), found)


def _ssl_mode(data: Item, _asset: Asset) -> object:
    """Which connections are let in; before there was a mode, a flag said whether certificates are asked for."""
    return data.get("sslMode") or ("TRUSTED_CLIENT_CERTIFICATE_REQUIRED" if data.get("requireSsl") is True else None)


def _service_connect(data: Item, _asset: Asset) -> object:
    """Who may connect by Private Service Connect, in a state's words."""
    found = data.get("pscConfig")
    if found is None:
        return None
    return {
        "allowed_consumer_projects": member(found, "allowedConsumerProjects"),
        "network_attachment_uri": member(found, "networkAttachmentUri"),
        "psc_enabled": member(found, "pscEnabled"),
    }


def _unless_scaled(name: str) -> Reading:
    """Make the reading of a size, which says nothing while Google's autoscaler steers it."""

    def read(data: Item, _asset: Asset) -> object:
        return UNREAD if data.get("autoscalingConfig") else data.get(name)

    return read


def _with_filter_at_the_top(attributes: Attributes) -> Attributes:
    """Put a partition filter, which a configuration may ask for at its old place, to where the API has it."""
    parts = attributes.get("time_partitioning")
    is_asked = isinstance(parts, list | tuple) and any(
        member(part, "require_partition_filter") is True for part in parts
    )
    return {**attributes, "require_partition_filter": True} if is_asked else attributes


def _fields(data: Item, _asset: Asset) -> object:
    return member(data, "schema", "fields")


TYPES = (
    GoogleType(
        "google_storage_bucket",
        ("storage.googleapis.com/Bucket",),
        "autoclass cors custom_placement_config default_event_based_hold enable_object_retention encryption"
        " hierarchical_namespace ip_filter labels lifecycle_rule location logging public_access_prevention requester_pays"
        " retention_policy rpo soft_delete_policy storage_class uniform_bucket_level_access versioning website",
        at={
            "lifecycle_rule": "lifecycle.rule",
            "lifecycle_rule.condition.num_newer_versions": "numNewerVersions",
            "public_access_prevention": "iamConfiguration.publicAccessPrevention",
            "requester_pays": "billing.requesterPays",
            "uniform_bucket_level_access": "iamConfiguration.uniformBucketLevelAccess.enabled",
        },
        read={"enable_object_retention": _retains_objects, "lifecycle_rule.condition.with_state": _with_state},
        shapes={
            "autoclass.terminal_storage_class": unless("NEARLINE"),
            "encryption.default_kms_key_name": kms_key,
            "lifecycle_rule.condition.matches_storage_class": set_of(text),
            "lifecycle_rule.condition.with_state": unless("ANY"),
            "location": folded_text,
            "public_access_prevention": unless("inherited"),
            "rpo": unless("DEFAULT"),
        },
        inside={
            "lifecycle_rule.condition": "age created_before custom_time_before days_since_custom_time"
            " days_since_noncurrent_time matches_prefix matches_storage_class matches_suffix noncurrent_time_before"
            " num_newer_versions with_state",
        },
        key="//storage.googleapis.com/{name}",
        live_key="//storage.googleapis.com/{name}",
    ),
    GoogleType(
        "google_pubsub_topic",
        ("pubsub.googleapis.com/Topic",),
        "ingestion_data_source_settings kms_key_name labels message_retention_duration message_storage_policy"
        " message_transforms schema_settings",
        inside={
            "ingestion_data_source_settings.cloud_storage": "bucket match_glob minimum_object_create_time text_format"
        },
        shapes={"message_retention_duration": duration, "schema_settings.encoding": unless("ENCODING_UNSPECIFIED")},
    ),
    GoogleType(
        "google_pubsub_subscription",
        ("pubsub.googleapis.com/Subscription",),
        "ack_deadline_seconds bigquery_config cloud_storage_config dead_letter_policy enable_exactly_once_delivery"
        " enable_message_ordering expiration_policy filter labels message_retention_duration message_transforms"
        " push_config retain_acked_messages retry_policy topic",
        shapes={
            "cloud_storage_config.max_duration": duration,
            "expiration_policy.ttl": duration,
            "message_retention_duration": duration,
            "retry_policy.maximum_backoff": duration,
            "retry_policy.minimum_backoff": duration,
        },
        inside={"push_config": "attributes no_wrapper oidc_token push_endpoint"},
        present=frozenset({"expiration_policy"}),
    ),
    GoogleType("google_pubsub_schema", ("pubsub.googleapis.com/Schema",), "definition type", is_certain=False),
    GoogleType("google_kms_key_ring", ("cloudkms.googleapis.com/KeyRing",)),
    GoogleType(
        "google_kms_crypto_key",
        ("cloudkms.googleapis.com/CryptoKey",),
        "crypto_key_backend destroy_scheduled_duration import_only labels purpose rotation_period version_template",
        shapes={
            "destroy_scheduled_duration": duration,
            "purpose": unless("ENCRYPT_DECRYPT"),
            "rotation_period": duration,
        },
    ),
    GoogleType(
        "google_secret_manager_secret",
        ("secretmanager.googleapis.com/Secret",),
        "annotations expire_time labels replication rotation topics version_destroy_ttl",
        at={"replication.auto": "automatic"},
        shapes={"rotation.rotation_period": duration, "version_destroy_ttl": duration},
        inside={
            "replication.user_managed.replicas": "customer_managed_encryption location",
            "rotation": "rotation_period",  # when it is next due moves with each rotation
        },
    ),
    GoogleType(
        "google_bigquery_dataset",
        ("bigquery.googleapis.com/Dataset",),
        "access default_collation default_encryption_configuration default_partition_expiration_ms"
        " default_table_expiration_ms description friendly_name is_case_insensitive labels location max_time_travel_hours"
        " storage_billing_model",
        shapes={
            "access.role": dataset_role,
            "default_encryption_configuration.kms_key_name": kms_key,
            "location": folded_text,
            "max_time_travel_hours": unless("168"),
        },
        inline={"access": ("google_bigquery_dataset_iam_member",)},  # the policy and the list say the same
    ),
    GoogleType(
        "google_bigquery_table",
        ("bigquery.googleapis.com/Table",),
        "clustering description encryption_configuration expiration_time friendly_name labels max_staleness"
        " range_partitioning require_partition_filter schema table_constraints time_partitioning view",
        at={"clustering": "clustering.fields", "expiration_time": "expirationTime"},
        read={"schema": _fields},
        shapes={"encryption_configuration.kms_key_name": kms_key, "schema": table_schema},
        inside={"time_partitioning": "expiration_ms field type"},
        state=_with_filter_at_the_top,
    ),
    GoogleType(
        "google_sql_database_instance",
        ("sqladmin.googleapis.com/Instance",),
        "database_version encryption_key_name instance_type master_instance_name settings",
        at={
            "encryption_key_name": "diskEncryptionConfiguration.kmsKeyName",
            "settings.deny_maintenance_period": "denyMaintenancePeriods",
            "settings.disk_autoresize": "storageAutoResize",
            "settings.disk_autoresize_limit": "storageAutoResizeLimit",
            "settings.disk_type": "dataDiskType",
            "settings.ip_configuration.enable_private_path_for_google_cloud_services": (
                "enablePrivatePathForGoogleCloudServices"
            ),
        },
        read={
            "instance_type": _instance_kind,
            "settings.ip_configuration.psc_config": _service_connect,
            "settings.ip_configuration.ssl_mode": _ssl_mode,
        },
        shapes={
            "encryption_key_name": kms_key,
            "master_instance_name": after_colon,
            "settings.connector_enforcement": unless("NOT_REQUIRED"),
            "settings.edition": unless("ENTERPRISE"),
            # A set in a state, and never more than one; where nobody is let in there may be one or none.
            "settings.ip_configuration.psc_config": block(
                {"allowed_consumer_projects": set_of(text), "network_attachment_uri": written, "psc_enabled": boolean}
            ),
            "settings.ip_configuration.server_ca_mode": unless("GOOGLE_MANAGED_INTERNAL_CA"),
            "settings.ip_configuration.ssl_mode": unless("ALLOW_UNENCRYPTED_AND_ENCRYPTED"),
        },
        inside={
            # The size of a disk that grows by itself is nobody's change, and the version of the patches moves.
            "settings": "activation_policy active_directory_config availability_type backup_configuration collation"
            " connector_enforcement data_cache_config database_flags deletion_protection_enabled deny_maintenance_period"
            " disk_autoresize disk_autoresize_limit disk_type edition enable_dataplex_integration"
            " enable_google_ml_integration insights_config ip_configuration location_preference maintenance_window"
            " password_validation_policy pricing_plan retain_backups_on_delete sql_server_audit_config tier time_zone"
            " user_labels",
            "settings.insights_config": "query_insights_enabled query_plans_per_minute query_string_length"
            " record_application_tags record_client_address",
            "settings.ip_configuration": "allocated_ip_range authorized_networks custom_subject_alternative_names"
            " enable_private_path_for_google_cloud_services ipv4_enabled private_network psc_config server_ca_mode"
            " server_ca_pool ssl_mode",
            "settings.location_preference": "secondary_zone zone",
        },
        key="//cloudsql.googleapis.com/projects/{project}/instances/{name}",
        live_key="//cloudsql.googleapis.com/projects/{project}/instances/{name}",
    ),
    GoogleType(
        "google_redis_instance",
        ("redis.googleapis.com/Instance",),
        "auth_enabled authorized_network connect_mode customer_managed_key display_name labels maintenance_policy"
        " memory_size_gb persistence_config read_replicas_mode redis_configs redis_version replica_count tier"
        " transit_encryption_mode",
        shapes={"customer_managed_key": kms_key, "connect_mode": unless("DIRECT_PEERING")},
        inside={"persistence_config": "persistence_mode rdb_snapshot_period"},
    ),
    GoogleType(
        "google_spanner_instance",
        ("spanner.googleapis.com/Instance",),
        "autoscaling_config config default_backup_schedule_type display_name edition labels num_nodes processing_units",
        read={"num_nodes": _unless_scaled("nodeCount"), "processing_units": _unless_scaled("processingUnits")},
        shapes={"config": tail},
        key="//spanner.googleapis.com/projects/{project}/instances/{name}",
    ),
    GoogleType(
        "google_spanner_database",
        ("spanner.googleapis.com/Database",),
        "database_dialect enable_drop_protection encryption_config version_retention_period",
        shapes={
            "database_dialect": unless("GOOGLE_STANDARD_SQL"),
            "encryption_config.kms_key_name": kms_key,
            "version_retention_period": unless("1h"),
        },
        inside={"encryption_config": "kms_key_name"},
        key="//spanner.googleapis.com/projects/{project}/instances/{instance}/databases/{name}",
    ),
    GoogleType(
        "google_bigtable_instance",
        ("bigtableadmin.googleapis.com/Instance",),
        "display_name labels",
        key="//bigtable.googleapis.com/projects/{project}/instances/{name}",
    ),
    GoogleType(
        "google_firestore_database",
        ("firestore.googleapis.com/Database",),
        "app_engine_integration_mode cmek_config concurrency_mode database_edition delete_protection_state location_id"
        " point_in_time_recovery_enablement type",
        shapes={"cmek_config.kms_key_name": kms_key},
    ),
    GoogleType(
        "google_filestore_instance",
        ("file.googleapis.com/Instance",),
        "deletion_protection_enabled deletion_protection_reason description file_shares kms_key_name labels networks"
        " performance_config protocol tier",
        shapes={
            "file_shares.nfs_export_options.access_mode": unless("READ_WRITE"),
            "file_shares.nfs_export_options.squash_mode": unless("NO_ROOT_SQUASH"),
            "networks.network": tail,
            "networks.connect_mode": default_is("DIRECT_PEERING", written),
            "protocol": unless("NFS_V3"),
        },
        inside={"file_shares": "capacity_gb name nfs_export_options", "networks": "connect_mode modes network"},
    ),
    GoogleType(
        "google_artifact_registry_repository",
        ("artifactregistry.googleapis.com/Repository",),
        "cleanup_policies cleanup_policy_dry_run description docker_config format kms_key_name labels maven_config mode"
        " remote_repository_config virtual_repository_config vulnerability_scanning_config",
        read={"cleanup_policies": entries("id", "cleanupPolicies")},
        shapes={
            "cleanup_policies.condition.newer_than": duration,
            "cleanup_policies.condition.older_than": duration,
            "cleanup_policies.condition.tag_state": unless("ANY"),
            "maven_config.version_policy": unless("VERSION_POLICY_UNSPECIFIED"),
            "mode": unless("STANDARD_REPOSITORY"),
            "vulnerability_scanning_config.enablement_config": unless("INHERITED"),
        },
    ),
)
