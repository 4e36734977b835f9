"""Plans have a budget of their own: when it is used up, nobody is kept from anything else."""

from __future__ import annotations

from dataclasses import replace
from uuid import UUID

from functions.analyze.routes import ROUTES
from shared.security.actor import Actor, Role
from shared.security.ratelimit import Limit, Limiter, Quota
from tests.support.http_app import SETTINGS
from tests.support.redis_server import redis_server

HOUR = 3600  # long windows: nothing comes back while the test runs


def limit_of(method: str, path: str) -> Limit:
    """Return a route's limit, with windows that outlast the test."""
    [route] = [item for item in ROUTES if (item.method, item.path) == (method, f"/api/v2/orgs/{{org_id}}{path}")]
    assert route.rate_limit is not None
    return replace(route.rate_limit, quotas=tuple(_lasting(item) for item in route.rate_limit.quotas))


def _lasting(quota: Quota) -> Quota:
    return replace(quota, window_seconds=HOUR)


def test_plans_of_many_people_use_up_the_plans_of_their_organisation_and_nothing_else() -> None:
    analyze, read = limit_of("POST", "/analyze"), limit_of("GET", "/analyses")
    org, other = UUID(int=1), UUID(int=2)

    def person(number: int, org_id: UUID) -> Actor:
        return Actor(kind="human", id=str(UUID(int=number)), org_id=org_id, role=Role.MEMBER)

    with redis_server() as url:
        limiter = Limiter(replace(SETTINGS, redis_url=url, redis_deadline_ms=5000))
        verdicts = [limiter.charge(analyze, person(number % 7, org), None) for number in range(61)]
        refused = [number for number, verdict in enumerate(verdicts) if verdict is not None and verdict.refusal()]
        assert refused == [60], "sixty plans, and no more"
        for limit, org_id in ((read, org), (analyze, other)):
            verdict = limiter.charge(limit, person(1, org_id), None)
            assert verdict is not None
            assert verdict.refusal() is None
        limiter.close()
