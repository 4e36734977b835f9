"""What every AWS reader shares: the scope it reads in, the listing it declares, the errors it may meet.

Owns the vocabulary of AWS readers. A reader module lists; it never matches, compares or stores. botocore is loaded with the
first read, not with the module: the tables of all services are needed by calls that never talk to AWS.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING, Any, TypeAlias

from ...domain.regional import placed
from ...domain.resources import LiveResource, NotChecked, Unread
from ...domain.traced import Traced
from ...types.aws import SPECS

if TYPE_CHECKING:
    from botocore.exceptions import BotoCoreError, ClientError

Finding: TypeAlias = LiveResource | Unread | NotChecked
Item: TypeAlias = dict[str, Any]  # one element of an AWS reply: a JSON object whose members AWS documents


@dataclass(frozen=True, slots=True)
class Scope:
    """One account in one region, with clients that carry its credentials.

    Attributes:
        account: 12-digit account id.
        region: region being read; `us-east-1` when reading global services.
        partition: `aws`, `aws-cn` or `aws-us-gov`.
        client: makes (and keeps) the boto3 client of a service in this region.
        client_elsewhere: the same for (service, region), for a global listing of things that live in regions. Without
            it the client of this region is used (S3 then redirects each bucket once).
    """

    account: str
    region: str
    partition: str
    client: Callable[[str], Any]
    client_elsewhere: Callable[[str, str], Any] | None = None

    def client_in(self, service: str, region: str) -> Any:
        """Return the boto3 client of a service in another region."""
        if self.client_elsewhere is None or region == self.region:
            return self.client(service)
        return self.client_elsewhere(service, region)

    def pages(self, service: str, operation: str, member: str, **arguments: object) -> Iterator[Item]:
        """Yield the elements of every page of one list call.

        Args:
            service: boto3 service name.
            operation: boto3 method name, e.g. `describe_vpcs`.
            member: reply member that holds the elements; dots reach into objects (`DistributionList.Items`).
            arguments: arguments of the call.
        """
        client = self.client(service)
        if client.can_paginate(operation):
            replies: Iterable[Item] = client.get_paginator(operation).paginate(**arguments)
        else:
            replies = [getattr(client, operation)(**arguments)]
        for reply in replies:
            found: Any = reply
            for name in member.split("."):
                found = (found or {}).get(name)
            yield from (traced(item) for item in found or ())

    def arn(self, service: str, resource: str, *, region: str | None = None, account: str | None = None) -> str:
        """Build an ARN in this scope; `region=""` and `account=""` leave those parts empty."""
        region = self.region if region is None else region
        account = self.account if account is None else account
        return f"arn:{self.partition}:{service}:{region}:{account}:{resource}"


@dataclass(frozen=True, slots=True)
class Listing:
    """One list call (with the batched calls that complete it) and the types it yields.

    Attributes:
        types: Terraform types it yields; all of them are "not checked" when it fails.
        read: yields what it finds, in the given scope.
        permissions: IAM actions it needs, the list call first.
        is_global: read once per account instead of once per region.
    """

    types: tuple[str, ...]
    read: Callable[[Scope], Iterator[Finding]]
    permissions: tuple[str, ...]
    is_global: bool = False


@dataclass(frozen=True, slots=True)
class Service:
    """The listings of one AWS service: the unit of a shard."""

    name: str
    listings: tuple[Listing, ...] = field(default_factory=tuple)


DENIED = frozenset(
    {
        "AccessDenied", "AccessDeniedException", "UnauthorizedOperation", "AuthorizationError", "AuthorizationErrorException",
        "UnauthorizedAccess", "InvalidClientTokenId", "UnrecognizedClientException", "SignatureDoesNotMatch",
        "ExpiredToken", "ExpiredTokenException", "InvalidIdentityToken", "IDPRejectedClaim", "AuthFailure", "InvalidAccessKeyId", "OptInRequired", "403",
    }
)  # fmt: skip
THROTTLED = frozenset(
    {
        "Throttling", "ThrottlingException", "ThrottledException", "RequestThrottled", "RequestThrottledException",
        "TooManyRequestsException", "RequestLimitExceeded", "PriorRequestNotComplete", "SlowDown", "BandwidthLimitExceeded",
        "ProvisionedThroughputExceededException", "LimitExceededException", "EC2ThrottledException", "429",
    }
)  # fmt: skip

_PERMISSIONS: Mapping[str, str] = {
    "s3:ListBuckets": "s3:ListAllMyBuckets",
    "s3:GetBucketEncryption": "s3:GetEncryptionConfiguration",
    "s3:GetBucketLifecycleConfiguration": "s3:GetLifecycleConfiguration",
    "s3:GetPublicAccessBlock": "s3:GetBucketPublicAccessBlock",
    "s3:GetBucketReplication": "s3:GetReplicationConfiguration",
    "s3:GetBucketAccelerateConfiguration": "s3:GetAccelerateConfiguration",
    "s3:GetBucketCors": "s3:GetBucketCORS",
    "s3:GetBucketNotificationConfiguration": "s3:GetBucketNotification",
    "s3:GetObjectLockConfiguration": "s3:GetBucketObjectLockConfiguration",
    "s3:HeadBucket": "s3:ListBucket",
}


@cache
def _source() -> str:
    """Name the client whose model decides which members a reply can have."""
    import botocore

    return f"botocore {botocore.__version__}"


def traced(reply: Any) -> Any:
    """Let a reply remember what is read of it; what is no JSON object (the names of some lists) stays as it is."""
    return Traced(reply, _source()) if isinstance(reply, dict) else reply


_NOT_AUTHORIZED = re.compile(r"not authorized to perform:? ([a-z0-9-]+:[A-Za-z0-9*]+)")


def permission_of(service: str, operation: str) -> str:
    """Name the IAM action behind an API operation; `service` is the IAM prefix, e.g. `elasticloadbalancing`.

    Source: Service Authorization Reference; the few operations whose action has another name are listed here.
    """
    if service == "apigateway":  # its rights are HTTP methods on the path of what they are about
        return "apigateway:GET" if operation.startswith("Get") else f"apigateway:{operation}"
    name = f"{service}:{operation}"
    return _PERMISSIONS.get(name, name)


def reason_of(error: ClientError | BotoCoreError) -> str:
    """Put an AWS failure into one of the stable words of `NotChecked.reason`."""
    from botocore.exceptions import ClientError

    if not isinstance(error, ClientError):
        return "unavailable"
    code = str(error.response.get("Error", {}).get("Code", ""))
    if code in DENIED:
        return "access_denied"
    return "throttled" if code in THROTTLED else "unavailable"


def is_missing(error: ClientError, *codes: str) -> bool:
    """Say whether an error only means "there is none", by the codes its operation documents."""
    return error.response.get("Error", {}).get("Code") in codes


@dataclass(frozen=True, slots=True)
class Gap:
    """Why a call about one resource gave nothing; becomes an `Unread` for each thing that the call would have told."""

    reason: str
    permission: str | None
    detail: str

    def unread(self, kind: str, key: str, *attributes: str) -> Unread:
        """Say what is unknown: these attributes of the resource, or all of it when none is named."""
        return Unread(kind, key, attributes, self.permission, self.reason, self.detail)

    def not_checked(self, kind: str, region: str) -> NotChecked:
        """Say that the call would have listed resources of this type: none that is not seen may be called missing."""
        return NotChecked((kind,), region, self.reason, self.permission, self.detail)


def attempt(service: str, call: Callable[[], Item], *missing: str) -> Item | Gap:
    """Make a call about one resource, so that its failure stays with this resource.

    Args:
        service: IAM prefix of the service.
        call: makes the call.
        missing: error codes by which the operation says "there is none".

    Returns:
        The reply; `{}` when there is none; a `Gap` when it failed.
    """
    from botocore.exceptions import BotoCoreError, ClientError
    from botocore.parsers import ResponseParserError

    try:
        reply: Item = traced(call())
    except ClientError as error:
        if is_missing(error, *missing):
            return {}
        reason = reason_of(error)
        permission = permission_of(service, error.operation_name) if reason == "access_denied" else None
        code = error.response.get("Error", {}).get("Code", "unknown")
        return Gap(reason, permission, f"{error.operation_name} answered {code}")
    except BotoCoreError as error:
        return Gap(reason_of(error), None, f"{service}: {type(error).__name__}")
    except ResponseParserError:
        return Gap("malformed", None, f"{service}: the reply is not in the protocol of the service")
    return reply


def noting_denials(call: Callable[[], Item], denied: list[str]) -> Item:
    """Make a call that makes others on our behalf; notes the IAM actions that its refusal says are missing.

    Raises:
        ClientError: as the call does.
    """
    from botocore.exceptions import ClientError

    try:
        return call()
    except ClientError as error:
        denied += _NOT_AUTHORIZED.findall(str(error.response.get("Error", {}).get("Message", ""))[:4000])
        raise


def each(items: Iterable[Item], read: Callable[[Item], Iterable[Finding]], *, width: int = 8) -> Iterator[Finding]:
    """Read resources that need calls of their own, `width` at a time; findings come in the order of `items`."""
    with ThreadPoolExecutor(max_workers=width) as pool:
        for findings in pool.map(lambda item: list(read(item)), items):
            yield from findings


def tag_map(items: Iterable[Mapping[str, str]] | None, *, key: str = "Key", value: str = "Value") -> dict[str, str]:
    """Turn AWS's list of key-value pairs into a map."""
    return {item[key]: item.get(value) or "" for item in items or ()}


def collect(listing: Listing, scope: Scope) -> Iterator[LiveResource | Unread | NotChecked]:
    """Run one listing; a failure becomes one `NotChecked` and stops nothing else. Keys come with their region where they need it.

    What was yielded before the failure stays valid as existence, but absence proves nothing: the comparison reads the
    `NotChecked` first.
    """
    from botocore.exceptions import BotoCoreError, ClientError
    from botocore.parsers import ResponseParserError

    region = "global" if listing.is_global else scope.region
    service = listing.permissions[0].split(":", 1)[0]
    try:
        yield from (placed(item, scope.region, SPECS) for item in listing.read(scope))
    except ClientError as error:
        reason = reason_of(error)
        permission = permission_of(service, error.operation_name) if reason == "access_denied" else None
        code = error.response.get("Error", {}).get("Code", "unknown")
        yield NotChecked(listing.types, region, reason, permission, f"{error.operation_name} answered {code}")
    except BotoCoreError as error:
        yield NotChecked(listing.types, region, reason_of(error), None, f"{service}: {type(error).__name__}")
    except (KeyError, TypeError, ValueError, AttributeError, ResponseParserError) as error:
        yield NotChecked(
            listing.types, region, "malformed", None, f"{service}: unexpected reply ({type(error).__name__})"
        )
