"""The whole surface of the function."""

from __future__ import annotations

from shared.http.access import Access
from shared.http.health import health_route
from shared.http.permissions import may
from shared.http.routes import Route
from shared.security.ratelimit import SIGNED_IN

from . import errors
from .domain.plan import MOST_BYTES
from .handlers import analyses, purge
from .models import analyses as models
from .wiring import AnalyzeDeps

_O = "/api/v2/orgs/{org_id}"
_HEAVIEST = SIGNED_IN.costing(20)
_PLAN_ERRORS = (errors.PlanUnreadable, errors.PlanVersionUnsupported, errors.PlanTooLarge, errors.RiskGate)

ROUTES: list[Route[AnalyzeDeps]] = [
    health_route("/analyze"),
    Route(  # raw, as a plan comes in more encodings than JSON on the wire has
        "POST", f"{_O}/analyze", analyses.analyze_plan, may("analyses:create"),
        query=models.AnalyzeQuery, body=models.AnalyzePlan, reply=models.AnalysisView, errors=_PLAN_ERRORS,
        is_raw=True, takes_gzip=True, body_limit_bytes=MOST_BYTES, limit=_HEAVIEST,
    ),
    Route(
        "GET", f"{_O}/analyses", analyses.list_analyses, may("analyses:read"),
        query=models.AnalysesQuery, reply=models.AnalysisPage,
    ),
    Route(
        "GET", f"{_O}/analyses/{{analysis_id}}", analyses.get_analysis, may("analyses:read"),
        query=models.AnalysisQuery, reply=models.AnalysisView,
    ),
]  # fmt: skip

EVENT_ROUTES: list[Route[AnalyzeDeps]] = [
    Route("POST", "/_events/analysis-purge", purge.purge_analyses, Access.from_event("analysis-purge")),
]
