"""The whole surface of the function."""

from __future__ import annotations

from dataclasses import replace

from shared.http.access import Access
from shared.http.health import health_route
from shared.http.permissions import may
from shared.http.resealing import resealing_route
from shared.http.routes import Route
from shared.ports import language_model
from shared.security.egress import EgressFailed, EgressRefused, EgressTimeout
from shared.security.ratelimit import SIGNED_IN, Quota

from . import errors
from .code_host_routes import CODE_HOST_EVENT_ROUTES, CODE_HOST_ROUTES
from .domain.plan import MOST_BYTES
from .handlers import analyses, llm, narratives, plan_events, purge
from .models import analyses as models
from .models import llm as llm_models
from .models.narratives import DriftNarrativeView
from .rule_routes import RULE_ROUTES
from .wiring import AnalyzeDeps

_O = "/api/v2/orgs/{org_id}"
_HEAVIEST = SIGNED_IN.costing(20)
# Plans have a budget of their own, 60 a minute for each organisation, so that a busy pipeline keeps nobody from reading.
_PLANS = replace(SIGNED_IN, quotas=(*SIGNED_IN.quotas, Quota("analyses", "org", 600)), cost=10)
_ENDPOINT_ERRORS = (EgressRefused, EgressFailed, EgressTimeout)
_MODEL_ERRORS = (
    language_model.ModelAway, language_model.ModelMisconfigured, language_model.ModelDeclined, language_model.AnswerUnusable,
    EgressRefused,
)  # fmt: skip
_PLAN_ERRORS = (
    errors.PlanUnreadable,
    errors.PlanVersionUnsupported,
    errors.PlanTooLarge,
    errors.PlanTooComplex,
    errors.RiskGate,
)

ROUTES: list[Route[AnalyzeDeps]] = [
    health_route("/analyze"),
    Route(  # raw, as a plan comes in more encodings than JSON on the wire has
        "POST", f"{_O}/analyze", analyses.analyze_plan, may("analyses:create"),
        query=models.AnalyzeQuery, body=models.AnalyzePlan, reply=models.AnalysisView, errors=_PLAN_ERRORS,
        is_raw=True, takes_gzip=True, body_limit_bytes=MOST_BYTES, limit=_PLANS,
    ),
    Route(
        "GET", f"{_O}/analyses", analyses.list_analyses, may("analyses:read"),
        query=models.AnalysesQuery, reply=models.AnalysisPage,
    ),
    Route(
        "GET", f"{_O}/analyses/{{analysis_id}}", analyses.get_analysis, may("analyses:read"),
        query=models.AnalysisQuery, reply=models.AnalysisView,
    ),
    Route(
        "GET", f"{_O}/drift/{{item_id}}/narrative", narratives.show_drift_narrative, may("narratives:read"),
        reply=DriftNarrativeView,
    ),
    Route("GET", f"{_O}/llm-config", llm.get_llm_config, may("llm_config:read"), reply=llm_models.LlmConfigView),
    Route(
        "PUT", f"{_O}/llm-config", llm.put_llm_config, may("llm_config:change"), body=llm_models.PutLlmConfig,
        reply=llm_models.LlmConfigView, errors=(errors.UnknownField, *_ENDPOINT_ERRORS),
    ),
    Route("DELETE", f"{_O}/llm-config", llm.delete_llm_config, may("llm_config:change")),
    Route(
        "POST", f"{_O}/llm-config/test", llm.test_llm_config, may("llm_config:change"), reply=llm_models.LlmTestView,
        errors=_MODEL_ERRORS, limit=_HEAVIEST,
    ),
    Route(
        "GET", f"{_O}/llm-usage", llm.show_llm_usage, may("llm_usage:read"), query=llm_models.LlmUsageQuery,
        reply=llm_models.LlmUsagePage,
    ),
    *RULE_ROUTES,
    *CODE_HOST_ROUTES,
]  # fmt: skip

EVENT_ROUTES: list[Route[AnalyzeDeps]] = [
    resealing_route("analyze-sealed-columns"),
    Route("POST", "/_events/drift-narratives", narratives.write_drift_narrative, Access.from_event("drift-narratives")),
    Route("POST", "/_events/plan-events", plan_events.analyze_delivery, Access.from_event("plan-events")),
    Route("POST", "/_events/analysis-purge", purge.purge_analyses, Access.from_event("analysis-purge")),
    *CODE_HOST_EVENT_ROUTES,
]
