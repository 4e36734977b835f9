# Who acts: one account per function, and one per job of the platform. Rights stand in the modules whose things they are for; none of these
# accounts has a key, so nothing can be stolen that lasts longer than an hour.

locals {
  jobs = {
    builder    = "CI: builds images, pushes and signs them."
    deployer   = "CI: rolls signed images out."
    events     = "Pub/Sub and Cloud Scheduler: calls the functions' workers, starts the journey."
    journey    = "Job: the customer's journey; may read its own API key and nothing else."
    migrations = "Job: applies migrations before the functions change."
  }

  # Accounts that the deployer starts services and jobs as.
  deployed = merge(google_service_account.functions, { for job in ["journey", "migrations"] : job => google_service_account.jobs[job] })
}

resource "google_service_account" "functions" {
  for_each = var.functions

  project      = var.project_id
  account_id   = "${var.name}-${replace(each.key, "_", "-")}"
  display_name = "Function ${each.key}"
  description  = "What the function ${each.key} acts as; its rights are those that infra/suite.yaml says it needs."
}

resource "google_service_account" "jobs" {
  for_each = local.jobs

  project      = var.project_id
  account_id   = "${var.name}-${each.key}"
  display_name = title(each.key)
  description  = each.value
}

resource "google_service_account_iam_member" "builder" {
  for_each = var.ci.builder

  service_account_id = google_service_account.jobs["builder"].name
  role               = "roles/iam.workloadIdentityUser"
  member             = each.key
}

resource "google_service_account_iam_member" "deployer" {
  for_each = var.ci.deployer

  service_account_id = google_service_account.jobs["deployer"].name
  role               = "roles/iam.workloadIdentityUser"
  member             = each.key
}

resource "google_service_account_iam_member" "deploys_as" {
  for_each = local.deployed

  service_account_id = each.value.name
  role               = "roles/iam.serviceAccountUser"
  member             = google_service_account.jobs["deployer"].member
}
