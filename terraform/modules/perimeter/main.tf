# VPC Service Controls around the project: what stands in it is read and changed from its own network, by its operators from networks that are
# listed, and by CI; whoever else may hold a right or a stolen token. Optional, as it needs rights on the organisation.

locals {
  parent = "accessPolicies/${var.access_policy}"
  title  = replace(var.name, "-", "_")

  # What holds customers' data and keys, what runs, and what says what may run and who is let in.
  services = toset([
    for service in [
      "artifactregistry", "binaryauthorization", "cloudkms", "compute", "containeranalysis", "iam", "logging", "monitoring", "pubsub", "redis", "run",
      "secretmanager", "sqladmin", "storage",
    ] : "${service}.googleapis.com"
  ])
}

resource "google_access_context_manager_access_level" "operators" {
  parent = local.parent
  name   = "${local.parent}/accessLevels/${local.title}_operators"
  title  = "${local.title}_operators"

  # An account of CI has no network of its own: what its jobs prove is said in terraform/bootstrap.
  basic {
    combining_function = "OR"

    conditions {
      ip_subnetworks = var.operator_ranges
      members        = sort(var.operator_members)
    }

    dynamic "conditions" {
      for_each = length(var.automation_members) > 0 ? [true] : []

      content {
        members = sort(var.automation_members)
      }
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
