# Google's interfaces resolve to their private addresses; every question is logged.

locals {
  google_addresses = [for index in range(4) : cidrhost(local.google_range, index)]
}

resource "google_dns_policy" "this" {
  project        = var.project_id
  name           = var.name
  description    = "Log what names functions ask for."
  enable_logging = true

  networks {
    network_url = google_compute_network.this.id
  }
}

resource "google_dns_managed_zone" "google" {
  project     = var.project_id
  name        = "${var.name}-googleapis"
  description = "Google's interfaces by their private addresses."
  dns_name    = "googleapis.com."
  visibility  = "private"

  private_visibility_config {
    networks {
      network_url = google_compute_network.this.id
    }
  }
}

resource "google_dns_record_set" "google_addresses" {
  project      = var.project_id
  managed_zone = google_dns_managed_zone.google.name
  name         = "private.googleapis.com."
  type         = "A"
  ttl          = 300
  rrdatas      = local.google_addresses
}

resource "google_dns_record_set" "google_names" {
  project      = var.project_id
  managed_zone = google_dns_managed_zone.google.name
  name         = "*.googleapis.com."
  type         = "CNAME"
  ttl          = 300
  rrdatas      = [google_dns_record_set.google_addresses.name]
}
