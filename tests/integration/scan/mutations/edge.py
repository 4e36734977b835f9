"""What can be changed behind Terraform's back in the `edge` group: certificates, distributions, web ACLs, APIs."""

from __future__ import annotations

from typing import Any

from functions.scan.types.aws import acm, apigateway, apigatewayv2, cloudfront, wafv2
from tests.support.aws_account import Clients, Mutation

from . import edge_apis, edge_http
from .calls import Apply, call, changed, create, missing, unmanaged
from .links_vpc import fixed, still

SPECS = (*acm.SPECS, *cloudfront.SPECS, *wafv2.SPECS, *apigateway.SPECS, *apigatewayv2.SPECS)

_SITE = "aws_cloudfront_distribution.site"


def _distribution(change: Any) -> Apply:
    """Read the distribution's configuration, change it, and write it back."""

    def apply(clients: Clients, target: dict[str, Any]) -> None:
        client = clients("cloudfront")
        found = client.get_distribution_config(Id=target["id"])
        config = found["DistributionConfig"]
        change(config)
        client.update_distribution(Id=target["id"], IfMatch=found["ETag"], DistributionConfig=config)

    return apply


def site(path: str, change: Any) -> Mutation:
    """Change one member of the distribution."""
    return changed(_SITE, path, _distribution(change))


def _create_distribution(clients: Clients, _target: dict[str, Any]) -> str:
    client = clients("cloudfront")
    key = client.list_distributions()["DistributionList"]["Items"][0]["Id"]
    config = client.get_distribution_config(Id=key)["DistributionConfig"]
    made = client.create_distribution(
        DistributionConfig={**config, "CallerReference": "more", "Aliases": {"Quantity": 0}}
    )
    return str(made["Distribution"]["Id"])


def _access_control(clients: Clients, target: dict[str, Any], **changes: str) -> None:
    client = clients("cloudfront")
    found = client.get_origin_access_control(Id=target["id"])
    config = found["OriginAccessControl"]["OriginAccessControlConfig"]
    client.update_origin_access_control(
        Id=target["id"], IfMatch=found["ETag"], OriginAccessControlConfig={**config, **changes}
    )


def control(path: str, member: str, value: str) -> Mutation:
    """Change one member of the origin access control."""
    return changed(
        "aws_cloudfront_origin_access_control.site",
        path,
        lambda clients, target: _access_control(clients, target, **{member: value}),
    )


_CLOUDFRONT = (
    site("enabled", lambda config: config.update(Enabled=False)),
    site("comment", lambda config: config.update(Comment="other")),
    site("price_class", lambda config: config.update(PriceClass="PriceClass_All")),
    site("default_root_object", lambda config: config.update(DefaultRootObject="other.html")),
    site("aliases", lambda config: config["Aliases"].update(Quantity=1, Items=["other.example"])),
    site("origin.site.origin_path", lambda config: config["Origins"]["Items"][0].update(OriginPath="/v2")),
    site("default_cache_behavior.viewer_protocol_policy", lambda config: config["DefaultCacheBehavior"].update(
        ViewerProtocolPolicy="allow-all")),
    site("custom_error_response.404.response_code", lambda config: config["CustomErrorResponses"]["Items"][0].update(ResponseCode="403")),
    site("restrictions.geo_restriction.locations", lambda config: config["Restrictions"]["GeoRestriction"].update(Quantity=1, Items=["US"])),
    site("viewer_certificate.minimum_protocol_version", lambda config: config["ViewerCertificate"].update(MinimumProtocolVersion="SSLv3")),
    site("logging_config", lambda config: config.update(
        Logging={"Enabled": True, "IncludeCookies": False, "Bucket": "logs.example", "Prefix": ""})),
    site("ordered_cache_behavior", lambda config: config.update(CacheBehaviors={"Quantity": 1, "Items": [
        {**config["DefaultCacheBehavior"], "PathPattern": "/more/*"}]})),
    changed(_SITE, "tags.Extra", call("cloudfront", "tag_resource", "Resource=arn", Tags={"Items": [{"Key": "Extra", "Value": "1"}]})),
    unmanaged("aws_cloudfront_distribution", _create_distribution),
    control("name", "Name", "other"),
    control("description", "Description", "other"),
    control("signing_behavior", "SigningBehavior", "never"),
    unmanaged("aws_cloudfront_origin_access_control", create(
        "cloudfront", "create_origin_access_control", "OriginAccessControl.Id", OriginAccessControlConfig={
            "Name": "more", "SigningProtocol": "sigv4", "SigningBehavior": "always", "OriginAccessControlOriginType": "s3"})),
    missing("aws_cloudfront_origin_access_control.site", lambda clients, target: _delete(clients, target, "origin_access_control")),
    missing(_SITE, lambda clients, target: _delete(clients, target, "distribution")),
)  # fmt: skip


def _delete(clients: Clients, target: dict[str, Any], word: str) -> None:
    client = clients("cloudfront")
    etag = getattr(client, f"get_{word}")(Id=target["id"])["ETag"]
    getattr(client, f"delete_{word}")(Id=target["id"], IfMatch=etag)


_CERTIFICATES = (
    changed("aws_acm_certificate.shop", "tags.Extra", call(
        "acm", "add_tags_to_certificate", "CertificateArn=arn", Tags=[{"Key": "Extra", "Value": "1"}])),
    unmanaged("aws_acm_certificate", create("acm", "request_certificate", "CertificateArn", DomainName="more.example")),
    missing("aws_acm_certificate.shop", call("acm", "delete_certificate", "CertificateArn=arn")),
)  # fmt: skip

_VISIBLE = {"SampledRequestsEnabled": True, "CloudWatchMetricsEnabled": True, "MetricName": "more"}
_REGIONAL = {"Scope": "REGIONAL"}


def _written(word: str, member: str, *kept: str, change: Any) -> Apply:
    """Read a thing of WAF, change it, and write it back."""

    def apply(clients: Clients, target: dict[str, Any]) -> None:
        client, place = clients("wafv2"), {"Name": target["name"], "Id": target["id"], **_REGIONAL}
        found = getattr(client, f"get_{word}")(**place)
        body = {name: found[member][name] for name in kept if name in found[member]}
        change(body)
        getattr(client, f"update_{word}")(**place, **body, LockToken=found["LockToken"])

    return apply


def _tagged(kind: str, name: str) -> Mutation:
    return changed(f"aws_wafv2_{kind}.{name}", "tags.Extra", call(
        "wafv2", "tag_resource", "ResourceARN=arn", Tags=[{"Key": "Extra", "Value": "1"}]))  # fmt: skip


def _gone(kind: str, name: str) -> Mutation:
    def apply(clients: Clients, target: dict[str, Any]) -> None:
        client, place = clients("wafv2"), {"Name": target["name"], "Id": target["id"], **_REGIONAL}
        token = getattr(client, f"get_{kind}")(**place)["LockToken"]
        getattr(client, f"delete_{kind}")(**place, LockToken=token)

    return missing(f"aws_wafv2_{kind}.{name}", apply)


def acl(path: str, change: Any) -> Mutation:
    """Change one member of the web ACL."""
    kept = ("DefaultAction", "Description", "Rules", "VisibilityConfig")
    return changed("aws_wafv2_web_acl.shop", path, _written("web_acl", "WebACL", *kept, change=change))


def group(path: str, change: Any) -> Mutation:
    """Change one member of the rule group."""
    kept = ("Description", "Rules", "VisibilityConfig")
    return changed("aws_wafv2_rule_group.paths", path, _written("rule_group", "RuleGroup", *kept, change=change))


def _rule(body: dict[str, Any], name: str) -> Any:
    return next(rule for rule in body["Rules"] if rule["Name"] == name)


def _log(clients: Clients, arn: str) -> None:
    place = ["arn:aws:logs:us-east-1:123456789012:log-group:aws-waf-logs-other"]
    clients("wafv2").put_logging_configuration(
        LoggingConfiguration={"ResourceArn": arn, "LogDestinationConfigs": place}
    )


def _log_more(clients: Clients, _target: dict[str, Any]) -> str:
    acls = clients("wafv2").list_web_acls(**_REGIONAL)["WebACLs"]
    arn = str(next(item["ARN"] for item in acls if item["Name"] == "more"))
    _log(clients, arn)
    return arn


_WAF = (
    acl("description", lambda body: body.update(Description="other")),
    acl("rule.rate.statement.rate_based_statement.limit", lambda body: _rule(body, "rate")["Statement"]["RateBasedStatement"].update(Limit=99)),
    Mutation("aws_wafv2_web_acl.shop", {
        ("changed", "aws_wafv2_web_acl.shop", f"rule.rate.action.{name}") for name in ("block", "count")},
        _written("web_acl", "WebACL", "DefaultAction", "Description", "Rules", "VisibilityConfig",
                 change=lambda body: _rule(body, "rate").update(Action={"Count": {}}))),
    acl("visibility_config.sampled_requests_enabled", lambda body: body["VisibilityConfig"].update(SampledRequestsEnabled=False)),
    Mutation("aws_wafv2_web_acl.shop", {
        ("changed", "aws_wafv2_web_acl.shop", f"default_action.{name}") for name in ("allow", "block")},
        _written("web_acl", "WebACL", "DefaultAction", "Description", "Rules", "VisibilityConfig",
                 change=lambda body: body.update(DefaultAction={"Block": {}}))),
    _tagged("web_acl", "shop"),
    unmanaged("aws_wafv2_web_acl", create("wafv2", "create_web_acl", "Summary.ARN", Name="more", **_REGIONAL, DefaultAction={"Allow": {}},
                                          VisibilityConfig=_VISIBLE)),
    group("description", lambda body: body.update(Description="other")),
    group("rule.blocked.priority", lambda body: body["Rules"][0].update(Priority=7)),
    group("visibility_config.metric_name", lambda body: body["VisibilityConfig"].update(MetricName="other")),
    _tagged("rule_group", "paths"),
    unmanaged("aws_wafv2_rule_group", create("wafv2", "create_rule_group", "Summary.ARN", Name="more", **_REGIONAL, Capacity=1,
                                             VisibilityConfig=_VISIBLE)),
    changed("aws_wafv2_ip_set.blocked", "addresses", _written(
        "ip_set", "IPSet", "Description", "Addresses", change=lambda body: body.update(Addresses=["198.51.100.0/24"]))),
    changed("aws_wafv2_ip_set.blocked", "description", _written(
        "ip_set", "IPSet", "Description", "Addresses", change=lambda body: body.update(Description="other"))),
    _tagged("ip_set", "blocked"),
    unmanaged("aws_wafv2_ip_set", create("wafv2", "create_ip_set", "Summary.ARN", Name="more", **_REGIONAL, IPAddressVersion="IPV4", Addresses=[])),
    changed("aws_wafv2_regex_pattern_set.paths", "regular_expression", _written(
        "regex_pattern_set", "RegexPatternSet", "Description", "RegularExpressionList",
        change=lambda body: body.update(RegularExpressionList=[{"RegexString": "^/other"}]))),
    changed("aws_wafv2_regex_pattern_set.paths", "description", _written(
        "regex_pattern_set", "RegexPatternSet", "Description", "RegularExpressionList", change=lambda body: body.update(Description="other"))),
    _tagged("regex_pattern_set", "paths"),
    unmanaged("aws_wafv2_regex_pattern_set", create(
        "wafv2", "create_regex_pattern_set", "Summary.ARN", Name="more", **_REGIONAL, RegularExpressionList=[{"RegexString": "a"}])),
    changed("aws_wafv2_web_acl_logging_configuration.shop", "log_destination_configs", lambda clients, target: _log(clients, target["resource_arn"])),
    unmanaged("aws_wafv2_web_acl_logging_configuration", _log_more),
    missing("aws_wafv2_web_acl_logging_configuration.shop", call("wafv2", "delete_logging_configuration", "ResourceArn=resource_arn")),
    _gone("web_acl", "shop"),
    _gone("regex_pattern_set", "paths"),
    _gone("rule_group", "paths"),
    _gone("ip_set", "blocked"),
)  # fmt: skip

MUTATIONS: tuple[Mutation, ...] = (*_CLOUDFRONT, *_WAF, *edge_apis.MUTATIONS, *edge_http.MUTATIONS, *_CERTIFICATES)

EXCEPTIONS: dict[str, str] = {
    **edge_apis.EXCEPTIONS,
    **edge_http.EXCEPTIONS,
    **fixed(
        "aws_acm_certificate", "domain_name", "subject_alternative_names", "key_algorithm", "certificate_authority_arn"
    ),
    **still("aws_acm_certificate", "options"),
    **still("aws_cloudfront_distribution", "http_version", "is_ipv6_enabled", "web_acl_id"),
    **still("aws_cloudfront_origin_access_control", "origin_access_control_origin_type", "signing_protocol"),
    **fixed("aws_wafv2_web_acl", "name"),
    **still("aws_wafv2_web_acl", "token_domains"),
    **fixed("aws_wafv2_rule_group", "name", "capacity"),
    **fixed("aws_wafv2_ip_set", "name", "ip_address_version"),
    **fixed("aws_wafv2_regex_pattern_set", "name"),
}
