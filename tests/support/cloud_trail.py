"""CloudTrail's event history as a web service of the tests: the one call LookupEvents, in the shape that AWS documents.

Source: AWS CloudTrail API Reference, LookupEvents (request, answer, errors; at most 50 events a page, newest first, one look-up
attribute) and Event; User Guide, "CloudTrail record contents" and "CloudTrail userIdentity element" for the records;
JSON protocol 1.1 as botocore's model of the service names it.
"""

from __future__ import annotations

import json
from collections.abc import Generator, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any

from werkzeug.wrappers import Request, Response

from .wsgi_server import serving

ACCOUNT = "123456789012"
TARGET = "com.amazonaws.cloudtrail.v20131101.CloudTrail_20131101.LookupEvents"
ALICE: Mapping[str, Any] = {
    "type": "IAMUser", "principalId": "AIDAJ45Q7YFFAREXAMPLE", "arn": f"arn:aws:iam::{ACCOUNT}:user/Alice", "accountId": ACCOUNT,
    "accessKeyId": "AKIAIOSFODNN7EXAMPLE", "userName": "Alice",
}  # fmt: skip
ADMIN_SESSION: Mapping[str, Any] = {
    "type": "AssumedRole", "principalId": "AROAIDPPEZS35WEXAMPLE:bob@example.com",
    "arn": f"arn:aws:sts::{ACCOUNT}:assumed-role/Admin/bob@example.com", "accountId": ACCOUNT, "accessKeyId": "ASIAIOSFODNN7EXAMPLE",
    "sessionContext": {
        "sessionIssuer": {"type": "Role", "principalId": "AROAIDPPEZS35WEXAMPLE", "arn": f"arn:aws:iam::{ACCOUNT}:role/Admin",
                          "accountId": ACCOUNT, "userName": "Admin"},
        "attributes": {"creationDate": "2026-01-01T00:00:00Z", "mfaAuthenticated": "true"},
    },
}  # fmt: skip
_numbers = count(1)


def event(
    name: str,
    source: str,
    at: datetime,
    *,
    resources: Iterable[str] = (),
    request: Mapping[str, Any] | None = None,
    response: Mapping[str, Any] | None = None,
    identity: Mapping[str, Any] = ALICE,
    region: str = "us-east-1",
    **members: Any,
) -> dict[str, Any]:
    """Make an event as LookupEvents returns it.

    Args:
        name: of the call.
        source: event source without `.amazonaws.com`.
        at: when it was made.
        resources: names that CloudTrail lists for it.
        request: its parameters.
        response: its answer.
        identity: who made it.
        region: where it was recorded.
        members: further members of the record, e.g. `errorCode`.
    """
    number = next(_numbers)
    record = {
        "eventVersion": "1.11", "userIdentity": identity, "eventTime": at.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "eventSource": f"{source}.amazonaws.com", "eventName": name, "awsRegion": region, "sourceIPAddress": "203.0.113.64",
        "userAgent": "aws-cli/2.13.5 Python/3.11.4 Linux/4.14.255 exe/x86_64.amzn.2 prompt/off command/ec2", "requestParameters": request,
        "responseElements": response, "requestID": f"6f2cfe0a-0000-4000-8000-{number:012d}", "eventID": f"2e1a7dc6-0000-4000-8000-{number:012d}",
        "readOnly": False, "eventType": "AwsApiCall", "managementEvent": True, "recipientAccountId": ACCOUNT, "eventCategory": "Management",
        **members,
    }  # fmt: skip
    return {
        "EventId": record["eventID"],
        "EventName": name,
        "ReadOnly": str(record["readOnly"]).lower(),
        "EventTime": at.timestamp(),
        "EventSource": record["eventSource"],
        "Username": identity.get("userName", ""),
        "Resources": [{"ResourceType": "AWS::EC2::Any", "ResourceName": each} for each in resources],
        "CloudTrailEvent": json.dumps(record),
    }


@dataclass
class CloudTrail:
    """One account's event history in every region.

    Attributes:
        events: all that was recorded.
        asked: every request's body, with its region.
        failures: error codes with which the next requests are answered; `denied` refuses all.
        page: events per page, as AWS at most 50.
    """

    events: list[dict[str, Any]] = field(default_factory=list)
    asked: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)
    denied: bool = False
    page: int = 50

    @contextmanager
    def serve(self) -> Generator[str]:
        """Serve for the length of a block; yields the endpoint."""
        with serving(self) as url:
            yield url

    def __call__(self, environ: Any, start_response: Any) -> Any:
        request = Request(environ)
        if b"Action=GetCallerIdentity" in (content := request.get_data()):
            return _IDENTITY(environ, start_response)
        assert request.headers["X-Amz-Target"] == TARGET
        assert request.headers["Content-Type"] == "application/x-amz-json-1.1"
        region = request.headers["Authorization"].split("Credential=")[1].split("/")[2]
        asked: dict[str, Any] = json.loads(content)
        self.asked.append((region, asked))
        return self._answer(region, asked)(environ, start_response)

    def _answer(self, region: str, asked: Mapping[str, Any]) -> Response:
        if self.denied:
            return _error(
                "AccessDeniedException",
                f"User: arn:aws:sts::{ACCOUNT}:assumed-role/x/y is not authorized to perform: cloudtrail:LookupEvents",
            )
        if self.failures:
            return _error(self.failures.pop(0), "no")
        if not 1 <= asked.get("MaxResults", 50) <= 50:
            return _error("InvalidMaxResultsException", "This exception is thrown if the limit specified is not valid.")
        if len(asked.get("LookupAttributes", ())) > 1:
            return _error(
                "InvalidLookupAttributesException", "Occurs when a lookup attribute is specified that is not valid."
            )
        if asked["StartTime"] > asked["EndTime"]:
            return _error("InvalidTimeRangeException", "Occurs if the timestamp values are not valid.")
        found = sorted(self._found(region, asked), key=lambda item: -item["EventTime"])
        start = int(asked.get("NextToken", "0"))
        size = min(asked.get("MaxResults", 50), self.page)
        reply: dict[str, Any] = {"Events": found[start : start + size]}
        if start + size < len(found):
            reply["NextToken"] = str(start + size)
        return Response(json.dumps(reply), content_type="application/x-amz-json-1.1")

    def _found(self, region: str, asked: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
        oldest = (datetime.now(UTC) - timedelta(days=90)).timestamp()
        for item in self.events:
            is_here = json.loads(item["CloudTrailEvent"])["awsRegion"] == region
            is_then = max(asked["StartTime"], oldest) <= item["EventTime"] <= asked["EndTime"]
            if is_here and is_then and all(_matches(item, each) for each in asked.get("LookupAttributes", ())):
                yield item


def _matches(item: Mapping[str, Any], attribute: Mapping[str, str]) -> bool:
    key, value = attribute["AttributeKey"], attribute["AttributeValue"]
    if key == "ResourceName":
        names: Sequence[Mapping[str, str]] = item["Resources"]
        return any(found["ResourceName"] == value for found in names)
    return bool(item[key] == value)


def _error(code: str, message: str) -> Response:
    return Response(
        json.dumps({"__type": code, "message": message}), status=400, content_type="application/x-amz-json-1.1"
    )


_IDENTITY = Response(
    f"""<GetCallerIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><GetCallerIdentityResult>
<Arn>arn:aws:iam::{ACCOUNT}:user/driftwise</Arn><UserId>AIDA</UserId><Account>{ACCOUNT}</Account></GetCallerIdentityResult>
<ResponseMetadata><RequestId>01234567-89ab-cdef-0123-456789abcdef</RequestId></ResponseMetadata></GetCallerIdentityResponse>""",
    content_type="text/xml",
)
