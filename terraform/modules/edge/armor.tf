# Cloud Armor. The first rule that matches decides, and a rate limit that lets a request through ends the evaluation too:
# so refusals stand above, the two rate limits last, and every request meets exactly one of them.

locals {
  authentication_pattern = "^(${join("|", var.authentication_path_prefixes)})"
  browser_pattern        = "^(${join("|", var.bot_management.browser_paths)})$"
  unread_pattern = join("|", concat(
    ["^(${join("|", var.waf.unread_path_prefixes)})"],
    [for ending in var.waf.unread_path_endings : "${ending}$"],
  ))

  waf_rules = {
    for place, set in var.waf.rule_sets : set => {
      priority = 2000 + place * 10
      # the canary set has no levels of sensitivity
      expression = join(" && ", [
        "!request.path.matches('${local.unread_pattern}')",
        set == "cve-canary" ? "evaluatePreconfiguredWaf('${set}')" : "evaluatePreconfiguredWaf('${set}', {'sensitivity': ${var.waf.sensitivity}})",
      ])
    }
  }
}

resource "google_recaptcha_enterprise_key" "challenge" {
  count = var.bot_management.enabled ? 1 : 0

  project      = var.project_id
  display_name = "${var.name} challenge page"
  labels       = var.labels

  web_settings {
    integration_type  = "INVISIBLE"
    allow_all_domains = false
    allowed_domains   = local.domains
  }

  waf_settings {
    waf_service = "CA"
    waf_feature = "CHALLENGE_PAGE"
  }
}

resource "google_compute_security_policy" "edge" {
  #checkov:skip=CKV_GCP_73:the rule set cve-canary is among the rules, in a dynamic block that the scanner does not read
  project     = var.project_id
  name        = var.name
  description = "What the edge refuses, slows down and bans."
  type        = "CLOUD_ARMOR"

  adaptive_protection_config {
    layer_7_ddos_defense_config {
      enable          = var.adaptive_protection
      rule_visibility = "STANDARD"
    }
  }

  advanced_options_config {
    json_parsing = "STANDARD"
    log_level    = "NORMAL" # the verbose level writes parts of requests, which may be secrets, into the log

    json_custom_config {
      content_types = ["application/json", "application/merge-patch+json", "application/scim+json"]
    }
  }

  dynamic "recaptcha_options_config" {
    for_each = google_recaptcha_enterprise_key.challenge

    content {
      redirect_site_key = recaptcha_options_config.value.name
    }
  }

  dynamic "rule" {
    for_each = length(var.denied_networks) > 0 ? [var.denied_networks] : []

    content {
      priority    = 1000
      action      = "deny(403)"
      description = "Networks that are shut out"

      match {
        versioned_expr = "SRC_IPS_V1"

        config {
          src_ip_ranges = rule.value
        }
      }
    }
  }

  rule {
    priority    = 1100
    action      = "deny(404)"
    description = "Paths of the queue, the scheduler and probes"

    match {
      expr {
        expression = "request.path.startsWith('/_')"
      }
    }
  }

  rule {
    priority    = 1200
    action      = "deny(403)"
    description = "Bodies larger than any route takes"

    match {
      expr {
        expression = "has(request.headers['content-length']) && int(request.headers['content-length']) > ${var.most_body_bytes}"
      }
    }
  }

  dynamic "rule" {
    for_each = local.waf_rules

    content {
      priority    = rule.value.priority
      action      = "deny(403)"
      preview     = var.waf.preview
      description = "Rule set ${rule.key}"

      match {
        expr {
          expression = rule.value.expression
        }
      }
    }
  }

  dynamic "rule" {
    for_each = var.bot_management.enabled ? [true] : []

    content {
      priority    = 3000
      action      = "redirect"
      preview     = var.bot_management.preview
      description = "A challenge for browsers before they sign in"

      match {
        expr {
          expression = "request.method == 'GET' && request.path.matches('${local.browser_pattern}') && !token.recaptcha_exemption.valid"
        }
      }

      redirect_options {
        type = "GOOGLE_RECAPTCHA"
      }
    }
  }

  rule {
    priority    = 4000
    action      = "rate_based_ban"
    description = "Authentication: slowed down by address, then banned"

    match {
      expr {
        expression = "request.path.matches('${local.authentication_pattern}')"
      }
    }

    rate_limit_options {
      conform_action   = "allow"
      exceed_action    = "deny(429)"
      enforce_on_key   = "IP"
      ban_duration_sec = var.rate_limits.ban_seconds

      rate_limit_threshold {
        count        = var.rate_limits.authentication_per_minute
        interval_sec = 60
      }

      ban_threshold {
        count        = var.rate_limits.authentication_per_minute * var.rate_limits.ban_factor
        interval_sec = 600
      }
    }
  }

  rule {
    priority    = 4100
    action      = "throttle"
    description = "Everything else: slowed down by address"

    match {
      versioned_expr = "SRC_IPS_V1"

      config {
        src_ip_ranges = ["*"]
      }
    }

    rate_limit_options {
      conform_action = "allow"
      exceed_action  = "deny(429)"
      enforce_on_key = "IP"

      rate_limit_threshold {
        count        = var.rate_limits.overall_per_minute
        interval_sec = 60
      }
    }
  }

  rule {
    priority    = 2147483647
    action      = "deny(403)"
    description = "Nothing gets here: every request meets a rate limit"

    match {
      versioned_expr = "SRC_IPS_V1"

      config {
        src_ip_ranges = ["*"]
      }
    }
  }
}
