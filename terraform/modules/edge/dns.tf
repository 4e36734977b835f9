# The records that the domain needs: in a zone of this module, or for whoever keeps the zone.

locals {
  authorizations = {
    for domain, authorization in google_certificate_manager_dns_authorization.edge :
    domain => authorization.dns_resource_record[0]
  }

  dns_records = merge([
    for domain in local.domains : {
      "${domain}/address-ipv4" = { domain = domain, name = "${domain}.", type = "A", data = google_compute_global_address.edge["IPV4"].address }
      "${domain}/address-ipv6" = { domain = domain, name = "${domain}.", type = "AAAA", data = google_compute_global_address.edge["IPV6"].address }
      "${domain}/authority"    = { domain = domain, name = "${domain}.", type = "CAA", data = "0 issue \"pki.goog\"" }
      "${domain}/certificate" = {
        domain = domain
        name   = local.authorizations[domain].name
        type   = local.authorizations[domain].type
        data   = local.authorizations[domain].data
      }
    }
  ]...)
}

resource "google_dns_managed_zone" "edge" {
  for_each = var.dns_zone ? local.domains : toset([])

  project     = var.project_id
  name        = "${var.name}-${replace(each.key, ".", "-")}"
  dns_name    = "${each.key}."
  description = "The public zone of ${each.key}; delegate to it at the parent, with its DS record."
  visibility  = "public"
  labels      = var.labels

  dnssec_config {
    state         = "on"
    non_existence = "nsec3"
  }

  cloud_logging_config {
    enable_logging = true
  }
}

resource "google_dns_record_set" "edge" {
  for_each = var.dns_zone ? local.dns_records : {}

  project      = var.project_id
  managed_zone = google_dns_managed_zone.edge[each.value.domain].name
  name         = each.value.name
  type         = each.value.type
  ttl          = 300
  rrdatas      = [each.value.data]
}
