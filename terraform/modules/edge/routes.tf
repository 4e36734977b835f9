# Which path goes where. A template that begins like another sorts behind it where it has a parameter and the other has a
# word ("{" comes after all letters), so the more exact one has the lower number and wins.

locals {
  domains = toset(concat([var.domain], var.additional_domains))

  owner_of_path = merge([
    for function, paths in var.paths : { for path in keys(paths) : path => function }
  ]...)

  routes = [
    for place, path in sort(keys(local.owner_of_path)) : {
      priority    = place + 1
      path        = path
      function    = local.owner_of_path[path]
      is_template = strcontains(path, "{")
      template    = replace(path, "}", "=*}")
    }
  ]

  unreached_backend = google_compute_backend_service.function[sort(keys(var.services))[0]].id
}

resource "google_compute_region_network_endpoint_group" "function" {
  for_each = var.services

  project               = var.project_id
  region                = var.region
  name                  = each.value
  description           = "The Cloud Run service of ${each.key}."
  network_endpoint_type = "SERVERLESS"

  cloud_run {
    service = each.value
  }
}

resource "google_compute_backend_service" "function" {
  for_each = var.services

  project               = var.project_id
  name                  = each.value
  description           = "The function ${each.key}."
  load_balancing_scheme = "EXTERNAL_MANAGED"
  protocol              = "HTTPS"
  enable_cdn            = false
  security_policy       = google_compute_security_policy.edge.id

  backend {
    group = google_compute_region_network_endpoint_group.function[each.key].id
  }

  log_config {
    enable          = true
    sample_rate     = var.log_sample_rate
    optional_mode   = "CUSTOM"
    optional_fields = ["tls.protocol", "tls.cipher"]
  }
}

resource "google_compute_url_map" "https" {
  project     = var.project_id
  name        = "${var.name}-https"
  description = "Paths of the suite to entry points; whatever is not listed is 404 before it reaches a function."

  # Also on what a function forgot and on refusals of a backend. RFC 6797, section 6.1.
  header_action {
    response_headers_to_add {
      header_name  = "Strict-Transport-Security"
      header_value = "max-age=${var.hsts_max_age_seconds}; includeSubDomains; preload"
      replace      = true
    }
  }

  host_rule {
    hosts        = local.domains
    path_matcher = "suite"
  }

  path_matcher {
    name = "suite"

    default_route_action {
      fault_injection_policy {
        abort {
          http_status = 404
          percentage  = 100
        }
      }

      # A route action must name a service; the abort above lets no request through to it.
      weighted_backend_services {
        backend_service = local.unreached_backend
        weight          = 100
      }
    }

    dynamic "route_rules" {
      for_each = local.routes

      content {
        priority = route_rules.value.priority
        service  = google_compute_backend_service.function[route_rules.value.function].id

        match_rules {
          full_path_match     = route_rules.value.is_template ? null : route_rules.value.path
          path_template_match = route_rules.value.is_template ? route_rules.value.template : null
        }
      }
    }
  }

  # Another host name than ours (the bare address, a forged Host): nothing is there.
  default_route_action {
    fault_injection_policy {
      abort {
        http_status = 404
        percentage  = 100
      }
    }

    weighted_backend_services {
      backend_service = local.unreached_backend
      weight          = 100
    }
  }

  lifecycle {
    precondition {
      condition     = length(setsubtract([for function, paths in var.paths : function if length(paths) > 0], keys(var.services))) == 0
      error_message = "Every function with public paths needs a service: `services` lacks some."
    }

    precondition {
      condition = length(distinct(flatten([
        for paths in values(var.paths) : [for path in keys(paths) : replace(path, "/\\{[^/}]+\\}/", "{}")]
      ]))) == sum([for paths in values(var.paths) : length(paths)])
      error_message = "Two path templates match the same paths."
    }

    precondition {
      condition     = length(local.routes) <= 200
      error_message = "A path matcher has at most 200 route rules."
    }
  }
}
