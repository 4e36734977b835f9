"""Reads Athena and Glue.

Source: Amazon Athena API Reference and AWS Glue Web API Reference, the actions named in each listing.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Any

from ...domain.resources import LiveResource
from .base import Finding, Gap, Item, Listing, Scope, Service, attempt, each, tag_map
from .forms import blocks, in_snake, inside, tagged

_GONE = ("EntityNotFoundException", "InvalidRequestException")
_FREE = frozenset({"Parameters", "Arguments"})  # members that hold maps of free names


def read_workgroups(scope: Scope) -> Iterator[Finding]:
    """List workgroups; every account has the one named `primary`."""
    client, kind = scope.client("athena"), "aws_athena_workgroup"

    def one(item: Item) -> Iterator[Finding]:
        arn = scope.arn("athena", f"workgroup/{item['Name']}")
        reply = attempt("athena", lambda: client.get_work_group(WorkGroup=item["Name"]), *_GONE)
        if isinstance(reply, Gap):
            yield reply.unread(kind, arn)
            return
        found = reply.get("WorkGroup") or {}
        configuration = found.get("Configuration") or {}
        written = {
            **in_snake(configuration, "BytesScannedCutoffPerQuery", "EnforceWorkGroupConfiguration", "ExecutionRole"),
            "enforce_workgroup_configuration": configuration.get("EnforceWorkGroupConfiguration"),
            "publish_cloudwatch_metrics_enabled": configuration.get("PublishCloudWatchMetricsEnabled"),
            "requester_pays_enabled": configuration.get("RequesterPaysEnabled"),
            "result_configuration": blocks(configuration.get("ResultConfiguration")),
        }
        attributes: dict[str, object] = {"configuration": [written], **in_snake(found, "Description", "State")}
        yield from tagged(
            scope,
            kind,
            arn,
            attributes,
            arn,
            lambda: _athena_tags(client, arn),
            *_GONE,
            cloud_made=item["Name"] == "primary",
        )

    yield from each(scope.pages("athena", "list_work_groups", "WorkGroups"), one)


def _athena_tags(client: Any, arn: str) -> dict[str, str]:
    return tag_map(client.list_tags_for_resource(ResourceARN=arn).get("Tags"))


def read_queries(scope: Scope) -> Iterator[Finding]:
    """List the named queries of all workgroups."""
    client, kind = scope.client("athena"), "aws_athena_named_query"

    def one(group: Item) -> Iterator[Finding]:
        for identifier in scope.pages("athena", "list_named_queries", "NamedQueryIds", WorkGroup=group["Name"]):
            key = str(identifier)
            reply = attempt("athena", partial(client.get_named_query, NamedQueryId=key), *_GONE)
            if isinstance(reply, Gap):
                yield reply.unread(kind, key)
            elif reply:
                found = reply["NamedQuery"]
                attributes: dict[str, object] = {
                    **in_snake(found, "Database", "Description", "Name"),
                    "query": found.get("QueryString"),
                    "workgroup": found.get("WorkGroup"),
                }
                yield LiveResource(kind, key, scope.region, attributes, key)

    yield from each(scope.pages("athena", "list_work_groups", "WorkGroups"), one)


def read_data_catalogs(scope: Scope) -> Iterator[Finding]:
    """List data catalogues; every account has `AwsDataCatalog`."""
    client, kind = scope.client("athena"), "aws_athena_data_catalog"

    def one(item: Item) -> Iterator[Finding]:
        name = item["CatalogName"]
        arn = scope.arn("athena", f"datacatalog/{name}")
        if name == "AwsDataCatalog":
            yield LiveResource(kind, arn, scope.region, {}, arn, cloud_made=True)
            return
        reply = attempt("athena", lambda: client.get_data_catalog(Name=name), *_GONE)
        if isinstance(reply, Gap):
            yield reply.unread(kind, arn)
            return
        attributes = in_snake(reply.get("DataCatalog") or {}, "Description", "Parameters", "Type")
        yield from tagged(scope, kind, arn, attributes, arn, lambda: _athena_tags(client, arn), *_GONE)

    yield from each(scope.pages("athena", "list_data_catalogs", "DataCatalogsSummary"), one)


def read_databases(scope: Scope) -> Iterator[Finding]:
    """List catalogue databases, each with its tables."""
    client, table = scope.client("glue"), "aws_glue_catalog_table"

    def one(item: Item) -> Iterator[Finding]:
        name, catalog = item["Name"], item.get("CatalogId") or scope.account
        arn = scope.arn("glue", f"database/{name}", account=catalog)
        attributes = in_snake(item, "Description", "LocationUri", "Parameters")
        yield from _tagged(scope, client, "aws_glue_catalog_database", arn, attributes)
        for found in scope.pages("glue", "get_tables", "TableList", DatabaseName=name):
            key = scope.arn("glue", f"table/{name}/{found['Name']}", account=catalog)
            yield LiveResource(table, key, scope.region, _table(found), key)

    yield from each(scope.pages("glue", "get_databases", "DatabaseList"), one)


def _table(item: Item) -> dict[str, object]:
    storage: dict[str, Any] = item.get("StorageDescriptor") or {}
    serde = storage.get("SerdeInfo") or {}
    return {
        **in_snake(
            item, "Description", "Owner", "Parameters", "Retention", "TableType", "ViewExpandedText", "ViewOriginalText"
        ),
        "partition_keys": blocks(item.get("PartitionKeys") or [], _FREE),
        "storage_descriptor": [{**inside(storage, _FREE), "ser_de_info": blocks(serde, _FREE)}] if storage else [],
    }


def _tagged(scope: Scope, client: Any, kind: str, arn: str, attributes: dict[str, object]) -> Iterator[Finding]:
    def call() -> dict[str, str]:
        return client.get_tags(ResourceArn=arn).get("Tags") or {}

    yield from tagged(scope, kind, arn, attributes, arn, call, *_GONE)


def read_jobs(scope: Scope) -> Iterator[Finding]:
    """List jobs."""
    client = scope.client("glue")

    def one(item: Item) -> Iterator[Finding]:
        arn = scope.arn("glue", f"job/{item['Name']}")
        attributes: dict[str, object] = {
            **in_snake(
                item, "DefaultArguments", "Description", "ExecutionClass", "GlueVersion", "MaxRetries",
                "NonOverridableArguments", "NumberOfWorkers", "SecurityConfiguration", "Timeout", "WorkerType",
            ),
            "command": blocks(item.get("Command")),
            "connections": (item.get("Connections") or {}).get("Connections"),
            "execution_property": blocks(item.get("ExecutionProperty")),
            "notification_property": blocks(item.get("NotificationProperty")),
            "role_arn": item.get("Role"),
        }  # fmt: skip
        yield from _tagged(scope, client, "aws_glue_job", arn, attributes)

    yield from each(scope.pages("glue", "get_jobs", "Jobs"), one)


def read_crawlers(scope: Scope) -> Iterator[Finding]:
    """List crawlers; of their targets those in S3 are read."""
    client = scope.client("glue")

    def one(item: Item) -> Iterator[Finding]:
        arn = scope.arn("glue", f"crawler/{item['Name']}")
        targets = (item.get("Targets") or {}).get("S3Targets") or []
        attributes: dict[str, object] = {
            **in_snake(item, "Classifiers", "Configuration", "DatabaseName", "Description", "Role", "TablePrefix"),
            "s3_target": blocks(targets),
            "schedule": (item.get("Schedule") or {}).get("ScheduleExpression"),
            "schema_change_policy": blocks(item.get("SchemaChangePolicy")),
            "security_configuration": item.get("CrawlerSecurityConfiguration"),
        }
        yield from _tagged(scope, client, "aws_glue_crawler", arn, attributes)

    yield from each(scope.pages("glue", "get_crawlers", "Crawlers"), one)


def read_triggers(scope: Scope) -> Iterator[Finding]:
    """List triggers."""
    client = scope.client("glue")

    def one(item: Item) -> Iterator[Finding]:
        arn = scope.arn("glue", f"trigger/{item['Name']}")
        attributes: dict[str, object] = {
            **in_snake(item, "Description", "Schedule", "Type", "WorkflowName"),
            "actions": blocks(item.get("Actions") or [], _FREE),
        }
        if item.get("Type") != "ON_DEMAND":  # one on demand is activated by its runs
            attributes["enabled"] = item.get("State") in {"ACTIVATED", "ACTIVATING", "CREATED"}
        yield from _tagged(scope, client, "aws_glue_trigger", arn, attributes)

    yield from each(scope.pages("glue", "get_triggers", "Triggers"), one)


def read_registries(scope: Scope) -> Iterator[Finding]:
    """List schema registries."""
    client = scope.client("glue")

    def one(item: Item) -> Iterator[Finding]:
        attributes = in_snake(item, "Description")
        yield from _tagged(scope, client, "aws_glue_registry", item["RegistryArn"], attributes)

    yield from each(scope.pages("glue", "list_registries", "Registries"), one)


def read_workflows(scope: Scope) -> Iterator[Finding]:
    """List workflows; each takes a call."""
    client, kind = scope.client("glue"), "aws_glue_workflow"

    def one(item: Item) -> Iterator[Finding]:
        arn = scope.arn("glue", f"workflow/{item['Name']}")
        reply = attempt("glue", lambda: client.get_workflow(Name=item["Name"]), *_GONE)
        if isinstance(reply, Gap):
            yield reply.unread(kind, arn)
        elif reply:
            attributes = in_snake(reply["Workflow"], "DefaultRunProperties", "Description", "MaxConcurrentRuns")
            yield from _tagged(scope, client, kind, arn, attributes)

    yield from each(({"Name": name} for name in scope.pages("glue", "list_workflows", "Workflows")), one)


def read_connections(scope: Scope) -> Iterator[Finding]:
    """List connections. Passwords are not asked for: what differs by them alone is not seen."""
    client, kind = scope.client("glue"), "aws_glue_connection"

    def one(item: Item) -> Iterator[Finding]:
        arn = scope.arn("glue", f"connection/{item['Name']}")
        attributes: dict[str, object] = {
            **in_snake(item, "ConnectionProperties", "ConnectionType", "Description", "MatchCriteria"),
            "physical_connection_requirements": blocks(item.get("PhysicalConnectionRequirements")),
        }
        yield from _tagged(scope, client, kind, arn, attributes)

    yield from each(scope.pages("glue", "get_connections", "ConnectionList", HidePassword=True), one)


def read_security_configurations(scope: Scope) -> Iterator[Finding]:
    """List security configurations."""
    for item in scope.pages("glue", "get_security_configurations", "SecurityConfigurations"):
        found = item.get("EncryptionConfiguration") or {}
        written = {
            "cloudwatch_encryption": [
                {
                    "cloudwatch_encryption_mode": (found.get("CloudWatchEncryption") or {}).get(
                        "CloudWatchEncryptionMode"
                    ),
                    "kms_key_arn": (found.get("CloudWatchEncryption") or {}).get("KmsKeyArn"),
                }
            ],
            "job_bookmarks_encryption": blocks(found.get("JobBookmarksEncryption")),
            "s3_encryption": [
                {"s3_encryption_mode": entry.get("S3EncryptionMode"), "kms_key_arn": entry.get("KmsKeyArn")}
                for entry in found.get("S3Encryption") or ()
            ],
        }
        attributes: dict[str, object] = {"encryption_configuration": [written]}
        yield LiveResource("aws_glue_security_configuration", item["Name"], scope.region, attributes, item["Name"])


SERVICE = Service(
    "catalogues",
    (
        Listing(
            ("aws_athena_workgroup",),
            read_workgroups,
            ("athena:ListWorkGroups", "athena:GetWorkGroup", "athena:ListTagsForResource"),
        ),
        Listing(
            ("aws_athena_named_query",),
            read_queries,
            ("athena:ListWorkGroups", "athena:ListNamedQueries", "athena:GetNamedQuery"),
        ),
        Listing(
            ("aws_athena_data_catalog",),
            read_data_catalogs,
            ("athena:ListDataCatalogs", "athena:GetDataCatalog", "athena:ListTagsForResource"),
        ),
        Listing(
            ("aws_glue_catalog_database", "aws_glue_catalog_table"),
            read_databases,
            ("glue:GetDatabases", "glue:GetTables", "glue:GetTags"),
        ),
        Listing(("aws_glue_job",), read_jobs, ("glue:GetJobs", "glue:GetTags")),
        Listing(("aws_glue_crawler",), read_crawlers, ("glue:GetCrawlers", "glue:GetTags")),
        Listing(("aws_glue_trigger",), read_triggers, ("glue:GetTriggers", "glue:GetTags")),
        Listing(("aws_glue_registry",), read_registries, ("glue:ListRegistries", "glue:GetTags")),
        Listing(("aws_glue_workflow",), read_workflows, ("glue:ListWorkflows", "glue:GetWorkflow", "glue:GetTags")),
        Listing(("aws_glue_connection",), read_connections, ("glue:GetConnections", "glue:GetTags")),
        Listing(
            ("aws_glue_security_configuration",),
            read_security_configurations,
            ("glue:GetSecurityConfigurations",),
        ),
    ),
)
