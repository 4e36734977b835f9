# Google signs in Google: DriftWise's own account presents a token made for your external id, and gets a short token of your project for it.

data "google_project" "pool" {
  project_id = var.project_id
}

resource "google_iam_workload_identity_pool" "driftwise" {
  project                   = var.project_id
  workload_identity_pool_id = var.pool_id
  display_name              = "DriftWise"
  description               = "Reads configuration for drift detection."
}

resource "google_iam_workload_identity_pool_provider" "google" {
  project                            = var.project_id
  workload_identity_pool_id          = google_iam_workload_identity_pool.driftwise.workload_identity_pool_id
  workload_identity_pool_provider_id = var.provider_id
  display_name                       = "DriftWise's Google account"
  attribute_condition                = "assertion.sub == '${var.driftwise_google_account_id}'"

  attribute_mapping = {
    "google.subject" = "assertion.sub"
  }

  oidc {
    issuer_uri        = "https://accounts.google.com"
    allowed_audiences = concat([var.external_id], sort(var.state_external_ids))
  }
}

locals {
  member = "principal://iam.googleapis.com/projects/${data.google_project.pool.number}/locations/global/workloadIdentityPools/${google_iam_workload_identity_pool.driftwise.workload_identity_pool_id}/subject/${var.driftwise_google_account_id}"

  reader = var.service_account == null ? local.member : "serviceAccount:${var.service_account}"

  # Made from what DriftWise's readers call: python -m infra.build.customer_rights. Configuration, never contents.
  rights = jsondecode(file("${path.module}/read_permissions.json"))
}

# Calls count on the pool's project: there the APIs must be on, and there the reader may use their quota.
resource "google_project_service" "read" {
  for_each = toset(local.rights.services)

  project            = var.project_id
  service            = each.key
  disable_on_destroy = false
}

resource "google_project_iam_member" "quota" {
  count = var.service_account == null ? 1 : 0

  project = var.project_id
  role    = "roles/serviceusage.serviceUsageConsumer"
  member  = local.member
}

# An account of yours that is acted as, where an API or a policy wants one; without it the pool's principal reads.
resource "google_service_account_iam_member" "acting" {
  count = var.service_account == null ? 0 : 1

  service_account_id = "projects/-/serviceAccounts/${var.service_account}"
  role               = "roles/iam.workloadIdentityUser"
  member             = local.member
}

resource "google_project_iam_custom_role" "read" {
  for_each = var.scanned_project_ids

  project     = each.key
  role_id     = "driftwiseRead"
  title       = "DriftWise: read configuration"
  description = "Lists resources, policies and who changed them, for drift detection; reads no contents."
  permissions = local.rights.permissions
}

resource "google_project_iam_member" "read" {
  for_each = var.scanned_project_ids

  project = each.key
  role    = google_project_iam_custom_role.read[each.key].name
  member  = local.reader
}

# Folders take roles of their organisation.
resource "google_organization_iam_custom_role" "read" {
  count = var.organization_id == null ? 0 : 1

  org_id      = var.organization_id
  role_id     = "driftwiseRead"
  title       = "DriftWise: read configuration"
  description = "Lists resources, policies and who changed them, for drift detection; reads no contents."
  permissions = local.rights.permissions
}

resource "google_organization_iam_member" "read" {
  count = var.organization_id != null && length(setunion(var.scanned_folder_ids, var.scanned_project_ids)) == 0 ? 1 : 0

  org_id = var.organization_id
  role   = google_organization_iam_custom_role.read[0].name
  member = local.reader
}

resource "google_folder_iam_member" "read" {
  for_each = var.scanned_folder_ids

  folder = each.key
  role   = google_organization_iam_custom_role.read[0].name
  member = local.reader
}

# A condition on an object's name does not hold for listing, which is asked of the bucket: there the listed prefix is an attribute of its own.
# Source: https://cloud.google.com/iam/docs/conditions-attribute-reference#cloud-storage-attributes
resource "google_storage_bucket_iam_member" "states" {
  for_each = var.state_buckets

  bucket = each.key
  role   = "roles/storage.objectViewer"
  member = local.member

  condition {
    title       = "States only"
    description = "Objects whose names begin with the states' prefix, and listing by it."
    expression = join(" || ", [
      "resource.name.startsWith('projects/_/buckets/${each.key}/objects/${each.value}')",
      "api.getAttribute('storage.googleapis.com/objectListPrefix', '').startsWith('${each.value}')",
    ])
  }
}
