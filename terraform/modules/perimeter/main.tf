# VPC Service Controls around the project: what stands in it is read from its own network and by its operators, whoever else may hold a right
# or a stolen token. Optional, as it needs rights on the organisation.

locals {
  parent = "accessPolicies/${var.access_policy}"
  title  = replace(var.name, "-", "_")

  # What holds customers' data, keys and what runs.
  services = toset([
    for service in ["artifactregistry", "cloudkms", "logging", "pubsub", "redis", "run", "secretmanager", "sqladmin", "storage"] : "${service}.googleapis.com"
  ])
}

resource "google_access_context_manager_access_level" "operators" {
  parent = local.parent
  name   = "${local.parent}/accessLevels/${local.title}_operators"
  title  = "${local.title}_operators"

  basic {
    conditions {
      ip_subnetworks = var.operator_ranges
      members        = sort(var.operator_members)
    }
  }
}

resource "google_access_context_manager_service_perimeter" "this" {
  parent                    = local.parent
  name                      = "${local.parent}/servicePerimeters/${local.title}"
  title                     = local.title
  use_explicit_dry_run_spec = var.dry_run

  dynamic "status" {
    for_each = var.dry_run ? [] : [true]

    content {
      resources           = ["projects/${var.project_number}"]
      restricted_services = local.services
      access_levels       = [google_access_context_manager_access_level.operators.name]
    }
  }

  dynamic "spec" {
    for_each = var.dry_run ? [true] : []

    content {
      resources           = ["projects/${var.project_number}"]
      restricted_services = local.services
      access_levels       = [google_access_context_manager_access_level.operators.name]
    }
  }
}
