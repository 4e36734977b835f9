"""Makes what the journey needs, or gives it a new key: `python -m infra.journey.set_up --url https://… --project P`.

A person runs it, signs in by a browser (RFC 8628) and owns the synthetic organisation. It makes what is missing (the organisation, a cloud
account, a key of the scope `write`), gives a key that exists a successor, and puts the new key into the secret `journey-api-key`. The key is
shown to nobody. Run again at any time, and once a year when the secret is due.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import httpx
from google.api_core.exceptions import GoogleAPICallError, RetryError

from infra.rotate.vault import Vault
from shared.ports.clock import Clock, SystemClock

from .__main__ import read_url

SECRET = "journey-api-key"  # noqa: S105  # its name
ORGANISATION = "Synthetic journey"
KEY = "journey"
_DEVICE_GRANT = "urn:ietf:params:oauth:grant-type:device_code"
_CALL_SECONDS = 30.0
_SLOWER_SECONDS = 5.0  # RFC 8628 section 3.5
_GRACE_SECONDS = 3600  # a journey that runs now goes on with the key that it has
# No account: AWS refuses the role, and a scan ends with every part "not checked". Better is an empty account of your own (terraform/customer/aws).
_NO_ACCOUNT = "000000000000"
_NO_ROLE = f"arn:aws:iam::{_NO_ACCOUNT}:role/driftwise-journey"


class SetUpFailed(Exception):
    """The suite did not answer as it must; the text holds status and code."""


@dataclass(frozen=True, slots=True)
class Wish:
    """What the account is like, where one has to be made; and from where the key may be used, everywhere when nothing is said."""

    aws_account: str = _NO_ACCOUNT
    role_arn: str = _NO_ROLE
    cidrs: tuple[str, ...] = ()


class Operator:
    """A person's calls, through the public address."""

    def __init__(self, client: httpx.Client, clock: Clock, say: Callable[[str], object]) -> None:
        """Set up.

        Args:
            client: with the suite's address as its base.
            clock: time.
            say: tells the person something.
        """
        self._client, self._clock, self._say = client, clock, say
        self._headers: dict[str, str] = {}

    def sign_in(self) -> None:
        """Wait until the person has let this terminal in. Raises: SetUpFailed."""
        codes = self._send("POST", "/auth/device/code", data={"client_name": "journey set-up"})
        self._say(f"Open {codes['verification_uri_complete']} and let this terminal in.")
        ends_at = self._clock.monotonic_seconds() + float(codes["expires_in"])
        wait_seconds = float(codes["interval"])
        while self._clock.monotonic_seconds() < ends_at:
            self._clock.sleep_seconds(wait_seconds)
            form = {"grant_type": _DEVICE_GRANT, "device_code": codes["device_code"]}
            answer = self._client.post("/auth/token", data=form, timeout=_CALL_SECONDS)
            if answer.status_code == 200:
                self._headers = {"Authorization": f"Bearer {answer.json()['access_token']}"}
                return
            code = _code_of(answer)
            if code == "slow_down":
                wait_seconds += _SLOWER_SECONDS
            elif code != "authorization_pending":
                raise SetUpFailed(f"signing in: {answer.status_code} {code}")
        raise SetUpFailed("nobody let this terminal in")

    def new_key(self, wish: Wish) -> tuple[str, str]:
        """Make what is missing, and a key; returns the organisation's id and the key. Raises: SetUpFailed."""
        org = self._found("/api/v2/orgs", lambda item: item["name"] == ORGANISATION)
        if org is None:
            org = self._send("POST", "/api/v2/orgs", json={"name": ORGANISATION})
        root = f"/api/v2/orgs/{org['id']}"
        if self._found(f"{root}/cloud-accounts", lambda _item: True) is None:
            auth = {"kind": "role", "role_arn": wish.role_arn}
            account = {"provider": "aws", "name": "journey", "external_account": wish.aws_account, "auth": auth}
            made = self._send("POST", f"{root}/cloud-accounts", json=account)
            self._say(f"The role must ask for the external id {made['external_id']}.")
        live = self._found(
            f"{root}/api-keys",
            lambda item: item["name"] == KEY and not item["revoked_at"] and not item["replaced_by_id"],
        )
        if live is None:
            asked = {"name": KEY, "scopes": ["write"], "cidrs": list(wish.cidrs)}
            made = self._send("POST", f"{root}/api-keys", json=asked)
        else:
            made = self._send("POST", f"{root}/api-keys/{live['id']}/rotate", json={"grace_seconds": _GRACE_SECONDS})
        return str(org["id"]), str(made["raw_key"])

    def _found(self, path: str, wanted: Callable[[Mapping[str, Any]], bool]) -> Mapping[str, Any] | None:
        items = self._send("GET", path, params={"limit": "200"})["items"]
        return next((item for item in items if wanted(item)), None)

    def _send(self, method: str, path: str, **options: Any) -> Any:
        answer = self._client.request(method, path, headers=self._headers, timeout=_CALL_SECONDS, **options)
        if not answer.is_success:
            raise SetUpFailed(f"{method} {path}: {answer.status_code} {_code_of(answer)}")
        return answer.json()


def _code_of(answer: httpx.Response) -> str:
    try:
        found = answer.json()
    except ValueError:
        return ""
    return str(found.get("error") or found.get("code") or "") if isinstance(found, dict) else ""


def main(arguments: Sequence[str] | None = None) -> int:
    """Set up; returns the exit status."""
    parser = argparse.ArgumentParser(
        prog="python -m infra.journey.set_up", description="Make the journey's organisation and key."
    )
    parser.add_argument("--url", required=True, help="public address of the suite")
    parser.add_argument("--project", required=True, help="project that keeps the secret")
    parser.add_argument("--aws-account", default=_NO_ACCOUNT, help="account to scan, where there is none yet")
    parser.add_argument("--role-arn", default=_NO_ROLE, help="role to scan it by")
    parser.add_argument(
        "--cidr", action="append", default=[], help="network that the key may be used from: the egress addresses"
    )
    parser.add_argument("--secrets-endpoint", default="", help="host:port of the emulator")
    options = parser.parse_args(arguments)
    try:
        with httpx.Client(base_url=read_url(options.url), trust_env=False) as client:
            operator = Operator(client, SystemClock(), lambda line: print(line, flush=True))
            operator.sign_in()
            org_id, key = operator.new_key(Wish(options.aws_account, options.role_arn, tuple(options.cidr)))
        version = Vault(options.project, options.secrets_endpoint).add(SECRET, key.encode())
    except (SetUpFailed, ValueError, httpx.HTTPError) as error:
        sys.stderr.write(f"journey: {error}\n")
        return 1
    except (GoogleAPICallError, RetryError) as error:
        sys.stderr.write(f"journey: {SECRET} has no new version, run it again: {error}\n")
        return 1
    print(f"{SECRET} has version {version}, of the organisation {org_id}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
