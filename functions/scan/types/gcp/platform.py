"""What things live in and run on: projects, identities, functions, names, logs and alerts.

Source: the REST references of Resource Manager v1 and v3, IAM v1, Service Usage v1, Cloud Run v1, Cloud
Functions v1 and v2, Cloud DNS v1, Cloud Logging v2, Cloud Monitoring v3, Cloud Tasks v2, Serverless VPC Access v1 and Workflows
v1; Terraform Google provider 6.50, resource documentation of each type.
"""

from __future__ import annotations

from ...domain.shapes import set_of, text
from .assets import PROJECT, SERVICE_ACCOUNT, ZONE, Asset
from .forms import duration, kms_key, tail, unless, word
from .mapping import GoogleType, Item, Reading, member

_MADE_BUCKETS = ("_Default", "_Required")


def _parent(kind: str) -> Reading:
    """Make the reading of a project's parent: an object in version 1 of the API, a name in version 3."""

    def read(data: Item, _asset: Asset) -> object:
        parent = data.get("parent")
        if isinstance(parent, str):
            found, _, number = parent.partition("/")
            return number if found == f"{kind}s" else None
        return member(parent, "id") if member(parent, "type") == kind else None

    return read


def _title(data: Item, _asset: Asset) -> object:
    return data.get("displayName") or data.get("name")


def _is_leaving(asset: Asset) -> bool:
    return "DELETE_REQUESTED" in (asset.data.get("lifecycleState"), asset.data.get("state"))


def _is_deleted_role(asset: Asset) -> bool:
    return asset.data.get("deleted") is True


def _is_default_account(asset: Asset) -> bool:
    email = str(asset.data.get("email"))
    return email.endswith(("-compute@developer.gserviceaccount.com", "@appspot.gserviceaccount.com"))


def _is_made_bucket(asset: Asset) -> bool:
    return asset.name.rpartition("/")[2] in _MADE_BUCKETS


def _is_made_record(asset: Asset) -> bool:
    """Tell the records that come with a zone; they lie at its top."""
    return asset.data.get("type") in {"NS", "SOA"} and asset.data.get("name") == asset.zone_dns


_INGRESS = {
    "all": "INGRESS_TRAFFIC_ALL",
    "internal": "INGRESS_TRAFFIC_INTERNAL_ONLY",
    "internal-and-cloud-load-balancing": "INGRESS_TRAFFIC_INTERNAL_LOAD_BALANCER",
}
_RUN_LABELS = ("cloud.googleapis.com/", "run.googleapis.com/", "serving.knative.dev/")


def _ingress(data: Item, _asset: Asset) -> object:
    """Where calls may come from: an annotation in version 1 of the API, a member in version 2."""
    found = data.get("ingress") or member(data, "metadata", "annotations", "run.googleapis.com/ingress")
    return _INGRESS.get(str(found), found)


def _labels_of_run(data: Item, _asset: Asset) -> object:
    found = member(data, "metadata", "labels")
    return {name: value for name, value in found.items() if not str(name).startswith(_RUN_LABELS)} if found else None


def _seconds(data: Item, _asset: Asset) -> object:
    found = data.get("timeout")
    return found.removesuffix("s") if isinstance(found, str) else found


TYPES = (
    GoogleType(
        "google_project",
        (PROJECT,),
        "folder_id labels name org_id",
        read={"folder_id": _parent("folder"), "name": _title, "org_id": _parent("organization")},
        shapes={"folder_id": tail},
        key="//cloudresourcemanager.googleapis.com/projects/{project_id}",
        live_key="//cloudresourcemanager.googleapis.com/projects/{projectId}",
        gone=_is_leaving,
    ),
    GoogleType(
        "google_folder",
        ("cloudresourcemanager.googleapis.com/Folder",),
        "display_name parent",
        gone=_is_leaving,
    ),
    GoogleType(
        "google_service_account",
        (SERVICE_ACCOUNT,),
        "description disabled display_name",
        key="//iam.googleapis.com/projects/{project}/serviceAccounts/{email}",
        live_key="//iam.googleapis.com/projects/{project}/serviceAccounts/{email}",
        made=_is_default_account,
    ),
    GoogleType(
        "google_project_iam_custom_role",
        ("iam.googleapis.com/Role",),
        "description permissions stage title",
        at={"permissions": "includedPermissions"},
        shapes={"stage": unless("GA")},
        when=lambda asset: "/projects/" in asset.name,
        gone=_is_deleted_role,
    ),
    GoogleType(
        "google_organization_iam_custom_role",
        ("iam.googleapis.com/Role",),
        "description permissions stage title",
        at={"permissions": "includedPermissions"},
        shapes={"stage": unless("GA")},
        when=lambda asset: "/organizations/" in asset.name,
        gone=_is_deleted_role,
    ),
    GoogleType(
        "google_project_service",
        ("serviceusage.googleapis.com/Service",),
        key="//serviceusage.googleapis.com/projects/{project}/services/{service}",
        gone=lambda asset: asset.data.get("state") == "DISABLED",
        made=lambda _asset: (
            True
        ),  # many come with a project, others with each of them: what is on says nothing by itself
    ),
    GoogleType(
        "google_cloud_run_v2_service",
        # The inventory tells a service in the form of version 1 of the API; which one it is, it tells for both.
        ("run.googleapis.com/Service",),
        "ingress labels",
        read={"ingress": _ingress, "labels": _labels_of_run},
        shapes={"ingress": unless("INGRESS_TRAFFIC_ALL")},
        aliases=("google_cloud_run_service",),
        key="//run.googleapis.com/projects/{project}/locations/{location}/services/{name}",
    ),
    GoogleType(
        "google_cloudfunctions_function",
        ("cloudfunctions.googleapis.com/CloudFunction",),
        "available_memory_mb build_environment_variables build_service_account build_worker_pool description entry_point"
        " environment_variables https_trigger_security_level ingress_settings kms_key_name labels max_instances min_instances"
        " runtime secret_environment_variables secret_volumes service_account_email timeout vpc_connector"
        " vpc_connector_egress_settings",
        at={"https_trigger_security_level": "httpsTrigger.securityLevel"},
        read={"timeout": _seconds},
        shapes={"ingress_settings": unless("ALLOW_ALL"), "kms_key_name": kms_key, "vpc_connector": tail},
        sensitive=frozenset({"build_environment_variables", "environment_variables"}),
    ),
    GoogleType(
        "google_cloudfunctions2_function",
        ("cloudfunctions.googleapis.com/Function",),
        "build_config description event_trigger kms_key_name labels service_config",
        inside={
            "build_config": "entry_point runtime worker_pool",
            "service_config": "all_traffic_on_latest_revision available_cpu available_memory environment_variables"
            " ingress_settings max_instance_count max_instance_request_concurrency min_instance_count service_account_email"
            " binary_authorization_policy secret_environment_variables secret_volumes timeout_seconds vpc_connector"
            " vpc_connector_egress_settings",
        },
        shapes={"service_config.ingress_settings": unless("ALLOW_ALL")},
        sensitive=frozenset({"service_config"}),
    ),
    GoogleType(
        "google_cloud_tasks_queue",
        ("cloudtasks.googleapis.com/Queue",),
        "app_engine_routing_override rate_limits retry_config stackdriver_logging_config",
        inside={"app_engine_routing_override": "instance service version"},
        shapes={
            "retry_config.max_backoff": duration,
            "retry_config.max_retry_duration": duration,
            "retry_config.min_backoff": duration,
        },
        is_certain=False,
    ),
    GoogleType(
        "google_dns_managed_zone",
        (ZONE,),
        "cloud_logging_config description dns_name dnssec_config forwarding_config labels peering_config"
        " private_visibility_config visibility",
        at={
            "forwarding_config.target_name_servers": "targetNameServers",
            "forwarding_config.target_name_servers.ipv4_address": "ipv4Address",
        },
        shapes={
            "forwarding_config.target_name_servers.forwarding_path": unless("default"),
            "dnssec_config.non_existence": word("nsec3"),
            "dnssec_config.state": word("off"),
            "visibility": word("public"),
        },
        inside={
            "dnssec_config": "non_existence state",
            "forwarding_config.target_name_servers": "forwarding_path ipv4_address",
            "private_visibility_config": "networks",
        },
        key="//dns.googleapis.com/projects/{project}/managedZones/{name}",
        live_key="//dns.googleapis.com/projects/{project}/managedZones/{name}",
    ),
    GoogleType(
        "google_dns_record_set",
        ("dns.googleapis.com/ResourceRecordSet",),
        "routing_policy rrdatas ttl",
        at={
            "routing_policy.enable_geo_fencing": "geo.enableFencing",
            "routing_policy.geo": "geo.items",
            "routing_policy.primary_backup.backup_geo": "backupGeoTargets.items",
            "routing_policy.primary_backup.enable_geo_fencing_for_backups": "backupGeoTargets.enableFencing",
            "routing_policy.primary_backup.primary": "primaryTargets",
            "routing_policy.primary_backup.trickle_ratio": "trickleTraffic",
            "routing_policy.wrr": "wrr.items",
        },
        shapes={"rrdatas": set_of(text)},
        key="//dns.googleapis.com/projects/{project}/managedZones/{managed_zone:tail}/rrsets/{name}/{type}",
        live_key="//dns.googleapis.com/projects/{project}/managedZones/{zone}/rrsets/{name}/{type}",
        made=_is_made_record,
        is_certain=False,
    ),
    GoogleType(
        "google_dns_policy",
        ("dns.googleapis.com/Policy",),
        "alternative_name_server_config description dns64_config enable_inbound_forwarding enable_logging networks",
        shapes={"alternative_name_server_config.target_name_servers.forwarding_path": unless("default")},
        key="//dns.googleapis.com/projects/{project}/policies/{name}",
        live_key="//dns.googleapis.com/projects/{project}/policies/{name}",
    ),
    GoogleType(
        "google_logging_project_sink",
        ("logging.googleapis.com/LogSink",),
        "bigquery_options description destination disabled exclusions filter",
        when=lambda asset: "/projects/" in asset.name,
        made=_is_made_bucket,
    ),
    GoogleType(
        "google_logging_metric",
        ("logging.googleapis.com/LogMetric",),
        "bucket_name bucket_options description disabled filter label_extractors metric_descriptor value_extractor",
        shapes={"metric_descriptor.labels.value_type": unless("STRING")},
        key="//logging.googleapis.com/projects/{project}/metrics/{name}",
    ),
    GoogleType(
        "google_logging_project_bucket_config",
        ("logging.googleapis.com/LogBucket",),
        "cmek_settings description enable_analytics index_configs locked retention_days",
        at={"enable_analytics": "analyticsEnabled"},
        shapes={"cmek_settings.kms_key_name": kms_key},
        when=lambda asset: "/projects/" in asset.name,
        made=_is_made_bucket,
    ),
    GoogleType(
        "google_monitoring_alert_policy",
        ("monitoring.googleapis.com/AlertPolicy",),
        "alert_strategy combiner conditions display_name documentation enabled notification_channels severity user_labels",
        shapes={"severity": unless("SEVERITY_UNSPECIFIED"), "conditions.condition_threshold.duration": duration},
    ),
    GoogleType(
        "google_vpc_access_connector",
        ("vpcaccess.googleapis.com/Connector",),
        "ip_cidr_range machine_type max_instances max_throughput min_instances min_throughput network subnet",
        shapes={"network": tail, "machine_type": unless("e2-micro")},
    ),
    GoogleType(
        "google_workflows_workflow",
        ("workflows.googleapis.com/Workflow",),
        "call_log_level crypto_key_name description execution_history_level labels service_account source_contents"
        " user_env_vars",
        shapes={
            "call_log_level": unless("CALL_LOG_LEVEL_UNSPECIFIED"),
            "execution_history_level": unless("EXECUTION_HISTORY_LEVEL_UNSPECIFIED"),
            "service_account": tail,
        },
    ),
)
