"""Routes of how an organisation wants plans judged: policy, rules, noise."""

from __future__ import annotations

from shared.http.paging import TextPageQuery
from shared.http.permissions import may
from shared.http.routes import Route

from . import errors
from .handlers import custom_rules, noise, policy, rules
from .models import noise as noise_models
from .models import policy as policy_models
from .models import rules as models
from .wiring import AnalyzeDeps

_O = "/api/v2/orgs/{org_id}"
_DISABLED, _CUSTOM, _NOISE = f"{_O}/disabled-rules", f"{_O}/custom-rules", f"{_O}/plan-noise"
_READ, _CHANGE = may("rules:read"), may("rules:change")

RULE_ROUTES: list[Route[AnalyzeDeps]] = [
    Route(
        "GET", f"{_O}/policy", policy.get_policy, may("policy:read"),
        query=policy_models.PolicyQuery, reply=policy_models.PolicyView,
    ),
    Route(
        "PUT", f"{_O}/policy", policy.put_policy, may("policy:change"),
        body=policy_models.PutPolicy, reply=policy_models.PolicyView, errors=(errors.PolicyChanged,),
    ),
    Route(
        "GET", "/api/v2/builtin-rules", rules.list_builtin_rules, may("builtin_rules:read"),
        query=models.BuiltinRulesQuery, reply=models.BuiltinRulePage,
    ),
    Route("GET", _DISABLED, rules.list_disabled_rules, _READ, query=TextPageQuery, reply=models.DisabledRulePage),
    Route("GET", f"{_DISABLED}/{{rule_id}}", rules.get_disabled_rule, _READ, reply=models.DisabledRuleView),
    Route(
        "PUT", f"{_DISABLED}/{{rule_id}}", rules.disable_rule, _CHANGE,
        body=models.DisableRule, reply=models.DisabledRuleView,
    ),
    Route("DELETE", f"{_DISABLED}/{{rule_id}}", rules.enable_rule, _CHANGE, status=204),
    Route(
        "POST", _CUSTOM, custom_rules.create_custom_rule, _CHANGE,
        body=models.CreateCustomRule, reply=models.CustomRuleView, status=201,
        errors=(errors.CustomRuleExists, errors.TooManyCustomRules),
    ),
    Route("GET", _CUSTOM, custom_rules.list_custom_rules, _READ, query=models.CustomRulesQuery, reply=models.CustomRulePage),
    Route(
        "POST", f"{_CUSTOM}/test", custom_rules.try_custom_rule, _CHANGE,
        body=models.TryCustomRule, reply=models.CustomRuleTrial,
        errors=(errors.PlanUnreadable, errors.PlanVersionUnsupported, errors.PlanTooLarge),
    ),
    Route("GET", f"{_CUSTOM}/{{rule_id}}", custom_rules.get_custom_rule, _READ, reply=models.CustomRuleView),
    Route(
        "PATCH", f"{_CUSTOM}/{{rule_id}}", custom_rules.change_custom_rule, _CHANGE,
        body=models.ChangeCustomRule, reply=models.CustomRuleView,
    ),
    Route("DELETE", f"{_CUSTOM}/{{rule_id}}", custom_rules.delete_custom_rule, _CHANGE, status=204),
    Route(
        "GET", _NOISE, noise.get_plan_noise, may("plan_noise:read"),
        query=noise_models.NoiseQuery, reply=noise_models.PlanNoiseView,
    ),
    Route(
        "PUT", f"{_NOISE}/settings", noise.put_noise_settings, may("plan_noise:change"),
        body=noise_models.PutNoiseSettings, reply=noise_models.NoiseSettingsView,
    ),
    Route(
        "POST", f"{_NOISE}/suppress", noise.suppress, may("plan_noise:change"),
        body=noise_models.Suppress, reply=noise_models.SuppressionView, status=201, errors=(errors.TooManySuppressions,),
    ),
    Route("DELETE", f"{_NOISE}/suppress/{{suppression_id}}", noise.end_suppression, may("plan_noise:change"), status=204),
]  # fmt: skip
