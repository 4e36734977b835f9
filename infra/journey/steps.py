"""The steps of the journey: what a customer's machine does with an API key, through the public address.

Owns what each step asks and what must come back. It knows the public interface alone, holds nothing but a key of the least scopes, and
says of a failure what the journey saw, never what a body held.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

import httpx

from shared.ports.clock import Clock

Outcome = Literal["passed", "failed", "skipped"]

_CALL_SECONDS = 30.0
_ANALYSIS_SECONDS = 120.0  # what the product promises at most
_POLL_SECONDS = 2.0
_NOBODY = "00000000-0000-0000-0000-000000000000"
_CODE = re.compile(r"[a-z0-9_]{1,60}")
_SCAN_IS_OVER = frozenset({"done", "failed", "cancelled"})

# A database that goes: whoever judges plans must see that.
DOOMED = "aws_db_instance.journey"
PLAN: Mapping[str, Any] = {
    "format_version": "1.2",
    "terraform_version": "1.11.4",
    "resource_changes": [
        {
            "address": DOOMED,
            "mode": "managed",
            "type": "aws_db_instance",
            "name": "journey",
            "provider_name": "registry.terraform.io/hashicorp/aws",
            "change": {
                "actions": ["delete"],
                "before": {"id": "journey", "identifier": "journey", "engine": "postgres", "skip_final_snapshot": True},
                "after": None,
                "after_unknown": {},
                "before_sensitive": {},
                "after_sensitive": False,
            },
        }
    ],
}


class StepFailed(Exception):
    """A step did not come out as it must; the text is for the log and holds nothing of an answer but status and code."""


@dataclass(frozen=True, slots=True)
class Result:
    """How one step came out.

    Attributes:
        step: its name.
        reason: why it failed, or the step that it would have needed; empty when it passed.
    """

    step: str
    outcome: Outcome
    latency_ms: int = 0
    reason: str = ""


@dataclass
class Journey:
    """One run.

    Attributes:
        client: with the suite's address as its base.
        key: API key of the synthetic organisation.
        clock: time.
        run: what the ids of its requests begin with, to find them in the functions' logs.
        scan_seconds: how long a scan may take from its start to its comparison.
        within_seconds: how long everything may take; what is left then fails, so that there is a report before somebody ends the process.
    """

    client: httpx.Client
    key: str = field(repr=False)
    clock: Clock
    run: str
    scan_seconds: float = 150.0
    within_seconds: float = 270.0
    _found: dict[str, str] = field(default_factory=dict)
    _requests: int = 0
    _ends_at: float = 0.0

    def results(self) -> Iterator[Result]:
        """Take every step whose ground is there; yields how each came out, in order."""
        failed: set[str] = set()
        self._ends_at = self.clock.monotonic_seconds() + self.within_seconds
        for name, needed, take in STEPS:
            missing = next((step for step in needed if step in failed), None)
            result = Result(name, "skipped", reason=missing) if missing else self._take(name, take)
            if result.outcome != "passed":
                failed.add(name)
            yield result

    def _take(self, name: str, take: Callable[[Journey], None]) -> Result:
        began = self.clock.monotonic_seconds()
        reason = ""
        try:
            take(self)
        except StepFailed as error:
            reason = str(error)
        except httpx.TimeoutException:
            reason = "no answer in time"
        except httpx.HTTPError as error:
            reason = f"no answer: {type(error).__name__}"
        except (KeyError, TypeError, ValueError, IndexError) as error:
            reason = f"an answer of another shape: {type(error).__name__}"
        taken_ms = round((self.clock.monotonic_seconds() - began) * 1000)
        return Result(name, "failed" if reason else "passed", taken_ms, reason)

    def _send(
        self,
        method: str,
        path: str,
        expected: int,
        *,
        body: Any = None,
        has_key: bool = True,
        seconds: float = _CALL_SECONDS,
    ) -> Any:
        """Send one call and return the answer's document.

        Raises:
            StepFailed: the status is another one, or the journey's time is up.
            httpx.HTTPError: there was no answer.
            ValueError: the answer is no JSON.
        """
        left_seconds = self._ends_at - self.clock.monotonic_seconds()
        if left_seconds <= 0:
            raise StepFailed("no time is left")
        self._requests += 1
        headers = {"X-Request-Id": f"{self.run}-{self._requests}"} | ({"x-api-key": self.key} if has_key else {})
        answer = self.client.request(method, path, json=body, headers=headers, timeout=min(seconds, left_seconds))
        if answer.status_code != expected:
            told = f"{answer.status_code} {_code_of(answer)}".strip()
            raise StepFailed(f"{told}, not {expected}")
        return answer.json()

    def _org(self, path: str) -> str:
        return f"/api/v2/orgs/{self._found['org']}{path}"

    # the steps

    def sign_in(self) -> None:
        """The key is known, and may do no more than it must."""
        me = self._send("GET", "/api/v2/me", 200)
        must(me["kind"] == "key", "the caller is no key")
        must("admin" not in me["scopes"], "the key may do more than it needs: make one with the scope write")
        self._found["org"] = str(me["org_id"])

    def list_keys(self) -> None:
        """The organisation's keys are shown, without the keys themselves."""
        keys = self._send("GET", self._org("/api-keys"), 200)["items"]
        must(len(keys) > 0, "the organisation has no key, and one was just used")
        must(all(not item.get("raw_key") for item in keys), "a list shows a key")

    def list_accounts(self) -> None:
        """There is an account to scan."""
        accounts = self._send("GET", self._org("/cloud-accounts"), 200)["items"]
        must(len(accounts) > 0, "the organisation has no cloud account: see the runbook")
        self._found["account"] = str(accounts[-1]["id"])

    def analyze_plan(self) -> None:
        """A plan that destroys a database is judged for what it is."""
        verdict = self._send("POST", self._org("/analyze"), 200, body={"plan_json": PLAN}, seconds=_ANALYSIS_SECONDS)
        must(verdict["risk_level"] in {"high", "critical"}, "a plan that destroys a database is not risky")
        must(any(item["address"] == DOOMED for item in verdict["findings"]), "nothing is found about the database")
        self._found["analysis"] = str(verdict["id"])

    def read_analysis(self) -> None:
        """The judgement was kept, and stands in the history."""
        analysis = self._found["analysis"]
        kept = self._send("GET", self._org(f"/analyses/{analysis}"), 200)
        must(any(item["address"] == DOOMED for item in kept["findings"]), "another judgement was kept")
        listed = self._send("GET", self._org("/analyses?limit=20"), 200)["items"]
        must(analysis in {str(item["id"]) for item in listed}, "the history lacks the judgement")

    def start_scan(self) -> None:
        """A scan is taken."""
        scan = self._send("POST", self._org("/scans"), 202, body={"account_id": self._found["account"]})
        self._found["scan"] = str(scan["id"])

    def finish_scan(self) -> None:
        """Queue, workers and database bring it to its end."""
        ends_at = self.clock.monotonic_seconds() + self.scan_seconds
        while True:
            scan = self._send("GET", self._org(f"/scans/{self._found['scan']}"), 200)
            if scan["status"] in _SCAN_IS_OVER:
                return must(scan["status"] == "done", f"the scan is {scan['status']}")
            if self.clock.monotonic_seconds() >= ends_at:
                raise StepFailed(f"the scan is {scan['status']} after {self.scan_seconds:.0f} s")
            self.clock.sleep_seconds(_POLL_SECONDS)

    def read_coverage(self) -> None:
        """It says of every part whether it was read."""
        coverage = self._send("GET", self._org(f"/scans/{self._found['scan']}/coverage"), 200)
        must(coverage["shards_done"] == coverage["shards_total"] > 0, "a part of the scan is missing")

    def read_drift(self) -> None:
        """Its report is there."""
        must(
            isinstance(self._send("GET", self._org(f"/scans/{self._found['scan']}/drift"), 200)["items"], list),
            "there is no list of drift",
        )

    def refuse_stranger(self) -> None:
        """Nobody comes in without a key."""
        problem = self._send("GET", self._org("/scans"), 401, has_key=False)
        must(problem["code"] == "unauthenticated", "a stranger is refused for another reason")

    def refuse_other_organisation(self) -> None:
        """Another organisation is not there for this key."""
        self._send("GET", f"/api/v2/orgs/{_NOBODY}/scans", 404)

    def refuse_administration(self) -> None:
        """What wants an administrator's scope is refused."""
        self._send("GET", self._org("/audit-log"), 403)

    def refuse_person(self) -> None:
        """What wants a person is refused to every key."""
        self._send("GET", self._org("/invitations"), 403)


# Name, the steps that it stands on, what it does.
STEPS: tuple[tuple[str, tuple[str, ...], Callable[[Journey], None]], ...] = (
    ("sign-in", (), Journey.sign_in),
    ("list-keys", ("sign-in",), Journey.list_keys),
    ("list-accounts", ("sign-in",), Journey.list_accounts),
    ("analyze-plan", ("sign-in",), Journey.analyze_plan),
    ("read-analysis", ("analyze-plan",), Journey.read_analysis),
    ("start-scan", ("list-accounts",), Journey.start_scan),
    ("finish-scan", ("start-scan",), Journey.finish_scan),
    ("read-coverage", ("finish-scan",), Journey.read_coverage),
    ("read-drift", ("finish-scan",), Journey.read_drift),
    ("refuse-stranger", ("sign-in",), Journey.refuse_stranger),
    ("refuse-other-organisation", ("sign-in",), Journey.refuse_other_organisation),
    ("refuse-administration", ("sign-in",), Journey.refuse_administration),
    ("refuse-person", ("sign-in",), Journey.refuse_person),
)


def must(holds: bool, otherwise: str) -> None:  # noqa: FBT001  (it reads as a sentence)
    """Check something. Raises: StepFailed."""
    if not holds:
        raise StepFailed(otherwise)


def _code_of(answer: httpx.Response) -> str:
    """Return the code of a problem; empty for another body, of which nothing is told."""
    try:
        code = answer.json().get("code")
    except (ValueError, AttributeError):
        return ""
    return code if isinstance(code, str) and _CODE.fullmatch(code) else ""
