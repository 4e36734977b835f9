"""Rate limits: what callers may spend, declared per route, counted for all instances in one Redis-protocol server.

Owns the quotas, the count and the header fields. The algorithm is GCRA (a leaky bucket as one timestamp per caller): every
quota of a call is checked and charged by one script in one round trip, all or none. `limits` (PyPI) would need a round
trip per quota and charge the first although the second refuses. A busy caller with nearly all of its quotas left is charged
some calls ahead, which then need no round trip (`leases`, ADR-0012).
Source: ITU-T I.371, annex A (generic cell rate algorithm).
"""

from __future__ import annotations

import ipaddress
import math
import threading
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import TYPE_CHECKING, Literal, TypeAlias

from shared.http.errors import AppError
from shared.ports.errors import ServiceAway
from shared.telemetry.log import logger

from .actor import Actor
from .leases import LEASE_SECONDS, Leases

if TYPE_CHECKING:
    from redis.commands.core import Script

    from shared.settings import Settings

Subject: TypeAlias = Literal["address", "key", "human", "scim", "org"]

_log = logger("ratelimit")
_PAUSE_SECONDS = (
    1.0  # after a failure the server is left alone for so long: waiting for it costs every caller the deadline
)

# KEYS: one per quota. ARGV: the call's cost, how many units to charge ahead at the most, and for how long (microseconds);
# then the window (microseconds) and the quota of each key.
# Answers: how many were charged ahead; then, per quota: 1 if it refuses, what is left, microseconds until the call would be
# let in, and until all is back.
# Units ahead are charged as if they were spent at the end of their time, so that no moment of it sees more than the quota;
# there are at most as many as flow back in that time, and none where more than a sixteenth of the quota would be in use.
_SCRIPT = """
local clock = redis.call('TIME')
local now = tonumber(clock[1]) * 1000000 + tonumber(clock[2])
local cost, ahead, life = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local found, refused = {}, false
for place, key in ipairs(KEYS) do
  local window, quota = tonumber(ARGV[2 * place + 2]), tonumber(ARGV[2 * place + 3])
  local each = window / quota
  local full = math.max(tonumber(redis.call('GET', key) or now), now)
  local after = full + cost * each
  local wait = after - now - window
  refused = refused or wait > 0.5
  local room = now + window / 16 - math.max(after, now + life)
  ahead = math.min(ahead, math.floor(life / each), math.floor(room / each))
  found[place] = {key = key, window = window, each = each, full = full, after = after, wait = wait}
end
ahead = math.max(ahead, 0)
local answers = {ahead}
for _, item in ipairs(found) do
  local stands = item.full
  if not refused then
    stands = item.after
    if ahead > 0 then
      stands = math.max(stands, now + life) + ahead * item.each
    end
    redis.call('SET', item.key, string.format('%.0f', stands), 'PX', math.ceil((stands - now) / 1000) + 1)
  end
  answers[#answers + 1] = item.wait > 0.5 and 1 or 0
  answers[#answers + 1] = math.floor((item.window - stands + now) / item.each + 0.001)
  answers[#answers + 1] = math.ceil(math.max(item.wait, 0))
  answers[#answers + 1] = math.ceil(stands - now)
end
return answers
"""


class RateLimited(AppError):
    """429 `rate_limited`: too many calls; `Retry-After` says when the next one is let in."""

    code, status, title = "rate_limited", 429, "Too many requests"


@dataclass(frozen=True, slots=True)
class Quota:
    """What one subject may spend in a window; a plain call costs 1.

    Attributes:
        name: as callers see it in the header fields; quotas of one name share one count per subject.
        subject: who is counted. `address` counts callers without a valid credential only.
        units: what may be spent in a window, all at once at most.
        window_seconds: time after which a spent quota is whole again.
    """

    name: str
    subject: Subject
    units: int
    window_seconds: int = 60


ADDRESS = Quota("address", "address", 600)
SIGN_IN = Quota("sign-in", "address", 60)
REFUSED = Quota("refused", "address", 120)
KEY = Quota("key", "key", 1200)
HUMAN = Quota("user", "human", 1200)
SCIM_TOKEN = Quota("scim-token", "scim", 3000)  # a directory sends all of its people at once
ORG = Quota("org", "org", 6000)


@dataclass(frozen=True, slots=True)
class Limit:
    """How often a route may be called.

    Attributes:
        quotas: what a call is charged to; those that do not fit the caller are passed over.
        cost: units that one call takes.
        is_closed: without the limiter the route refuses (503) instead of letting everybody in.
    """

    quotas: tuple[Quota, ...]
    cost: int = 1
    is_closed: bool = False

    def __post_init__(self) -> None:
        """Refuse a limit that no call could pass. Raises: ValueError."""
        if not self.quotas or self.cost < 1:
            raise ValueError("a limit has at least one quota and a cost of at least 1")
        if any(quota.units < self.cost for quota in self.quotas):
            raise ValueError("a call costs more than a whole quota")

    def costing(self, cost: int) -> Limit:
        """Return the same limit for calls that are worth more than one plain call."""
        return replace(self, cost=cost)


OPEN_TO_ALL = Limit((ADDRESS,))
SIGNING_IN = Limit((SIGN_IN,), is_closed=True)
SIGNED_IN = Limit((KEY, HUMAN, ORG))
PROVISIONING = Limit((SCIM_TOKEN, ORG))
WITHOUT_CREDENTIAL = Limit((REFUSED,))  # calls that end with a 401, wherever they went


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a caller stands with one quota after a call."""

    quota: Quota
    is_refused: bool
    left: int
    wait_seconds: int
    reset_seconds: int


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the limiter says of one call: a standing for each quota that fits the caller."""

    standings: tuple[Standing, ...] = ()

    def headers(self) -> dict[str, str]:
        """Return the header fields that tell the caller.

        Source: draft-ietf-httpapi-ratelimit-headers-10, sections 3 and 4.
        """
        if not self.standings:
            return {}
        policies = (
            f'"{item.quota.name}";q={item.quota.units};w={item.quota.window_seconds}' for item in self.standings
        )
        states = (f'"{item.quota.name}";r={item.left};t={item.reset_seconds}' for item in self.standings)
        return {"RateLimit-Policy": ", ".join(policies), "RateLimit": ", ".join(states)}

    def refusal(self) -> RateLimited | None:
        """Return the error that the caller gets, None when the call is let in."""
        refused = [item for item in self.standings if item.is_refused]
        if not refused:
            return None
        wait = max(1, *(item.wait_seconds for item in refused))
        return RateLimited(retry_after_seconds=wait, violated_policies=[item.quota.name for item in refused])


class Limiter:
    """Counts calls. Cheap to make: the client is built with the first call that is counted."""

    def __init__(self, settings: Settings) -> None:
        self._url = settings.redis_url
        self._ca = settings.redis_ca
        self._scale = settings.rate_scale
        self._deadline_seconds = settings.redis_deadline_ms / 1000
        self._script: Script | None = None
        self._lock = threading.Lock()
        self._leases: Leases[tuple[Standing, ...]] = Leases()
        self._resume_at = 0.0

    def charge(self, limit: Limit, actor: Actor, address: str | None) -> Verdict | None:
        """Charge one call.

        Args:
            limit: the route's.
            actor: who calls; anonymous callers are counted by their address.
            address: the client's IP address, None when nobody knows it.

        Returns:
            The verdict; None when the limiter cannot be asked and the route lets callers in without it.

        Raises:
            ServiceAway: (503 `service_away`) the limiter cannot be asked and the route refuses without it.
        """
        if not self._url:  # the boot guard sees to it that this is so in the emulator only
            return Verdict()
        subjects = _subjects(actor, address)
        quotas = tuple(_scaled(quota, self._scale) for quota in limit.quotas if quota.subject in subjects)
        if not quotas:
            return Verdict()
        keys = tuple(f"rl:{quota.name}:{subjects[quota.subject]}" for quota in quotas)
        if not limit.is_closed:
            return self._charge_lease(keys, quotas, limit.cost) or self._charge_ahead(keys, quotas, limit.cost)
        answer = self._ask(keys, quotas, limit.cost)  # each time: without the server nobody comes in there
        if answer is None:
            raise ServiceAway("rate-limiter")
        return _verdict(*answer)

    def close(self) -> None:
        """Give the connections back."""
        if self._script is not None:
            self._script.registered_client.close()

    def _charge_lease(self, keys: tuple[str, ...], quotas: tuple[Quota, ...], cost: int) -> Verdict | None:
        """Let a call in that was charged before; None when none was."""
        held = self._leases.take((keys, quotas), cost, time.monotonic())
        return None if held is None else _verdict(*held)

    def _charge_ahead(self, keys: tuple[str, ...], quotas: tuple[Quota, ...], cost: int) -> Verdict | None:
        """Charge a call, and those that this caller is likely to make next; None when the server cannot be asked."""
        caller, asked_at = (keys, quotas), time.monotonic()
        ahead = self._leases.begin(caller, asked_at)
        answer = None
        try:
            answer = self._ask(keys, quotas, cost, ahead)
        finally:
            self._leases.end(caller, cost, ahead, asked_at, answer)
        return None if answer is None else _verdict(*answer)

    def _ask(
        self, keys: tuple[str, ...], quotas: tuple[Quota, ...], cost: int, ahead: int = 0
    ) -> tuple[tuple[Standing, ...], int] | None:
        """Ask the server; returns the standings and how many units were charged ahead."""
        from redis.exceptions import RedisError

        if time.monotonic() < self._resume_at:
            return None
        arguments = [cost, ahead, int(LEASE_SECONDS * 1_000_000)]
        arguments += [value for item in quotas for value in (item.window_seconds * 1_000_000, item.units)]
        try:
            granted, *found = _numbers(self._client()(keys=list(keys), args=arguments), 1 + 4 * len(keys))
        except (RedisError, OSError, TypeError, ValueError) as error:
            self._resume_at = time.monotonic() + _PAUSE_SECONDS
            _log.error("rate limiter away", reason=type(error).__name__)
            return None
        standings = tuple(_standing(quota, found[4 * n : 4 * n + 4]) for n, quota in enumerate(quotas))
        return standings, granted

    def _client(self) -> Script:
        with self._lock:
            if self._script is None:
                self._script = _connect(self._url, self._deadline_seconds, self._ca)
            return self._script


def _connect(url: str, deadline_seconds: float, ca: str) -> Script:
    """Make the client: no greeting, no second try of what took too long; a connection that died idle is opened anew."""
    from redis import Redis
    from redis.backoff import NoBackoff
    from redis.exceptions import ConnectionError as RedisConnectionError
    from redis.retry import Retry

    tls: dict[str, str] = {"ssl_ca_data": ca} if ca else {}
    client: Redis = Redis.from_url(
        url,
        protocol=2,
        driver_info=None,
        socket_connect_timeout=deadline_seconds / 2,
        socket_timeout=deadline_seconds / 2,
        socket_keepalive=True,
        retry=Retry(NoBackoff(), 1, supported_errors=(RedisConnectionError,)),
        **tls,
    )
    return client.register_script(_SCRIPT)


@lru_cache(maxsize=256)
def _scaled(quota: Quota, scale: int) -> Quota:
    return replace(quota, units=quota.units * scale)


def _subjects(actor: Actor, address: str | None) -> Mapping[Subject, str]:
    """Say as whom a caller is counted."""
    if actor.kind in {"anonymous", "event"}:
        return {"address": _network(address)}
    subject: Subject = "key" if actor.kind == "key" else "scim" if actor.kind == "scim" else "human"
    found: dict[Subject, str] = {subject: actor.id}
    if actor.org_id is not None:
        found["org"] = str(actor.org_id)
    return found


def _network(address: str | None) -> str:
    """Return what one client holds: an IPv4 address, or the 64-bit network that every IPv6 client has for itself."""
    try:
        found = ipaddress.ip_address(address or "")
    except ValueError:
        return "unknown"
    if isinstance(found, ipaddress.IPv6Address):
        if found.ipv4_mapped is not None:
            return str(found.ipv4_mapped)
        return str(ipaddress.IPv6Network((int(found) >> 64 << 64, 64)))
    return str(found)


def _numbers(answer: Iterable[int], how_many: int) -> list[int]:
    """Check an answer of the script. Raises: TypeError, ValueError: somebody else answered."""
    found = [int(value) for value in answer]
    if len(found) != how_many:
        raise ValueError("not an answer of this script")
    return found


def _standing(quota: Quota, answer: Sequence[int]) -> Standing:
    is_refused, left, wait, reset = map(int, answer)
    return Standing(quota, bool(is_refused), max(0, left), _seconds(wait), _seconds(reset))


def _verdict(standings: tuple[Standing, ...], units: int) -> Verdict:
    """Return what a caller is told who also has units that were charged ahead."""
    if not units:
        return Verdict(standings)
    return Verdict(
        tuple(
            Standing(item.quota, item.is_refused, item.left + units, item.wait_seconds, item.reset_seconds)
            for item in standings
        )
    )


def _seconds(microseconds: int) -> int:
    return math.ceil(microseconds / 1_000_000)
