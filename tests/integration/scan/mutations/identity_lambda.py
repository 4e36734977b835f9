"""Changes to Lambda functions and what hangs on them."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable
from typing import Any

from tests.support.aws_account import CREATED, Clients, Mutation

Apply = Callable[[Clients, dict[str, Any]], object]

_ARN = "arn:aws:lambda:us-east-1:123456789012:function:"
_MAIN, _SPARE = "aws_lambda_function.main", "aws_lambda_function.spare"


def call(operation: str, *names: str, **arguments: Any) -> Apply:
    """Make one Lambda call; `names` are `Argument=attribute` pairs filled from the target."""

    def apply(clients: Clients, target: dict[str, Any]) -> None:
        filled = {name: target[attribute] for name, attribute in (pair.split("=") for pair in names)}
        getattr(clients("lambda"), operation)(**filled, **arguments)

    return apply


def changed(address: str, path: str, apply: Apply) -> Mutation:
    return Mutation(address, {("changed", address, path)}, apply)


def missing(address: str, apply: Apply) -> Mutation:
    return Mutation(address, {("missing", address, "")}, apply)


def configure(**arguments: Any) -> Apply:
    return call("update_function_configuration", "FunctionName=function_name", **arguments)


def code(text: str = "def handler(event, context):\n    return {}\n") -> bytes:
    """Return a zip file that is the same for the same text; without a text, the one of the fixture."""
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        archive.writestr(zipfile.ZipInfo("index.py", (2020, 1, 1, 0, 0, 0)), text)
    return content.getvalue()


def _create(clients: Clients, target: dict[str, Any], **override: Any) -> str:
    arguments = {
        "Role": target["role"],
        "Handler": "index.handler",
        "Runtime": "python3.12",
        "Code": {"ZipFile": code()},
        "Tags": {"Owner": "platform"},
    }
    name = override.pop("FunctionName", target["function_name"])
    clients("lambda").create_function(FunctionName=name, **{**arguments, **override})
    return f"{_ARN}{name}"


def made_anew(**override: Any) -> Apply:
    """Delete the function and make it again, in one respect different (moto's update knows few arguments)."""

    def apply(clients: Clients, target: dict[str, Any]) -> None:
        clients("lambda").delete_function(FunctionName=target["function_name"])
        _create(clients, target, **override)

    return apply


_IMAGE_CONFIG: dict[str, Any] = {"Command": ["app.handler"], "EntryPoint": ["/entry"], "WorkingDirectory": "/app"}


def made_image_anew(**override: Any) -> Apply:
    """Delete a function made of an image and make it again, in one respect different."""

    def apply(clients: Clients, target: dict[str, Any]) -> None:
        name = target["function_name"]
        arguments = {
            "Role": target["role"],
            "PackageType": "Image",
            "Code": {"ImageUri": target["image_uri"]},
            "ImageConfig": _IMAGE_CONFIG,
            "Tags": {"Owner": "platform"},
        }
        clients("lambda").delete_function(FunctionName=name)
        clients("lambda").create_function(FunctionName=name, **{**arguments, **override})

    return apply


def anew(path: str, **override: Any) -> Mutation:
    return changed(_SPARE, path, made_anew(**override))


def _allow_anybody(clients: Clients, _function: dict[str, Any]) -> str:
    clients("lambda").add_permission(
        FunctionName="spare", StatementId="Everybody", Action="lambda:InvokeFunction", Principal="*"
    )
    return f"{_ARN}spare||Everybody"


_PERMISSION: dict[str, Any] = {
    "StatementId": "AllowS3",
    "FunctionName": "main",
    "Action": "lambda:InvokeFunction",
    "Principal": "s3.amazonaws.com",
    "SourceArn": "arn:aws:s3:::dw-identity-main",
    "SourceAccount": "123456789012",
}


def _permit(**override: Any) -> Apply:
    """Replace the statement of the target by one that differs in one respect."""

    def apply(clients: Clients, _permission: dict[str, Any]) -> None:
        clients("lambda").remove_permission(FunctionName="main", StatementId="AllowS3")
        clients("lambda").add_permission(**{**_PERMISSION, **override})

    return apply


def _permit_other_org(clients: Clients, target: dict[str, Any]) -> None:
    names = {"FunctionName": target["function_name"], "StatementId": target["statement_id"]}
    clients("lambda").remove_permission(**names)
    clients("lambda").add_permission(
        **names, Action=target["action"], Principal=target["principal"], PrincipalOrgID="o-0987654321"
    )


def permission(path: str, **override: Any) -> Mutation:
    return changed("aws_lambda_permission.s3", path, _permit(**override))


_FUNCTIONS: tuple[Mutation, ...] = (
    changed(_MAIN, "description", configure(Description="other")),
    changed(_MAIN, "handler", configure(Handler="other.handler")),
    changed(_MAIN, "memory_size", configure(MemorySize=512)),
    changed(_MAIN, "timeout", configure(Timeout=60)),
    changed(_MAIN, "runtime", configure(Runtime="python3.13")),
    changed(
        _MAIN,
        "environment",
        configure(Environment={"Variables": {"LOG_LEVEL": "debug", "TABLE": "orders"}}),
    ),
    changed(_MAIN, "layers", configure(Layers=[])),
    changed(_SPARE, "role", configure(Role="arn:aws:iam::123456789012:role/service/app")),
    changed(
        _MAIN,
        "reserved_concurrent_executions",
        call("put_function_concurrency", "FunctionName=function_name", ReservedConcurrentExecutions=7),
    ),
    changed(_MAIN, "vpc_config", configure(VpcConfig={"SubnetIds": [], "SecurityGroupIds": []})),
    Mutation(
        "aws_lambda_function.image",
        {
            ("changed", "aws_lambda_function.image", "image_uri"),
            ("changed", "aws_lambda_function.image", "code_sha256"),  # another image is other code
        },
        made_image_anew(Code={"ImageUri": "123456789012.dkr.ecr.us-east-1.amazonaws.com/app:v2"}),
    ),
    changed(
        "aws_lambda_function.image",
        "image_config.command[0]",
        made_image_anew(
            Code={"ImageUri": "123456789012.dkr.ecr.us-east-1.amazonaws.com/app:v2"},
            ImageConfig={**_IMAGE_CONFIG, "Command": ["other.handler"]},
        ),
    ),
    changed(_MAIN, "tags.Extra", call("tag_resource", "Resource=arn", Tags={"Extra": "1"})),
    changed(
        'aws_lambda_function.bare["bare-b"]',
        "code_sha256",
        call("update_function_code", "FunctionName=function_name", ZipFile=code("raise SystemExit\n")),
    ),
    anew("architectures", Architectures=["arm64"]),
    anew("ephemeral_storage", EphemeralStorage={"Size": 2048}),
    anew("kms_key_arn", KMSKeyArn="arn:aws:kms:us-east-1:123456789012:key/00000000-0000-0000-0000-000000000000"),
    anew("tracing_config", TracingConfig={"Mode": "Active"}),
    anew("code_signing_config_arn", CodeSigningConfigArn=f"{_ARN[:-9]}code-signing-config:csc-0123456789abcdef0"),
    Mutation("aws_lambda_function.spare", {("unmanaged", CREATED, "")}, lambda clients, target: _create(
        clients, target, FunctionName="extra"
    )),
    Mutation(
        'aws_lambda_function.bare["bare-a"]',
        {("missing", 'aws_lambda_function.bare["bare-a"]', ""), ("missing", "aws_lambda_permission.org", "")},
        call("delete_function", "FunctionName=function_name"),
    ),
)  # fmt: skip

_PERMISSIONS: tuple[Mutation, ...] = (
    permission("action", Action="lambda:*"),
    permission("principal", Principal="events.amazonaws.com"),
    permission("source_arn", SourceArn="arn:aws:s3:::somebody-elses"),
    permission("source_account", SourceAccount="999988887777"),
    changed("aws_lambda_permission.org", "principal_org_id", _permit_other_org),
    Mutation(_SPARE, {("unmanaged", CREATED, "")}, _allow_anybody, also=("aws_lambda_permission",)),
    missing(
        "aws_lambda_permission.secrets", call("remove_permission", FunctionName="main", StatementId="AllowSecrets")
    ),
)

_URL = "aws_lambda_function_url.main"
_JOBS = "aws_lambda_event_source_mapping.jobs"


def mapping(path: str, **arguments: Any) -> Mutation:
    return changed(_JOBS, path, call("update_event_source_mapping", "UUID=uuid", **arguments))


def _create_mapping(clients: Clients, _target: dict[str, Any]) -> str:
    queue = clients("sqs").create_queue(QueueName="extra")["QueueUrl"].rsplit("/", 1)[-1]
    reply = clients("lambda").create_event_source_mapping(
        EventSourceArn=f"arn:aws:sqs:us-east-1:123456789012:{queue}", FunctionName="main"
    )
    return str(reply["UUID"])


def _create_alias(clients: Clients, _target: dict[str, Any]) -> str:
    clients("lambda").create_alias(FunctionName="main", Name="extra", FunctionVersion="1")
    return f"{_ARN}main:extra"


def _create_url(clients: Clients, function: dict[str, Any]) -> str:
    clients("lambda").create_function_url_config(FunctionName=function["function_name"], AuthType="NONE")
    return str(function["arn"])


_HANGING: tuple[Mutation, ...] = (
    changed(
        "aws_lambda_alias.live",
        "description",
        call("update_alias", "FunctionName=function_name", "Name=name", Description="other"),
    ),
    changed(
        "aws_lambda_alias.live",
        "function_version",
        call("update_alias", "FunctionName=function_name", "Name=name", FunctionVersion="$LATEST"),
    ),
    changed(
        "aws_lambda_alias.live",
        "routing_config",
        call(
            "update_alias",
            "FunctionName=function_name",
            "Name=name",
            RoutingConfig={"AdditionalVersionWeights": {"1": 0.1}},
        ),
    ),
    Mutation("", {("unmanaged", CREATED, "")}, _create_alias, also=("aws_lambda_alias",)),
    missing("aws_lambda_alias.live", call("delete_alias", "FunctionName=function_name", "Name=name")),
    changed(
        _URL,
        "authorization_type",
        call("update_function_url_config", "FunctionName=function_name", AuthType="NONE"),
    ),
    changed(
        _URL,
        "cors.allow_origins",
        call(
            "update_function_url_config",
            "FunctionName=function_name",
            Cors={
                "AllowCredentials": True,
                "AllowHeaders": ["date"],
                "AllowMethods": ["GET"],
                "AllowOrigins": ["*"],
                "ExposeHeaders": ["date"],
                "MaxAge": 60,
            },
        ),
    ),
    missing(_URL, call("delete_function_url_config", "FunctionName=function_name")),
    Mutation(_SPARE, {("unmanaged", CREATED, "")}, _create_url, also=("aws_lambda_function_url",)),
    mapping("batch_size", BatchSize=7),
    mapping("bisect_batch_on_function_error", BisectBatchOnFunctionError=True),
    mapping(
        "destination_config",
        DestinationConfig={"OnFailure": {"Destination": "arn:aws:sqs:us-east-1:123456789012:dead"}},
    ),
    mapping("enabled", Enabled=False),
    mapping("filter_criteria", FilterCriteria={"Filters": []}),
    mapping("function_response_types", FunctionResponseTypes=[]),
    mapping("function_arn", FunctionName="spare"),
    mapping("kms_key_arn", KMSKeyArn="arn:aws:kms:us-east-1:123456789012:key/00000000-0000-0000-0000-000000000000"),
    mapping("maximum_batching_window_in_seconds", MaximumBatchingWindowInSeconds=20),
    mapping("maximum_record_age_in_seconds", MaximumRecordAgeInSeconds=600),
    mapping("maximum_retry_attempts", MaximumRetryAttempts=3),
    mapping("parallelization_factor", ParallelizationFactor=4),
    mapping("scaling_config.maximum_concurrency", ScalingConfig={"MaximumConcurrency": 10}),
    mapping("source_access_configuration", SourceAccessConfigurations=[{"Type": "BASIC_AUTH", "URI": "arn:x"}]),
    mapping("tumbling_window_in_seconds", TumblingWindowInSeconds=30),
    changed(
        _JOBS,
        "tags.Extra",
        call("tag_resource", "Resource=arn", Tags={"Extra": "1"}),
    ),
    Mutation("", {("unmanaged", CREATED, "")}, _create_mapping, also=("aws_lambda_event_source_mapping",)),
    missing(_JOBS, call("delete_event_source_mapping", "UUID=uuid")),
)

# The functions' own changes come last: made anew, a function has lost what hung on it.
MUTATIONS: tuple[Mutation, ...] = (*_PERMISSIONS, *_HANGING, *_FUNCTIONS)

_NOT_REPORTED = "moto does not report it"

EXCEPTIONS: dict[str, str] = {
    "aws_lambda_function.dead_letter_config": _NOT_REPORTED,
    "aws_lambda_function.file_system_config": _NOT_REPORTED,
    "aws_lambda_function.logging_config": _NOT_REPORTED,
    "aws_lambda_function.snap_start": _NOT_REPORTED,
    "aws_lambda_function.package_type": "fixed at creation",
    "aws_lambda_function_url.invoke_mode": "moto does not change it",
    "aws_lambda_permission.event_source_token": "moto drops the condition",
    "aws_lambda_permission.function_url_auth_type": "moto drops the condition",
    "aws_lambda_event_source_mapping.event_source_arn": "fixed at creation",
    "aws_lambda_event_source_mapping.queues": "for MQ sources, which moto does not offer",
    "aws_lambda_event_source_mapping.topics": "for Kafka sources, which moto does not offer",
}
