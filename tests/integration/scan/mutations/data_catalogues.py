"""Changes to Athena and Glue."""

from __future__ import annotations

from typing import Any

from tests.support.aws_account import Clients, Mutation

from ._again import again, fixed, unchanged_by_moto
from .calls import Apply, call, changed, create, missing, unmanaged

_TEAM = {"Team": "shop"}
_TEAM_LIST = [{"Key": "Team", "Value": "shop"}]
_GLUE = "arn:aws:glue:us-east-1:123456789012"
_ATHENA = "arn:aws:athena:us-east-1:123456789012"
_ROLE = "arn:aws:iam::123456789012:role/service"


def _tag(address: str) -> Mutation:
    return changed(address, "tags.Extra", call("glue", "tag_resource", "ResourceArn=arn", TagsToAdd={"Extra": "1"}))


_group = again(
    "athena", ("delete_work_group", {"WorkGroup": "analysts"}), "create_work_group",
    {"Name": "analysts", "Description": "Analysts", "Tags": _TEAM_LIST}, "aws_athena_workgroup.main",
)  # fmt: skip


def _configuration(**changes: Any) -> dict[str, Any]:
    return {
        "EnforceWorkGroupConfiguration": True, "PublishCloudWatchMetricsEnabled": True, "BytesScannedCutoffPerQuery": 10485760,
        "RequesterPaysEnabled": False, "ResultConfiguration": {"OutputLocation": "s3://lake-123456789012/results/"}, **changes,
    }  # fmt: skip


def _in_group(name: str, **changes: Any) -> Mutation:
    return _group(f"configuration.{name}", Configuration=_configuration(**changes))


_QUERIES: tuple[Mutation, ...] = (
    _in_group("enforce_workgroup_configuration", EnforceWorkGroupConfiguration=False),
    _in_group("publish_cloudwatch_metrics_enabled", PublishCloudWatchMetricsEnabled=False),
    _in_group("bytes_scanned_cutoff_per_query", BytesScannedCutoffPerQuery=20485760),
    _in_group("result_configuration.output_location", ResultConfiguration={"OutputLocation": "s3://other/"}),
    _group("description", Description="Other", Configuration=_configuration()),
    changed("aws_athena_workgroup.main", "tags.Extra", call("athena", "tag_resource", "ResourceARN=arn", Tags=[{"Key": "Extra", "Value": "1"}])),
    unmanaged("aws_athena_workgroup", call("athena", "create_work_group", Name="extra"), f"{_ATHENA}:workgroup/extra"),
    unmanaged(
        "aws_athena_named_query",
        create("athena", "create_named_query", "NamedQueryId", Name="extra", Database="clicks", QueryString="select 1", WorkGroup="analysts"),
    ),
    changed("aws_athena_data_catalog.main", "tags.Extra", call("athena", "tag_resource", "ResourceARN=arn", Tags=[{"Key": "Extra", "Value": "1"}])),
    unmanaged(
        "aws_athena_data_catalog",
        call("athena", "create_data_catalog", Name="extra", Type="GLUE", Description="Extra", Parameters={"catalog-id": "1"}, Tags=[]),
        f"{_ATHENA}:datacatalog/extra",
    ),
    Mutation(
        "aws_athena_workgroup.main",
        {("missing", "aws_athena_workgroup.main", ""), ("missing", "aws_athena_named_query.main", "")},
        call("athena", "delete_work_group", "WorkGroup=name", RecursiveDeleteOption=True),
    ),
)  # fmt: skip


def database(**changes: Any) -> Apply:
    """Update the catalogue database."""
    base = {
        "Name": "clicks",
        "Description": "Clicks",
        "LocationUri": "s3://lake-123456789012/clicks/",
        "Parameters": {"owner": "shop"},
    }
    return call("glue", "update_database", "Name=name", DatabaseInput={**base, **changes})


def _table(path: str, change: Any) -> Mutation:
    """Change one thing of the table: `change` receives the input that AWS would return."""

    def apply(clients: Clients, target: dict[str, Any]) -> None:
        place = {"DatabaseName": target["database_name"], "Name": target["name"]}
        found = clients("glue").get_table(**place)["Table"]
        kept = ("Name", "Description", "Owner", "Retention", "StorageDescriptor", "PartitionKeys", "TableType", "Parameters",
                "ViewOriginalText", "ViewExpandedText")  # fmt: skip
        wanted = {name: found[name] for name in kept if name in found}
        change(wanted)
        clients("glue").update_table(DatabaseName=target["database_name"], TableInput=wanted)

    return changed("aws_glue_catalog_table.main", path, apply)


def _set(name: str, value: Any) -> Any:
    return lambda wanted: wanted.__setitem__(name, value)


_CATALOGUE: tuple[Mutation, ...] = (
    changed("aws_glue_catalog_database.main", "description", database(Description="Other")),
    changed("aws_glue_catalog_database.main", "location_uri", database(LocationUri="s3://other/")),
    changed("aws_glue_catalog_database.main", "parameters.owner", database(Parameters={"owner": "other"})),
    _tag("aws_glue_catalog_database.main"),
    _table("description", _set("Description", "Other")),
    _table("owner", _set("Owner", "other")),
    _table("parameters.classification", _set("Parameters", {"classification": "csv"})),
    _table("partition_keys[0].type", _set("PartitionKeys", [{"Name": "day", "Type": "date"}])),
    _table("retention", _set("Retention", 7)),
    _table("table_type", _set("TableType", "VIRTUAL_VIEW")),
    _table("view_original_text", _set("ViewOriginalText", "select 1")),
    _table("view_expanded_text", _set("ViewExpandedText", "select 1")),
    _table("storage_descriptor.location", lambda wanted: wanted["StorageDescriptor"].update(Location="s3://other/visits/")),
    _table(
        "storage_descriptor.columns",
        lambda wanted: wanted["StorageDescriptor"].update(Columns=[{"Name": "user", "Type": "string"}, {"Name": "email", "Type": "string"}]),
    ),
    unmanaged(
        "aws_glue_catalog_table",
        call("glue", "create_table", DatabaseName="clicks", TableInput={"Name": "extra"}),
        f"{_GLUE}:table/clicks/extra",
    ),
    missing("aws_glue_catalog_table.main", call("glue", "delete_table", "DatabaseName=database_name", "Name=name")),
    unmanaged("aws_glue_catalog_database", call("glue", "create_database", DatabaseInput={"Name": "extra"}), f"{_GLUE}:database/extra"),
    missing("aws_glue_catalog_database.main", call("glue", "delete_database", "Name=name")),
)  # fmt: skip

_COMMAND = {"Name": "glueetl", "ScriptLocation": "s3://lake-123456789012/scripts/clean.py", "PythonVersion": "3"}
_job = again(
    "glue", ("delete_job", {"JobName": "clean"}), "create_job",
    {
        "Name": "clean", "Description": "Clean", "Role": _ROLE, "GlueVersion": "4.0", "WorkerType": "G.1X", "NumberOfWorkers": 2,
        "MaxRetries": 1, "Timeout": 60, "DefaultArguments": {"--job-language": "python"}, "Tags": _TEAM, "Command": _COMMAND,
    },
    "aws_glue_job.main",
)  # fmt: skip
_crawler = again(
    "glue", ("delete_crawler", {"Name": "clicks"}), "create_crawler",
    {
        "Name": "clicks", "Description": "Clicks", "DatabaseName": "clicks", "Role": "service", "Schedule": "cron(0 4 * * ? *)",
        "Tags": _TEAM, "Targets": {"S3Targets": [{"Path": "s3://lake-123456789012/clicks"}]},
    },
    "aws_glue_crawler.main",
)  # fmt: skip
_trigger = again(
    "glue", ("delete_trigger", {"Name": "nightly"}), "create_trigger",
    {
        "Name": "nightly", "Type": "SCHEDULED", "Schedule": "cron(0 5 * * ? *)", "StartOnCreation": True, "Tags": _TEAM,
        "Actions": [{"JobName": "clean"}],
    },
    "aws_glue_trigger.main",
)  # fmt: skip
_JOBS: tuple[Mutation, ...] = (
    _job("command.script_location", Command={**_COMMAND, "ScriptLocation": "s3://other/clean.py"}),
    _job("connections", Connections={"Connections": ["orders"]}),
    _job("default_arguments.--job-language", DefaultArguments={"--job-language": "scala"}),
    _job("description", Description="Other"),
    _job("execution_class", ExecutionClass="FLEX"),
    _job("execution_property", ExecutionProperty={"MaxConcurrentRuns": 5}),
    _job("glue_version", GlueVersion="3.0"),
    _job("max_retries", MaxRetries=3),
    _job("non_overridable_arguments", NonOverridableArguments={"--job-language": "python"}),
    _job("notification_property", NotificationProperty={"NotifyDelayAfter": 5}),
    _job("number_of_workers", NumberOfWorkers=10),
    _job("role_arn", Role="arn:aws:iam::123456789012:role/other"),
    _job("security_configuration", SecurityConfiguration="encrypted"),
    _job("timeout", Timeout=600),
    _job("worker_type", WorkerType="G.2X"),
    _tag("aws_glue_job.main"),
    unmanaged("aws_glue_job", call("glue", "create_job", Name="extra", Role=_ROLE, Command=_COMMAND), f"{_GLUE}:job/extra"),
    missing("aws_glue_job.main", call("glue", "delete_job", "JobName=name")),
    _crawler("configuration", Configuration='{"Version": 1.0}'),
    _crawler("database_name", DatabaseName="other"),
    _crawler("description", Description="Other"),
    _crawler("role", Role="other"),
    _crawler("s3_target[0].path", Targets={"S3Targets": [{"Path": "s3://other"}]}),
    _crawler("schedule", Schedule="cron(0 5 * * ? *)"),
    _crawler("schema_change_policy", SchemaChangePolicy={"UpdateBehavior": "LOG", "DeleteBehavior": "LOG"}),
    _crawler("security_configuration", CrawlerSecurityConfiguration="encrypted"),
    _crawler("table_prefix", TablePrefix="raw_"),
    _crawler("classifiers", Classifiers=["own"]),
    _tag("aws_glue_crawler.main"),
    unmanaged(
        "aws_glue_crawler",
        call("glue", "create_crawler", Name="extra", Role="service", DatabaseName="clicks", Targets={"S3Targets": [{"Path": "s3://x"}]}),
        f"{_GLUE}:crawler/extra",
    ),
    missing("aws_glue_crawler.main", call("glue", "delete_crawler", "Name=name")),
    _trigger("actions[0].job_name", Actions=[{"JobName": "other"}]),
    _trigger("description", Description="Other"),
    _trigger("schedule", Schedule="cron(0 6 * * ? *)"),
    _trigger("workflow_name", WorkflowName="nightly"),
    _tag("aws_glue_trigger.main"),
    changed("aws_glue_trigger.main", "enabled", call("glue", "stop_trigger", "Name=name")),
    unmanaged(
        "aws_glue_trigger",
        call("glue", "create_trigger", Name="extra", Type="ON_DEMAND", Actions=[{"JobName": "clean"}]),
        f"{_GLUE}:trigger/extra",
    ),
    missing("aws_glue_trigger.main", call("glue", "delete_trigger", "Name=name")),
)  # fmt: skip

_registry = again(
    "glue", ("delete_registry", {"RegistryId": {"RegistryName": "events"}}), "create_registry",
    {"RegistryName": "events", "Description": "Events", "Tags": _TEAM}, "aws_glue_registry.main",
)  # fmt: skip
_ENCRYPTION = {"S3Encryption": [{"S3EncryptionMode": "DISABLED"}]}


def _unencrypted(clients: Clients, target: dict[str, Any]) -> None:
    clients("glue").delete_security_configuration(Name="encrypted")
    written = target["encryption_configuration"][0]["cloudwatch_encryption"][0]
    clients("glue").create_security_configuration(
        Name="encrypted",
        EncryptionConfiguration={
            **_ENCRYPTION,
            "CloudWatchEncryption": {"CloudWatchEncryptionMode": "SSE-KMS", "KmsKeyArn": written["kms_key_arn"]},
            "JobBookmarksEncryption": {"JobBookmarksEncryptionMode": "DISABLED"},
        },
    )


_REST: tuple[Mutation, ...] = (
    _tag("aws_glue_connection.main"),
    unmanaged(
        "aws_glue_connection",
        call("glue", "create_connection", ConnectionInput={"Name": "extra", "ConnectionType": "NETWORK", "ConnectionProperties": {}}),
        f"{_GLUE}:connection/extra",
    ),
    _registry("description", Description="Other"),
    _tag("aws_glue_registry.main"),
    unmanaged("aws_glue_registry", create("glue", "create_registry", "RegistryArn", RegistryName="extra")),
    missing("aws_glue_registry.main", call("glue", "delete_registry", RegistryId={"RegistryName": "events"})),
    changed("aws_glue_workflow.main", "description", call("glue", "update_workflow", "Name=name", Description="Other")),
    changed("aws_glue_workflow.main", "default_run_properties", call("glue", "update_workflow", "Name=name", Description="Nightly", DefaultRunProperties={"a": "b"})),
    changed("aws_glue_workflow.main", "max_concurrent_runs", call("glue", "update_workflow", "Name=name", Description="Nightly", MaxConcurrentRuns=4)),
    _tag("aws_glue_workflow.main"),
    unmanaged("aws_glue_workflow", call("glue", "create_workflow", Name="extra"), f"{_GLUE}:workflow/extra"),
    missing("aws_glue_workflow.main", call("glue", "delete_workflow", "Name=name")),
    changed("aws_glue_security_configuration.main", "encryption_configuration.s3_encryption", _unencrypted),
    unmanaged(
        "aws_glue_security_configuration",
        call("glue", "create_security_configuration", Name="extra", EncryptionConfiguration=_ENCRYPTION),
        "us-east-1|extra",
    ),
    missing("aws_glue_security_configuration.main", call("glue", "delete_security_configuration", "Name=name")),
)  # fmt: skip

MUTATIONS = (*_QUERIES, *_JOBS, *_REST, *_CATALOGUE)

EXCEPTIONS: dict[str, str] = {
    **unchanged_by_moto("aws_athena_workgroup", "state"),
    **unchanged_by_moto("aws_athena_named_query", "database", "description", "name", "query", "workgroup"),
    **unchanged_by_moto("aws_athena_data_catalog", "description", "missing", "parameters", "type"),
    **fixed("aws_glue_trigger", "type"),
    **unchanged_by_moto(
        "aws_glue_connection",
        "connection_properties",
        "connection_type",
        "description",
        "match_criteria",
        "missing",
        "physical_connection_requirements",
    ),
}
