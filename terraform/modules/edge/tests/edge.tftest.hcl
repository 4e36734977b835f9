variables {
  project_id = "driftwise-test"
  region     = "europe-west1"
  domain     = "app.driftwise.example"
  services   = { auth = "auth", console = "console", webhook = "webhook" }
  paths = {
    auth    = { "/auth/login" = ["GET"], "/api/v2/orgs/{org_id}" = ["GET"], "/api/v2/orgs/{org_id}/members/{user_id}" = ["PATCH"] }
    console = { "/" = ["GET"], "/console/health" = ["GET"] }
    webhook = { "/webhooks/health" = ["GET"], "/webhooks/{provider}" = ["GET"], "/webhooks/{provider}/{config_id}" = ["POST"] }
  }
}

run "the_edge" {
  command = apply

  variables {
    denied_networks = ["192.0.2.0/24"]
  }

  assert {
    condition = toset(flatten([
      for rule in google_compute_url_map.https.path_matcher[0].route_rules : [
        for match in rule.match_rules : coalesce(match.full_path_match, match.path_template_match)
      ]
      ])) == toset([
      "/", "/auth/login", "/console/health", "/webhooks/health", "/webhooks/{provider=*}", "/webhooks/{provider=*}/{config_id=*}",
      "/api/v2/orgs/{org_id=*}", "/api/v2/orgs/{org_id=*}/members/{user_id=*}",
    ])
    error_message = "The edge must route every public path and no other."
  }

  assert {
    condition = one([
      for rule in google_compute_url_map.https.path_matcher[0].route_rules : rule.priority
      if rule.match_rules[0].full_path_match == "/webhooks/health"
      ]) < one([
      for rule in google_compute_url_map.https.path_matcher[0].route_rules : rule.priority
      if rule.match_rules[0].path_template_match == "/webhooks/{provider=*}"
    ])
    error_message = "An exact path must win over a template that matches it too."
  }

  assert {
    condition = (
      google_compute_url_map.https.path_matcher[0].default_route_action[0].fault_injection_policy[0].abort[0].http_status == 404
      && google_compute_url_map.https.default_route_action[0].fault_injection_policy[0].abort[0].percentage == 100
      && google_compute_url_map.https.path_matcher[0].default_service == null
    )
    error_message = "Unknown paths and unknown hosts must be 404 at the edge, all of them."
  }

  assert {
    condition     = google_compute_url_map.https.header_action[0].response_headers_to_add[0].header_value == "max-age=63072000; includeSubDomains; preload"
    error_message = "Every answer must carry HSTS as the preload list asks for it."
  }

  assert {
    condition     = { for name, group in google_compute_region_network_endpoint_group.function : name => group.cloud_run[0].service } == { for name, service in var.services : name => service }
    error_message = "Each function has a serverless endpoint group of its own."
  }

  assert {
    condition = alltrue([
      for backend in google_compute_backend_service.function :
      backend.load_balancing_scheme == "EXTERNAL_MANAGED" && backend.log_config[0].enable && backend.log_config[0].sample_rate == 1 && !backend.enable_cdn
    ])
    error_message = "Every request is logged, none is cached, and the balancer is the one that knows path templates."
  }

  assert {
    condition     = google_compute_ssl_policy.edge.min_tls_version == "TLS_1_2" && google_compute_ssl_policy.edge.profile == "RESTRICTED"
    error_message = "TLS 1.2 is the least, with strong suites only."
  }

  assert {
    condition     = google_compute_target_https_proxy.edge.ssl_policy == google_compute_ssl_policy.edge.id && google_compute_target_https_proxy.edge.tls_early_data == "DISABLED"
    error_message = "The proxy must use the policy and take no early data."
  }

  assert {
    condition = alltrue([
      for rule in google_compute_global_forwarding_rule.http : rule.port_range == "80" && rule.target == google_compute_target_http_proxy.redirect.id
      ]) && google_compute_target_http_proxy.redirect.url_map == google_compute_url_map.http.id && (
      google_compute_url_map.http.default_url_redirect[0].https_redirect
      && google_compute_url_map.http.default_url_redirect[0].redirect_response_code == "PERMANENT_REDIRECT"
    )
    error_message = "Plain HTTP must lead to HTTPS and to nothing else."
  }

  assert {
    condition = alltrue([
      for rule in google_compute_global_forwarding_rule.https : rule.port_range == "443" && rule.target == google_compute_target_https_proxy.edge.id
    ]) && toset(keys(google_compute_global_forwarding_rule.https)) == toset(["IPV4", "IPV6"])
    error_message = "HTTPS must be served on IPv4 and on IPv6."
  }

  assert {
    condition     = google_certificate_manager_certificate.edge["app.driftwise.example"].managed[0].domains == tolist(["app.driftwise.example"])
    error_message = "The certificate must be Google's own, for the domain."
  }

  assert {
    condition     = length(output.dns_records) == 4 && toset([for key in keys(output.dns_records) : split("/", key)[1]]) == toset(["address-ipv4", "address-ipv6", "authority", "certificate"])
    error_message = "The operator must learn every record that the domain needs."
  }

  assert {
    condition     = alltrue([for backend in google_compute_backend_service.function : backend.security_policy == google_compute_security_policy.edge.id])
    error_message = "Every backend must stand behind Cloud Armor."
  }

  assert {
    condition     = length(google_dns_managed_zone.edge) == 0 && output.public_url == "https://app.driftwise.example"
    error_message = "Without `dns_zone` there is no zone."
  }

  assert {
    condition = [
      for priority in sort([for rule in google_compute_security_policy.edge.rule : format("%010d", rule.priority) if !startswith(rule.description, "Rule set")]) :
      one([for rule in google_compute_security_policy.edge.rule : rule.action if format("%010d", rule.priority) == priority])
    ] == ["deny(403)", "deny(404)", "deny(403)", "redirect", "rate_based_ban", "throttle", "deny(403)"]
    error_message = "Refusals stand before rate limits, since a limit that lets a request through ends the evaluation; what no rule caught is refused."
  }

  assert {
    condition = alltrue([
      for rule in google_compute_security_policy.edge.rule : rule.preview && rule.priority < 3000 && strcontains(rule.match[0].expr[0].expression, "!request.path.matches(")
      if strcontains(rule.description, "Rule set")
    ]) && length([for rule in google_compute_security_policy.edge.rule : rule if strcontains(rule.description, "Rule set")]) == 9
    error_message = "Rule sets begin in preview, before the rate limits, and pass over bodies that look like attacks by nature."
  }

  assert {
    condition = one([
      for rule in google_compute_security_policy.edge.rule : rule.match[0].expr[0].expression if rule.action == "rate_based_ban"
    ]) == "request.path.matches('^(/auth/|/api/v2/invitations/|/api/v2/secret-scanning/|/device)')"
    error_message = "Authentication paths must be slowed down."
  }

  assert {
    condition = one([
      for rule in google_compute_security_policy.edge.rule : rule.rate_limit_options[0] if rule.action == "rate_based_ban"
      ]).rate_limit_threshold[0].count < one([
      for rule in google_compute_security_policy.edge.rule : rule.rate_limit_options[0] if rule.action == "throttle"
    ]).rate_limit_threshold[0].count
    error_message = "Authentication paths take fewer requests than all others."
  }

  assert {
    condition = (
      google_compute_security_policy.edge.adaptive_protection_config[0].layer_7_ddos_defense_config[0].enable
      && google_compute_security_policy.edge.advanced_options_config[0].log_level == "NORMAL"
    )
    error_message = "Adaptive protection is on, and the log holds no parts of requests."
  }
}

run "other_choices" {
  command = apply

  variables {
    waf                = { preview = false, rule_sets = ["sqli-v33-stable"] }
    bot_management     = { enabled = false }
    additional_domains = ["api.driftwise.example"]
    dns_zone           = true
  }

  assert {
    condition     = toset(keys(google_dns_managed_zone.edge)) == toset(["app.driftwise.example", "api.driftwise.example"]) && alltrue([for zone in google_dns_managed_zone.edge : zone.dnssec_config[0].state == "on"])
    error_message = "Every zone is signed."
  }

  assert {
    condition     = length(google_dns_record_set.edge) == 8 && length(google_certificate_manager_certificate_map_entry.edge) == 2
    error_message = "Every domain has addresses of both kinds, the certificate's proof and a CAA record."
  }

  assert {
    condition     = !anytrue([for rule in google_compute_security_policy.edge.rule : coalesce(rule.preview, false)])
    error_message = "With `preview` off the rule sets refuse."
  }

  assert {
    condition     = length(google_recaptcha_enterprise_key.challenge) == 0 && !contains([for rule in google_compute_security_policy.edge.rule : rule.action], "redirect")
    error_message = "Without bot management nobody is sent to a challenge."
  }
}

run "internal_paths_are_refused" {
  command = plan

  variables {
    paths = { auth = { "/_events/org-purge" = ["POST"] } }
  }

  expect_failures = [var.paths]
}

run "two_owners_of_a_path_are_refused" {
  command = plan

  variables {
    paths = { auth = { "/api/{id}" = ["GET"] }, webhook = { "/api/{other}" = ["GET"] } }
  }

  expect_failures = [google_compute_url_map.https]
}

run "a_function_without_a_service_is_refused" {
  command = plan

  variables {
    paths = { auth = { "/auth/login" = ["GET"] }, keys = { "/keys/health" = ["GET"] } }
  }

  expect_failures = [google_compute_url_map.https]
}

run "wrong_values_are_refused" {
  command = plan

  variables {
    additional_domains           = ["Not A Host"]
    authentication_path_prefixes = ["auth'"]
    bot_management               = { browser_paths = ["login'"] }
    denied_networks              = ["everybody"]
    domain                       = "https://app.driftwise.example"
    hsts_max_age_seconds         = 60
    log_sample_rate              = 0
    most_body_bytes              = 1
    name                         = "Drift_Wise"
    rate_limits                  = { authentication_per_minute = 5000 }
    services                     = {}
    tls_profile                  = "COMPATIBLE"
    waf                          = { sensitivity = 9 }
  }

  expect_failures = [
    var.additional_domains, var.authentication_path_prefixes, var.bot_management, var.denied_networks, var.domain,
    var.hsts_max_age_seconds, var.log_sample_rate, var.most_body_bytes, var.name, var.rate_limits, var.services,
    var.tls_profile, var.waf,
  ]
}
