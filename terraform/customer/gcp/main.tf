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
  workload_identity_pool_provider_id = "google"
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

  # What Cloud Asset Inventory asks of who lists resources and policies: configuration, never contents.
  permissions = [
    "cloudasset.assets.listIamPolicy",
    "cloudasset.assets.listResource",
    "cloudasset.assets.searchAllIamPolicies",
    "cloudasset.assets.searchAllResources",
    "resourcemanager.projects.get",
    "serviceusage.services.use",
  ]
}

resource "google_project_service" "asset_inventory" {
  for_each = var.scanned_project_ids

  project            = each.key
  service            = "cloudasset.googleapis.com"
  disable_on_destroy = false
}

resource "google_project_iam_custom_role" "read" {
  for_each = var.scanned_project_ids

  project     = each.key
  role_id     = "driftwiseRead"
  title       = "DriftWise: read configuration"
  description = "Lists resources and policies for drift detection; reads no contents."
  permissions = local.permissions
}

resource "google_project_iam_member" "read" {
  for_each = var.scanned_project_ids

  project = each.key
  role    = google_project_iam_custom_role.read[each.key].name
  member  = local.member
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
