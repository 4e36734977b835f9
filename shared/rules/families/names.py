"""Names and certificates: DNS records and zones, TLS certificates and where they are attached."""

from __future__ import annotations

from collections.abc import Iterator

from ..levels import Severity
from ..plan import Change, Plan
from ..rule import Match, Rule, seen, whole
from ..switches import rule_of
from ..values import first, holds_mark, number, raw

_FAMILY = "names"
_VALUES = ("records", "rrdatas", "record", "alias", "name", "type", "zone_id", "managed_zone", "target_resource_id", "routing_policy",
           "set_identifier", "weighted_routing_policy", "failover_routing_policy")  # fmt: skip
_WEIGHTY_TYPES = frozenset({"MX", "NS", "SOA", "CAA", "DS"})
_WEIGHTY_RESOURCES = ("_mx_record", "_ns_record", "_caa_record")
_ATTACHMENTS = ("certificate_arn", "viewer_certificate", "ssl_certificates", "certificate_map", "ssl_certificate", "certificate", "key_vault_certificate_id", "acm_certificate_arn",
                "managed", "certificate_body", "domain_name", "subject_alternative_names", "regional_certificate_arn")  # fmt: skip


def _record(change: Change, _plan: Plan) -> Iterator[Match]:
    if change.before is None or change.is_noop:
        return
    kind = str(first(change.before, "type") or "").upper()
    is_weighty = kind in _WEIGHTY_TYPES or change.type.endswith(_WEIGHTY_RESOURCES) or _is_apex(change)
    severity: Severity = "high" if is_weighty else "medium"
    if change.after is None:
        yield Match((whole(change),), severity, "The name is no longer answered.")
        return
    moved = [
        name
        for name in _VALUES
        if raw(change.before, name) != raw(change.after, name) and not holds_mark(raw(change.after, name))
    ]
    evidence = tuple(seen(name, raw(change.before, name), raw(change.after, name)) for name in moved)
    if moved:
        yield Match(evidence, severity)
    elif (number(first(change.before, "ttl")) or 0) < (number(first(change.after, "ttl")) or 0):
        ttl = seen("ttl", first(change.before, "ttl"), first(change.after, "ttl"))
        yield Match((ttl,), "low", "Mistakes stay in caches for longer.")


def _is_apex(change: Change) -> bool:
    """Say whether a record names the zone itself."""
    name, zone = str(first(change.before, "name") or "").rstrip("."), str(first(change.before, "zone_name") or "")
    return name == "@" or (bool(zone) and name == zone) or (change.type.startswith("aws_") and name.count(".") == 1)


def _zone(change: Change, _plan: Plan) -> Iterator[Match]:
    if change.destroys:
        yield Match((whole(change),), "critical", "Every name in it is gone.")


def _certificate(change: Change, _plan: Plan) -> Iterator[Match]:
    if change.is_replace:
        is_late = change.actions[0] != "create"
        yield Match(
            (whole(change),), "high" if is_late else "low", "It goes before the new one is there." if is_late else ""
        )
    elif change.is_delete and change.deposed is None:
        yield Match((whole(change),))


def _attached(change: Change, _plan: Plan) -> Iterator[Match]:
    if change.before is None or change.after is None:
        return
    moved = [
        name
        for name in _ATTACHMENTS
        if raw(change.before, name) and raw(change.before, name) != raw(change.after, name)
    ]
    if moved:
        severity: Severity = "medium" if all(raw(change.after, name) for name in moved) else "high"
        yield Match(tuple(seen(name, raw(change.before, name), raw(change.after, name)) for name in moved), severity)


_RECORDS = (
    "aws_route53_record",
    "google_dns_record_set",
    *(
        f"azurerm_{scope}_{kind}_record"
        for scope in ("dns", "private_dns")
        for kind in ("a", "aaaa", "cname", "mx", "ns", "ptr", "srv", "txt", "caa")
    ),
)
_ZONES = (
    "aws_route53_zone",
    "google_dns_managed_zone",
    "azurerm_dns_zone",
    "azurerm_private_dns_zone",
    "aws_route53domains_registered_domain",
    "aws_service_discovery_private_dns_namespace",
)
_CERTIFICATES = (
    "aws_acm_certificate",
    "aws_iam_server_certificate",
    "aws_acmpca_certificate_authority",
    "google_compute_ssl_certificate",
    "google_compute_managed_ssl_certificate",
    "google_compute_region_ssl_certificate",
    "google_certificate_manager_certificate",
    "azurerm_key_vault_certificate",
    "azurerm_app_service_certificate",
    "azurerm_app_service_managed_certificate",
)
_USERS = (
    "aws_lb_listener",
    "aws_alb_listener",
    "aws_cloudfront_distribution",
    "aws_api_gateway_domain_name",
    "google_compute_target_https_proxy",
    "google_compute_target_ssl_proxy",
    "azurerm_application_gateway",
    "azurerm_cdn_frontdoor_custom_domain",
    "google_compute_region_target_https_proxy",
)

RULES: tuple[Rule, ...] = (
    rule_of("dns-record", _FAMILY, "dns-change", "medium", "A DNS record changes or goes", _RECORDS, _record, paths=("records", "rrdatas", "record", "alias.name", "target_resource_id")),
    rule_of("dns-zone", _FAMILY, "dns-change", "critical", "A DNS zone is destroyed", _ZONES, _zone),
    rule_of("certificate-lost", _FAMILY, "certificate-change", "high", "A certificate goes", _CERTIFICATES, _certificate),
    rule_of("certificate-detached", _FAMILY, "certificate-change", "medium", "Another certificate is shown to clients", _USERS, _attached, paths=("certificate_arn", "ssl_certificates")),
)  # fmt: skip
