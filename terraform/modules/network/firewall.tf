# Out of the network goes what stands here and nothing else; into it comes nothing.

locals {
  # Cloud SQL's server-side proxy (what the connector speaks to), PostgreSQL, Redis with TLS.
  # Source: https://cloud.google.com/sql/docs/postgres/connect-overview#ports
  private_service_ports = ["3307", "5432", "6378"]

  internet_tag = "${var.name}-internet"

  # Google's interfaces by addresses that are reached from inside only.
  # Source: https://cloud.google.com/vpc/docs/configure-private-google-access#domain-options
  google_range = "199.36.153.8/30"

  allowed = merge(
    {
      google = { description = "Google's interfaces, by their private addresses.", ranges = [local.google_range], ports = ["443"], tags = null }
      private-services = {
        description = "Cloud SQL and Memorystore."
        ranges      = [var.private_services_range]
        ports       = local.private_service_ports
        tags        = null
      }
      internet = {
        description = "Identity providers, customers' clouds, receivers of webhooks, language models: functions that call them, and TLS only (mail by submission)."
        ranges      = ["0.0.0.0/0"]
        ports       = [for port in sort(var.internet_ports) : tostring(port)]
        tags        = [local.internet_tag]
      }
    },
    length(var.edge_addresses) == 0 ? {} : {
      edge = {
        description = "The suite's own address: token keys are published there."
        ranges      = [for address in var.edge_addresses : "${address}/32"]
        ports       = ["443"]
        tags        = null
      }
    },
  )
}

resource "google_compute_firewall" "deny_egress" {
  project            = var.project_id
  name               = "${var.name}-deny-egress"
  description        = "What no rule allows stays inside."
  network            = google_compute_network.this.id
  direction          = "EGRESS"
  priority           = 65000
  destination_ranges = ["0.0.0.0/0"]

  deny {
    protocol = "all"
  }

  log_config {
    metadata = "INCLUDE_ALL_METADATA"
  }
}

resource "google_compute_firewall" "deny_ingress" {
  project       = var.project_id
  name          = "${var.name}-deny-ingress"
  description   = "Nothing is called by its address in this network."
  network       = google_compute_network.this.id
  direction     = "INGRESS"
  priority      = 65000
  source_ranges = ["0.0.0.0/0"]

  deny {
    protocol = "all"
  }

  log_config {
    metadata = "INCLUDE_ALL_METADATA"
  }
}

resource "google_compute_firewall" "allow_egress" {
  for_each = local.allowed

  project            = var.project_id
  name               = "${var.name}-allow-${each.key}"
  description        = each.value.description
  network            = google_compute_network.this.id
  direction          = "EGRESS"
  priority           = 1000
  destination_ranges = each.value.ranges
  target_tags        = each.value.tags

  allow {
    protocol = "tcp"
    ports    = each.value.ports
  }

  log_config {
    metadata = "EXCLUDE_ALL_METADATA"
  }
}
