# The project itself: which interfaces are on, the service agents that need keys, and what its organisation forbids.

locals {
  interfaces = toset([
    "accesscontextmanager", "artifactregistry", "binaryauthorization", "certificatemanager", "cloudasset", "cloudkms", "cloudresourcemanager",
    "cloudscheduler", "compute", "containeranalysis", "containerscanning", "dns", "iam", "iamcredentials", "logging", "monitoring", "ondemandscanning",
    "orgpolicy", "pubsub", "recaptchaenterprise", "redis", "run", "secretmanager", "servicenetworking", "sqladmin", "storage", "sts", "telemetry",
  ])

  # Services that store something under a key of ours.
  agents = toset(["artifactregistry", "cloudscheduler", "logging", "pubsub", "redis", "run", "secretmanager", "sqladmin"])
}

data "google_project" "this" {
  project_id = var.project_id
}

resource "google_project_service" "this" {
  for_each = local.interfaces

  project            = var.project_id
  service            = "${each.key}.googleapis.com"
  disable_on_destroy = false
}

resource "google_project_service_identity" "this" {
  provider = google-beta
  for_each = local.agents

  project = var.project_id
  service = google_project_service.this[each.key].service
}

# Cloud Storage has an agent of its own kind.
data "google_storage_project_service_account" "this" {
  project = google_project_service.this["storage"].project
}
