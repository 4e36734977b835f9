# Addresses, proxies and forwarding rules: HTTPS on both kinds of addresses, plain HTTP only to be sent on.

resource "google_compute_global_address" "edge" {
  for_each = toset(["IPV4", "IPV6"])

  project      = var.project_id
  name         = "${var.name}-${lower(each.key)}"
  description  = "The public ${each.key} address of the suite."
  address_type = "EXTERNAL"
  ip_version   = each.key
}

resource "google_compute_ssl_policy" "edge" {
  project         = var.project_id
  name            = var.name
  description     = "What the edge speaks: TLS 1.2 and 1.3."
  profile         = var.tls_profile
  min_tls_version = "TLS_1_2"
}

resource "google_compute_target_https_proxy" "edge" {
  project         = var.project_id
  name            = "${var.name}-https"
  url_map         = google_compute_url_map.https.id
  ssl_policy      = google_compute_ssl_policy.edge.id
  certificate_map = "//certificatemanager.googleapis.com/${google_certificate_manager_certificate_map.edge.id}"
  quic_override   = "ENABLE"
  tls_early_data  = "DISABLED" # early data can be sent again by somebody else (RFC 8446, section 8)
}

resource "google_compute_global_forwarding_rule" "https" {
  for_each = google_compute_global_address.edge

  project               = var.project_id
  name                  = "${var.name}-https-${lower(each.key)}"
  ip_address            = each.value.id
  ip_protocol           = "TCP"
  port_range            = "443"
  target                = google_compute_target_https_proxy.edge.id
  load_balancing_scheme = "EXTERNAL_MANAGED"
  labels                = var.labels
}

resource "google_compute_url_map" "http" {
  project     = var.project_id
  name        = "${var.name}-http"
  description = "Sends every plain request to HTTPS."

  default_url_redirect {
    https_redirect         = true
    redirect_response_code = "PERMANENT_REDIRECT"
    strip_query            = false
  }
}

resource "google_compute_target_http_proxy" "redirect" {
  project = var.project_id
  name    = "${var.name}-http"
  url_map = google_compute_url_map.http.id
}

resource "google_compute_global_forwarding_rule" "http" {
  for_each = google_compute_global_address.edge

  project               = var.project_id
  name                  = "${var.name}-http-${lower(each.key)}"
  ip_address            = each.value.id
  ip_protocol           = "TCP"
  port_range            = "80"
  target                = google_compute_target_http_proxy.redirect.id
  load_balancing_scheme = "EXTERNAL_MANAGED"
  labels                = var.labels
}
