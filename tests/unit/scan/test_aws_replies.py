"""Answers that are no answers of AWS: they must never be read as empty lists."""

from __future__ import annotations

from functools import cache
from typing import Any

import botocore.session
import pytest
from botocore.parsers import ResponseParserError

from functions.scan.readers.aws.session import refuse_foreign_reply

PAGE = b"<!DOCTYPE html><html><body>Sign in to the network</body></html>"


@cache
def _operation(service: str, name: str) -> Any:
    session: Any = botocore.session.Session()
    return session.get_service_model(service).operation_model(name)


def _check(service: str, operation: str, status: int, body: bytes) -> None:
    reply = {"status_code": status, "headers": {}, "body": body}
    refuse_foreign_reply(operation_model=_operation(service, operation), response_dict=reply, event_name="before-parse")


@pytest.mark.parametrize(
    ("service", "operation", "body"),
    [
        ("dynamodb", "ListTables", PAGE),
        ("dynamodb", "ListTables", b""),
        ("dynamodb", "ListTables", b'{"TableNames": ["a", "b'),
        ("dynamodb", "ListTables", b'["a"]'),
        ("lambda", "ListFunctions", PAGE),
        ("lambda", "ListFunctions", b"null"),
        ("ec2", "DescribeVpcs", PAGE),
        ("ec2", "DescribeVpcs", b"\n<HTML></HTML>"),
        ("iam", "ListRoles", PAGE),
        ("s3", "ListBuckets", PAGE),
        ("route53", "ListHostedZones", PAGE),
    ],
)
def test_a_success_that_is_no_reply_of_the_service_is_refused(service: str, operation: str, body: bytes) -> None:
    with pytest.raises(ResponseParserError):
        _check(service, operation, 200, body)


@pytest.mark.parametrize(
    ("service", "operation", "status", "body"),
    [
        ("dynamodb", "ListTables", 200, b"{}"),
        ("dynamodb", "ListTables", 200, b'{"TableNames": []}'),
        ("dynamodb", "ListTables", 503, PAGE),
        ("ec2", "DescribeVpcs", 200, b"<DescribeVpcsResponse><vpcSet/></DescribeVpcsResponse>"),
        ("ec2", "DescribeVpcs", 403, PAGE),
        ("s3", "GetBucketPolicy", 200, b'{"Version": "2012-10-17"}'),
        ("s3", "GetObject", 200, PAGE),
        ("sqs", "DeleteQueue", 200, b""),
    ],
)
def test_replies_errors_and_content_are_left_to_the_client(
    service: str, operation: str, status: int, body: bytes
) -> None:
    _check(service, operation, status, body)
