"""The AWS stand-in's fault switches, as boto3 meets them: each failure must look like AWS's own."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from functools import cache, partial
from typing import Any

import boto3
import httpx
import pytest
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError, ConnectionClosedError, EndpointConnectionError
from botocore.parsers import ResponseParserError

from functions.scan.readers.aws.base import DENIED, THROTTLED, reason_of
from local_emulator.aws import empty_and_replay, replay
from local_emulator.aws_faults import AwsRequest, Faults, answer, rest_operation
from local_emulator.moto_server import REPLAY_PATH
from tests.support.aws_account import FIXTURES, load_state, moto_account
from tests.support.waiting import wait_until

FAULTS = "/moto-api/faults"

# service of boto3, signing name, operation, how it is called
CALLS: list[tuple[str, str, str, dict[str, str]]] = [
    ("ec2", "ec2", "DescribeVpcs", {}),
    ("iam", "iam", "ListRoles", {}),
    ("sts", "sts", "GetCallerIdentity", {}),
    ("elbv2", "elasticloadbalancing", "DescribeLoadBalancers", {}),
    ("dynamodb", "dynamodb", "ListTables", {}),
    ("sqs", "sqs", "ListQueues", {}),
    ("logs", "logs", "DescribeLogGroups", {}),
    ("cloudwatch", "monitoring", "DescribeAlarms", {}),
    ("lambda", "lambda", "ListFunctions", {}),
    ("route53", "route53", "ListHostedZones", {}),
    ("s3", "s3", "ListBuckets", {}),
    ("s3", "s3", "GetBucketPolicy", {"Bucket": "a-bucket"}),
]
_NAMES = [f"{signing}:{operation}" for _, signing, operation, _ in CALLS]


@pytest.fixture(scope="module")
def endpoint() -> Iterator[str]:
    with moto_account() as url:
        httpx.put(f"{url}/a-bucket", headers={"Authorization": _scope("s3")}).raise_for_status()
        yield url


@pytest.fixture
def aws(endpoint: str) -> Iterator[str]:
    yield endpoint
    httpx.delete(endpoint + FAULTS).raise_for_status()


def _scope(service: str) -> str:
    return (
        f"AWS4-HMAC-SHA256 Credential=test/20260101/us-east-1/{service}/aws4_request, SignedHeaders=host, Signature=0"
    )


def _switch(endpoint: str, **fault: Any) -> None:
    httpx.post(endpoint + FAULTS, json=fault).raise_for_status()


def _hits(endpoint: str) -> list[int]:
    return [item["hits"] for item in httpx.get(endpoint + FAULTS).json()["faults"]]


@cache
def _client(endpoint: str, service: str, *, attempts: int = 1, read_timeout: float = 30) -> Any:
    session: Any = boto3.Session(aws_access_key_id="test", aws_secret_access_key="test", region_name="us-east-1")
    retries = {"mode": "standard", "total_max_attempts": attempts}
    return session.client(service, endpoint_url=endpoint, config=Config(retries=retries, read_timeout=read_timeout))


def _call(endpoint: str, service: str, operation: str, arguments: dict[str, str], **options: Any) -> Callable[[], Any]:
    client = _client(endpoint, service, **options)
    name = next(name for name, wire in client.meta.method_to_api_mapping.items() if wire == operation)
    return partial(getattr(client, name), **arguments)


@pytest.mark.parametrize(("service", "signing", "operation", "arguments"), CALLS, ids=_NAMES)
@pytest.mark.parametrize(("mode", "codes"), [("deny", DENIED), ("throttle", THROTTLED)])
def test_the_client_raises_the_error_that_aws_would_answer(
    aws: str, service: str, signing: str, operation: str, arguments: dict[str, str], mode: str, codes: frozenset[str]
) -> None:
    _switch(aws, service=signing, operation=operation, mode=mode)
    with pytest.raises(ClientError) as raised:
        _call(aws, service, operation, arguments)()
    assert raised.value.response["Error"]["Code"] in codes
    assert raised.value.operation_name == operation


@pytest.mark.parametrize(("service", "signing", "operation", "arguments"), CALLS, ids=_NAMES)
def test_a_service_that_is_away_answers_503(
    aws: str, service: str, signing: str, operation: str, arguments: dict[str, str]
) -> None:
    _switch(aws, service=signing, operation=operation, mode="unavailable")
    with pytest.raises(ClientError) as raised:
        _call(aws, service, operation, arguments)()
    assert raised.value.response["ResponseMetadata"]["HTTPStatusCode"] == 503
    assert reason_of(raised.value) == "unavailable"


@pytest.mark.parametrize(
    ("service", "signing", "operation"), [("ec2", "ec2", "DescribeVpcs"), ("iam", "iam", "ListRoles")]
)
def test_a_reply_that_is_cut_off_is_no_reply(aws: str, service: str, signing: str, operation: str) -> None:
    _switch(aws, service=signing, operation=operation, mode="malformed")
    with pytest.raises(ResponseParserError):
        _call(aws, service, operation, {})()


def test_a_slow_reply_is_the_right_reply(aws: str) -> None:
    _switch(aws, service="ec2", operation="DescribeVpcs", mode="slow", seconds=0.2)
    assert _call(aws, "ec2", "DescribeVpcs", {})()["Vpcs"]
    assert _hits(aws) == [1]


def test_a_hanging_operation_ends_in_the_clients_own_time_limit(aws: str) -> None:
    _switch(aws, service="dynamodb", operation="ListTables", mode="hang")
    with pytest.raises(BotoCoreError):
        _call(aws, "dynamodb", "ListTables", {}, read_timeout=0.2)()


def test_ending_the_faults_lets_waiting_requests_go_without_a_reply(aws: str) -> None:
    _switch(aws, service="dynamodb", operation="ListTables", mode="hang")
    raised: list[BaseException] = []

    def call() -> None:
        try:
            _call(aws, "dynamodb", "ListTables", {})()
        except (ClientError, ConnectionClosedError, EndpointConnectionError) as error:
            raised.append(error)

    thread = threading.Thread(target=call)
    thread.start()
    wait_until(lambda: _hits(aws) == [1], "the request reached the fault")
    httpx.delete(aws + FAULTS).raise_for_status()
    thread.join(20)
    assert len(raised) == 1


def test_a_fault_hits_as_often_as_it_is_told_and_no_other_operation(aws: str) -> None:
    _switch(aws, service="ec2", operation="DescribeVpcs", mode="throttle", times=2)
    assert _call(aws, "ec2", "DescribeSubnets", {})()["Subnets"]
    assert _call(aws, "ec2", "DescribeVpcs", {}, attempts=3)()["Vpcs"]
    assert _hits(aws) == [2]


def test_a_star_stands_for_every_operation_of_one_service(aws: str) -> None:
    _switch(aws, service="ec2", mode="deny")
    with pytest.raises(ClientError):
        _call(aws, "ec2", "DescribeSubnets", {})()
    assert "TableNames" in _call(aws, "dynamodb", "ListTables", {})()


@pytest.mark.parametrize(
    "fault", [{}, {"service": "ec2", "mode": "explode"}, {"service": "ec2", "mode": "deny", "more": 1}]
)
def test_a_fault_that_makes_no_sense_is_refused(aws: str, fault: dict[str, object]) -> None:
    assert httpx.post(aws + FAULTS, json=fault).status_code == 400
    assert _hits(aws) == []


def test_what_a_fault_answers_leaves_the_ids_that_follow_as_they_were() -> None:
    ids = []
    for is_faulty in (False, True):
        with moto_account() as url:
            if is_faulty:
                _switch(url, service="ec2", operation="CreateVpc", mode="throttle", times=1)
            ids.append(_client(url, "ec2", attempts=2).create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"])
    assert ids[0] == ids[1]


def test_an_account_that_is_replayed_gives_the_recorded_ids_whatever_was_before_and_whoever_asks_meanwhile() -> None:
    recorded = {
        item["attributes"]["id"]
        for resource in load_state("network", "http://unused")["resources"]
        for item in resource["instances"]
        if resource["type"] in {"aws_vpc", "aws_default_vpc"}
    }
    with moto_account() as url:
        replay(url, FIXTURES / "demo" / "requests.jsonl.gz")
        client = _client(url, "ec2", attempts=1)
        httpx.post(f"{url}{REPLAY_PATH}").raise_for_status()
        with pytest.raises(ClientError, match="503"):
            client.describe_vpcs()  # would make the default network, with ids of another point in the story
        empty_and_replay(url, FIXTURES / "network" / "requests.jsonl.gz")
        assert recorded <= {item["VpcId"] for item in client.describe_vpcs()["Vpcs"]}
    assert len(recorded) > 1


@pytest.mark.parametrize(
    ("service", "method", "path", "query", "operation"),
    [
        ("s3", "GET", "/", "", "ListBuckets"),
        ("s3", "GET", "/b", "policy", "GetBucketPolicy"),
        ("s3", "GET", "/b", "list-type=2&prefix=x", "ListObjectsV2"),
        ("s3", "GET", "/b/some/deep/key", "", "GetObject"),
        ("s3", "GET", "/b/key", "tagging", "GetObjectTagging"),
        ("s3", "HEAD", "/b", "", "HeadBucket"),
        ("lambda", "GET", "/2015-03-31/functions", "", "ListFunctions"),
        ("lambda", "GET", "/2015-03-31/functions/", "", "ListFunctions"),
        ("lambda", "GET", "/2015-03-31/functions/mailer", "", "GetFunction"),
        ("lambda", "GET", "/2015-03-31/functions/mailer/policy", "", "GetPolicy"),
        ("route53", "GET", "/2013-04-01/hostedzone", "", "ListHostedZones"),
        ("route53", "GET", "/2013-04-01/hostedzone/Z1/rrset", "", "ListResourceRecordSets"),
        ("no-such-service", "GET", "/", "", ""),
    ],
)
def test_rest_requests_are_known_by_method_and_path(
    service: str, method: str, path: str, query: str, operation: str
) -> None:
    assert rest_operation(service, method, path, query) == operation


def test_without_a_fault_a_request_is_passed_on_untouched() -> None:
    seen: list[object] = []
    faults = Faults(lambda environ, _start: seen.append(environ) or [b"moto"])  # type: ignore[func-returns-value]
    environ = {"PATH_INFO": "/", "REQUEST_METHOD": "GET", "wsgi.input": object()}
    assert faults(environ, lambda *_: None) == [b"moto"]
    assert seen == [environ]


def test_messages_cannot_break_out_of_the_markup() -> None:
    _status, _headers, body = answer(AwsRequest("ec2", "<evil>&", "ec2"), "deny")
    assert b"&lt;evil&gt;&amp;" in body
