# The certificate is Google's to renew; a record in each domain's zone proves the domain before any traffic arrives.

resource "google_certificate_manager_dns_authorization" "edge" {
  for_each = local.domains

  project     = var.project_id
  name        = "${var.name}-${replace(each.key, ".", "-")}"
  description = "Proves ${each.key} to the certificate authority."
  domain      = each.key
  type        = "PER_PROJECT_RECORD"
  labels      = var.labels
}

resource "google_certificate_manager_certificate" "edge" {
  for_each = local.domains

  project     = var.project_id
  name        = "${var.name}-${replace(each.key, ".", "-")}"
  description = "The certificate of ${each.key}."
  labels      = var.labels

  managed {
    domains            = [each.key]
    dns_authorizations = [google_certificate_manager_dns_authorization.edge[each.key].id]
  }
}

resource "google_certificate_manager_certificate_map" "edge" {
  project     = var.project_id
  name        = var.name
  description = "Certificates of the edge by host name; other names get no certificate and no connection."
  labels      = var.labels
}

resource "google_certificate_manager_certificate_map_entry" "edge" {
  for_each = local.domains

  project      = var.project_id
  name         = "${var.name}-${replace(each.key, ".", "-")}"
  description  = "The certificate of ${each.key}."
  map          = google_certificate_manager_certificate_map.edge.name
  certificates = [google_certificate_manager_certificate.edge[each.key].id]
  hostname     = each.key
  labels       = var.labels
}
