"""Load balancing: forwarding rules, proxies, URL maps, backends, health checks, certificates and security policies.

Source: https://cloud.google.com/compute/docs/reference/rest/v1 (forwardingRules, targetHttpsProxies, urlMaps, backendServices,
backendBuckets, healthChecks, sslCertificates, sslPolicies, securityPolicies); Terraform Google provider 6.50.
"""

from __future__ import annotations

from ...domain.shapes import boolean, dns_name, list_of, number_or_zero, set_of, text
from .assets import Asset
from .forms import certificate, port_range, unless
from .mapping import GoogleType, Item

_API = "compute.googleapis.com/"
_BACKEND = (
    "balancing_mode capacity_scaler description group max_connections max_connections_per_endpoint"
    " max_connections_per_instance max_rate max_rate_per_endpoint max_rate_per_instance max_utilization"
)
_CHECKS = "grpc_health_check http2_health_check http_health_check https_health_check ssl_health_check tcp_health_check"
_CDN = (  # whether requests are coalesced is on by default, and states of older providers do not say so
    "bypass_cache_on_request_headers cache_key_policy cache_mode client_ttl default_ttl max_ttl negative_caching"
    " negative_caching_policy serve_while_stale signed_url_cache_max_age_sec"
)
_EXCLUSION = "rule.preconfigured_waf_config.exclusion"
_EXCLUDED = (("cookie", "Cookie"), ("header", "Header"), ("query_param", "QueryParam"), ("uri", "Uri"))
_ERROR_PAGES = (
    "default_custom_error_response_policy",
    "path_matcher.default_custom_error_response_policy",
    "path_matcher.path_rule.custom_error_response_policy",
    "path_matcher.route_rules.custom_error_response_policy",
)
_NAMED = {  # spelled in the API with the protocol in one word
    "ip_address": "IPAddress",
    "ip_protocol": "IPProtocol",
}


def _is_regional(asset: Asset) -> bool:
    return "/regions/" in asset.name


def _is_global(asset: Asset) -> bool:
    return "/global/" in asset.name


def _health_check(kind: str, assets: tuple[str, ...], *, is_regional: bool) -> GoogleType:
    return GoogleType(
        kind,
        assets,
        f"check_interval_sec description healthy_threshold log_config timeout_sec unhealthy_threshold {_CHECKS}",
        shapes={f"{name}.proxy_header": unless("NONE") for name in _CHECKS.split() if name != "grpc_health_check"},
        when=_is_regional if is_regional else _is_global,
    )


def _hash(data: Item, _asset: Asset) -> object:
    """What is hashed; says nothing while backends are chosen in another way."""
    return data.get("consistentHash") if data.get("localityLbPolicy") in {"MAGLEV", "RING_HASH"} else None


TYPES = (
    GoogleType(
        "google_compute_global_forwarding_rule",
        (_API + "GlobalForwardingRule",),
        "description ip_address ip_protocol ip_version labels load_balancing_scheme network network_tier port_range"
        " source_ip_ranges target",
        at=_NAMED,
        shapes={"port_range": port_range, "ip_version": unless("IPV4")},
    ),
    GoogleType(
        "google_compute_forwarding_rule",
        (_API + "ForwardingRule",),
        "all_ports allow_global_access backend_service description ip_address ip_protocol ip_version is_mirroring_collector"
        " labels load_balancing_scheme network network_tier port_range ports service_label source_ip_ranges subnetwork target",
        at=_NAMED,
        shapes={"port_range": port_range, "ip_version": unless("IPV4")},
    ),
    GoogleType(
        "google_compute_target_http_proxy",
        (_API + "TargetHttpProxy",),
        "description http_keep_alive_timeout_sec proxy_bind url_map",
        when=_is_global,
    ),
    GoogleType(
        "google_compute_target_https_proxy",
        (_API + "TargetHttpsProxy",),
        "certificate_map description http_keep_alive_timeout_sec proxy_bind quic_override server_tls_policy ssl_certificates"
        " ssl_policy tls_early_data url_map",
        shapes={"quic_override": unless("NONE"), "tls_early_data": unless("DISABLED")},
        when=_is_global,
    ),
    GoogleType(
        "google_compute_target_tcp_proxy",
        (_API + "TargetTcpProxy",),
        "backend_service description proxy_bind proxy_header",
        at={"backend_service": "service"},
        shapes={"proxy_header": unless("NONE")},
        when=_is_global,
    ),
    GoogleType(
        "google_compute_target_ssl_proxy",
        (_API + "TargetSslProxy",),
        "backend_service certificate_map description proxy_header ssl_certificates ssl_policy",
        at={"backend_service": "service"},
        shapes={"proxy_header": unless("NONE")},
    ),
    GoogleType(
        "google_compute_url_map",
        (_API + "UrlMap",),
        "default_custom_error_response_policy default_route_action default_service default_url_redirect description"
        " header_action host_rule path_matcher test",
        at={
            **{f"{path}.error_response_rule": "errorResponseRules" for path in _ERROR_PAGES},
            "host_rule": "hostRules",
            "path_matcher": "pathMatchers",
            "path_matcher.path_rule": "pathRules",
            "test": "tests",
        },
        when=_is_global,
    ),
    GoogleType(
        "google_compute_backend_service",
        (_API + "BackendService",),
        "affinity_cookie_ttl_sec backend cdn_policy circuit_breakers compression_mode connection_draining_timeout_sec"
        " consistent_hash custom_request_headers custom_response_headers description edge_security_policy enable_cdn"
        " health_checks iap ip_address_selection_policy load_balancing_scheme locality_lb_policies locality_lb_policy"
        " log_config max_stream_duration outlier_detection port_name protocol security_policy security_settings"
        " service_lb_policy session_affinity timeout_sec",
        at={
            "backend": "backends",
            "connection_draining_timeout_sec": "connectionDraining.drainingTimeoutSec",
            "enable_cdn": "enableCDN",
        },
        read={"consistent_hash": _hash},
        shapes={"compression_mode": unless("DISABLED"), "session_affinity": unless("NONE")},
        inside={
            "backend": _BACKEND,
            "cdn_policy": _CDN,
            "iap": "enabled oauth2_client_id",
            "log_config": "enable optional_fields optional_mode sample_rate",
            # No API answers with the key itself.
            "security_settings.aws_v4_authentication": "access_key_id access_key_version origin_region",
        },
        when=_is_global,
    ),
    GoogleType(
        "google_compute_region_backend_service",
        (_API + "RegionBackendService", _API + "BackendService"),
        "affinity_cookie_ttl_sec backend circuit_breakers connection_draining_timeout_sec consistent_hash description"
        " enable_cdn failover_policy health_checks iap load_balancing_scheme locality_lb_policy log_config network"
        " outlier_detection port_name protocol session_affinity timeout_sec",
        at={
            "backend": "backends",
            "connection_draining_timeout_sec": "connectionDraining.drainingTimeoutSec",
            "enable_cdn": "enableCDN",
        },
        read={"consistent_hash": _hash},
        shapes={"session_affinity": unless("NONE")},
        inside={
            "backend": f"{_BACKEND} failover",
            "iap": "enabled oauth2_client_id",
            "log_config": "enable optional_fields optional_mode sample_rate",
        },
        when=_is_regional,
    ),
    GoogleType(
        "google_compute_backend_bucket",
        (_API + "BackendBucket",),
        "bucket_name cdn_policy compression_mode custom_response_headers description edge_security_policy enable_cdn",
        shapes={"compression_mode": unless("DISABLED"), "custom_response_headers": set_of(text)},
        inside={"cdn_policy": _CDN},
    ),
    _health_check("google_compute_health_check", (_API + "HealthCheck",), is_regional=False),
    _health_check(
        "google_compute_region_health_check", (_API + "RegionHealthCheck", _API + "HealthCheck"), is_regional=True
    ),
    GoogleType(
        "google_compute_http_health_check",
        (_API + "HttpHealthCheck",),
        "check_interval_sec description healthy_threshold host port request_path timeout_sec unhealthy_threshold",
        is_certain=False,
    ),
    GoogleType(
        "google_compute_target_pool",
        (_API + "TargetPool",),
        "backup_pool description failover_ratio health_checks session_affinity",
        shapes={"session_affinity": unless("NONE")},
    ),
    GoogleType(
        "google_compute_ssl_certificate",
        (_API + "SslCertificate",),
        "certificate description",
        shapes={"certificate": certificate},
        when=lambda asset: _is_global(asset) and asset.data.get("type") != "MANAGED",
        sensitive=frozenset({"certificate"}),
    ),
    GoogleType(
        "google_compute_managed_ssl_certificate",
        (_API + "SslCertificate",),
        "description managed",
        shapes={"managed.domains": list_of(dns_name)},
        when=lambda asset: _is_global(asset) and asset.data.get("type") == "MANAGED",
    ),
    GoogleType(
        "google_compute_ssl_policy",
        (_API + "SslPolicy",),
        "custom_features description min_tls_version profile",
        when=_is_global,
    ),
    GoogleType(
        "google_compute_security_policy",
        (_API + "SecurityPolicy",),
        "adaptive_protection_config advanced_options_config description recaptcha_options_config rule type",
        at={
            "rule": "rules",
            _EXCLUSION: "exclusions",
            **{f"{_EXCLUSION}.request_{name}": f"request{member}sToExclude" for name, member in _EXCLUDED},
            **{f"{_EXCLUSION}.request_{name}.operator": "op" for name, _ in _EXCLUDED},
            **{f"{_EXCLUSION}.request_{name}.value": "val" for name, _ in _EXCLUDED},
        },
        shapes={
            "rule.preview": boolean,
            "rule.priority": number_or_zero,
        },
        inside={
            "rule.match.config": "src_ip_ranges",
        },
        when=_is_global,
    ),
)
