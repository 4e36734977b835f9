"""Sessions into customers' AWS accounts: credentials to clients, with patience for throttling.

Owns how DriftWise signs in to AWS. Credentials live in memory for one shard and are never logged. boto3 is loaded with the
first sign-in: it would be half of the cold start of calls that never talk to AWS.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

from shared.ports.clock import Clock
from shared.ports.identity_tokens import IdentityTokens
from shared.ports.kept_by_key import KeptByKey
from shared.ports.secret_store import Secret

from ...domain.partitions import home_region, partition_of_arn, partition_of_region
from ...errors import CredentialsRefused
from .base import Scope, permission_of, reason_of

if TYPE_CHECKING:
    import boto3
    from botocore.config import Config
    from botocore.model import OperationModel

_SESSION_SECONDS = 3600
_KEPT_SECONDS = 600.0
_MOST_ACCOUNTS = 32
_MOST_CLIENTS = 128  # of one account: a quarter of a megabyte each; an account of many regions would have a thousand


@dataclass(frozen=True, slots=True)
class Login:
    """How to sign in to one AWS account.

    Attributes:
        account: 12-digit account id that the credentials must belong to; empty for whichever they do.
        access_key_id, secret_access_key: for a static key.
        role_arn, external_id: for a role; taken on with this process's own identity.
        identity_tokens: prove that identity by tokens made for the external id; without them it is one of AWS.
        through: the account whose credentials take the role on instead, for a chain of roles.
        region: one of its regions, which tells the partition where no role's ARN does.
        endpoint: an AWS stand-in, emulator only; empty otherwise.
        attempts: how often a call is made before it counts as failed; the waits between them double, up to 20 s.
    """

    account: str
    access_key_id: str = ""
    secret_access_key: Secret | None = None
    role_arn: str = ""
    external_id: str = ""
    identity_tokens: IdentityTokens | None = None
    through: AwsAccount | None = None
    region: str = ""
    endpoint: str = ""
    attempts: int = 8


class AwsAccount:
    """Clients of one signed-in account; made once per service and region, and again when so many others came between."""

    def __init__(self, login: Login, session: boto3.Session, identity: str) -> None:
        self.account = login.account
        self.identity = identity
        self._session = session
        self._login = login
        self._clients: dict[tuple[str, str], Any] = {}
        self._lock = threading.Lock()

    def assume_role(self, region: str, **wish: Any) -> Any:
        """Take on a role of any account with this account's credentials; returns the reply of STS."""
        return _sts(self._session, self._login, region).assume_role(**wish)

    def scope(self, region: str) -> Scope:
        """Return the scope of one region; `global` is read through the partition's home region."""
        partition = partition_of_arn(self.identity) or "aws"
        place = home_region(partition) if region == "global" else region
        return Scope(self.account, place, partition, lambda service: self.client(service, place), self.client)

    def client(self, service: str, region: str) -> Any:
        """Return the client of a service in a region."""
        with self._lock:  # boto3 sessions are not thread-safe, their clients are
            if (service, region) not in self._clients:
                if len(self._clients) >= _MOST_CLIENTS:  # whoever still uses the oldest one keeps it alive
                    del self._clients[next(iter(self._clients))]
                client: Any = self._session.client(
                    service,
                    region_name=region,
                    endpoint_url=self._login.endpoint or None,
                    config=_config(self._login.attempts),
                )
                client.meta.events.register("before-parse.*.*", refuse_foreign_reply)
                self._clients[service, region] = client
            return self._clients[service, region]


class SignIns:
    """Accounts that this process is signed in to, kept for some minutes so that the shards of a scan share clients."""

    def __init__(self, clock: Clock) -> None:
        self._kept = KeptByKey[AwsAccount](clock, most=_MOST_ACCOUNTS)

    def get(self, key: Hashable, make: Callable[[], AwsAccount]) -> AwsAccount:
        """Return the account of a key, signing in when none is known or the known one is old.

        Args:
            key: everything that a sign-in depends on; changed credentials make another key.
            make: signs in.
        """
        return self._kept.get(key, make, lambda _account: _KEPT_SECONDS)


def partition_of(login: Login) -> str:
    """Tell the partition of an account before anybody is signed in: by its role's ARN, else by the name of its region."""
    return partition_of_arn(login.role_arn) or partition_of_region(login.region)


def sign_in(login: Login, region: str | None = None) -> AwsAccount:
    """Sign in to an account, in its partition's home region when none is given.

    Raises:
        CredentialsRefused: (422 `credentials_refused`) AWS says no, or they belong to another account.
        ServiceAway: (503 `service_away`) the platform gave no proof of who this process is.
    """
    from botocore.exceptions import BotoCoreError, ClientError
    from botocore.parsers import ResponseParserError

    region = region or home_region(partition_of(login))
    try:
        session = _assumed(login, region) if login.role_arn else _static(login)
        sts = _sts(session, login, region)
        identity: Mapping[str, str] = sts.get_caller_identity()
    except ClientError as error:
        code = str(error.response.get("Error", {}).get("Code", "unknown"))
        permission = permission_of("sts", error.operation_name)
        raise CredentialsRefused(f"AWS answered {code}", permission=permission, reason=reason_of(error)) from error
    except BotoCoreError as error:
        raise CredentialsRefused(f"AWS cannot be asked: {type(error).__name__}", reason="unavailable") from error
    except ResponseParserError as error:
        raise CredentialsRefused("the reply to the sign-in is not one of AWS", reason="malformed") from error
    if login.account and identity["Account"] != login.account:
        raise CredentialsRefused("these credentials belong to another AWS account", reason="other_account")
    return AwsAccount(login, session, identity["Arn"])


def refuse_foreign_reply(operation_model: OperationModel, response_dict: Mapping[str, Any], **_others: object) -> None:
    """Refuse a success whose body is no answer of AWS: botocore would read it as an empty list, and all would be missing.

    botocore takes a JSON body that cannot be parsed for a message, and any well-formed markup (a proxy's page) for a
    reply without members.

    Raises:
        ResponseParserError: it is not in the protocol of the service.
    """
    from botocore.parsers import ResponseParserError

    is_read = response_dict["status_code"] < 300 and not operation_model.has_streaming_output
    output: Any = operation_model.output_shape  # botocore's cached properties carry no types
    if not is_read or output is None or not output.members:
        return
    body, protocol = bytes(response_dict["body"]), operation_model.service_model.resolved_protocol
    if "xml" in protocol or protocol in {"ec2", "query"}:
        is_foreign = body[:200].lstrip().lower().startswith((b"<!doctype html", b"<html"))
    elif "json" in protocol and "payload" not in output.serialization:
        is_foreign = not _is_json_object(body)
    else:
        is_foreign = False
    if is_foreign:
        raise ResponseParserError(f"{operation_model.name}: the reply is not in the protocol {protocol}")


def _is_json_object(body: bytes) -> bool:
    try:
        return isinstance(json.loads(body), dict)
    except ValueError:
        return False


@cache
def _config(attempts: int) -> Config:
    from botocore.config import Config

    return Config(
        connect_timeout=5,
        read_timeout=30,
        retries={"mode": "adaptive", "total_max_attempts": attempts},
        user_agent_extra="driftwise",
        parameter_validation=False,
    )


def _sts(session: boto3.Session, login: Login, region: str) -> Any:
    endpoint = login.endpoint or None
    return session.client("sts", region_name=region, endpoint_url=endpoint, config=_config(login.attempts))


def _static(login: Login) -> boto3.Session:
    from .api_models import new_session

    secret = login.secret_access_key.reveal().decode() if login.secret_access_key else ""
    return new_session(login.access_key_id, secret)


def _assumed(login: Login, region: str) -> boto3.Session:
    """Take on a role. Either way the customer's trust policy demands the external id, which DriftWise chose for one account.

    A token's audience is that external id: shown to a role of another customer, it opens nothing (the confused deputy).
    Source: AWS STS API Reference, AssumeRoleWithWebIdentity and AssumeRole.
    """
    from .api_models import new_session

    asked = {"RoleArn": login.role_arn, "RoleSessionName": "driftwise-scan", "DurationSeconds": _SESSION_SECONDS}
    if login.through is not None:  # AWS ends chained sessions after an hour
        reply = login.through.assume_role(region, ExternalId=login.external_id, **asked)
    elif login.identity_tokens is None:
        reply = _sts(new_session(), login, region).assume_role(ExternalId=login.external_id, **asked)
    else:
        token = login.identity_tokens.token_for(login.external_id)
        sts = _sts(new_session(), login, region)
        reply = sts.assume_role_with_web_identity(WebIdentityToken=token, **asked)
    found = reply["Credentials"]
    return new_session(found["AccessKeyId"], found["SecretAccessKey"], found["SessionToken"])
