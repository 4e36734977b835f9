# Asked from outside: every function's health, then the steps that need more of the suite than one process. No check holds a secret. The key
# below was never issued: its refusal takes the edge, the function, the pepper and the database. The steps that need a customer's key are taken
# by a job (module `journey`).

locals {
  health_checks = {
    for function, entry_point in local.http_functions : "health-${function}" => {
      path = var.entry_points[entry_point].health_path, status = 200, json_path = "$.status", expected = "\"ok\"", headers = {}
    }
    if var.entry_points[entry_point].health_path != null
  }

  journey_checks = {
    journey-1-start-page = {
      path = "/", status = 200, json_path = null, expected = "<title>DriftWise</title>", headers = {}
    }
    journey-2-sign-in-is-announced = {
      path = "/.well-known/openid-configuration", status = 200, json_path = "$.issuer", expected = "\"https://${var.domain}\"", headers = {}
    }
    journey-3-token-keys-are-published = {
      path = "/.well-known/jwks.json", status = 200, json_path = "$.keys[0].kty", expected = "\"EC\"", headers = {}
    }
    journey-4-a-stranger-is-refused = {
      path    = "/api/v2/orgs/00000000-0000-0000-0000-000000000000/scans", status = 401, json_path = "$.code", expected = "\"unauthenticated\""
      headers = {}
    }
    journey-5-an-unknown-key-is-looked-up-and-refused = {
      path    = "/api/v2/orgs/00000000-0000-0000-0000-000000000000/drift", status = 401, json_path = "$.code", expected = "\"unauthenticated\""
      headers = { "X-API-Key" = local.never_issued_key }
    }
    journey-6-the-queue-is-closed-from-outside = {
      path = "/_events/scan-shards", status = 404, json_path = null, expected = null, headers = {}
    }
  }

  checks = merge(local.health_checks, local.journey_checks)

  # of the right form, its checksum included; its secret is thirty zeros
  never_issued_key = join("", ["dw2_", join("", [for _ in range(42) : "0"]), "1CtB1C"])
}

resource "google_monitoring_uptime_check_config" "step" {
  for_each = local.checks

  project            = var.project_id
  display_name       = "${var.name} ${each.key}"
  period             = "${var.uptime_period_seconds}s"
  timeout            = "10s"
  selected_regions   = ["EUROPE", "USA", "ASIA_PACIFIC"]
  log_check_failures = true
  user_labels        = var.labels

  monitored_resource {
    type = "uptime_url"

    labels = {
      project_id = var.project_id
      host       = var.domain
    }
  }

  http_check {
    path           = each.value.path
    port           = 443
    request_method = "GET"
    use_ssl        = true
    validate_ssl   = true
    headers        = each.value.headers
    mask_headers   = length(each.value.headers) > 0

    accepted_response_status_codes {
      status_value = each.value.status
    }
  }

  dynamic "content_matchers" {
    for_each = each.value.expected == null ? [] : [each.value]

    content {
      content = content_matchers.value.expected
      matcher = content_matchers.value.json_path == null ? "CONTAINS_STRING" : "MATCHES_JSON_PATH"

      dynamic "json_path_matcher" {
        for_each = content_matchers.value.json_path == null ? [] : [content_matchers.value.json_path]

        content {
          json_path    = json_path_matcher.value
          json_matcher = "EXACT_MATCH"
        }
      }
    }
  }
}
