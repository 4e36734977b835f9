# CI proves itself by the token that its system gives each job. A token is let in by the numbers of the repository, and may act as what the
# branch or the protected environment of its job allows; nothing else of it counts.
# Source: https://cloud.google.com/iam/docs/workload-identity-federation-with-deployment-pipelines

locals {
  pool = "principalSet://iam.googleapis.com/projects/${data.google_project.this.number}/locations/global/workloadIdentityPools/${google_iam_workload_identity_pool.ci.workload_identity_pool_id}"

  github = var.github == null ? {} : {
    builds  = "build/github:${var.github.repository_id}:push:refs/heads/${var.github.branch}"
    deploys = "deploy/github:${var.github.repository_id}:${var.github.environment}"
    applies = "deploy/github:${var.github.repository_id}:${var.github.platform_environment}"
  }

  gitlab = var.gitlab == null ? {} : {
    builds  = "build/gitlab:${var.gitlab.project_id}:true:${var.gitlab.branch}"
    deploys = "deploy/gitlab:${var.gitlab.project_id}:true:${var.gitlab.environment}"
    applies = "deploy/gitlab:${var.gitlab.project_id}:true:${var.gitlab.platform_environment}"
  }

  systems = { for name, jobs in { github = local.github, gitlab = local.gitlab } : name => jobs if length(jobs) > 0 }

  # What applying the platform needs. Together these are as good as owning the project, which cannot be helped for whoever grants rights in it:
  # so this account has no key and acts for reviewed jobs alone.
  platform_roles = toset([
    "artifactregistry.admin", "binaryauthorization.attestorsAdmin", "binaryauthorization.policyAdmin", "certificatemanager.owner", "cloudkms.admin",
    "cloudscheduler.admin", "cloudsql.admin", "compute.loadBalancerAdmin", "compute.networkAdmin", "compute.securityAdmin",
    "containeranalysis.admin", "dns.admin", "iam.serviceAccountAdmin", "iam.serviceAccountUser", "logging.admin", "monitoring.admin",
    "pubsub.admin", "redis.admin", "resourcemanager.projectIamAdmin", "run.admin", "secretmanager.admin", "servicenetworking.networksAdmin",
    "serviceusage.serviceUsageAdmin", "storage.admin",
  ])
}

resource "google_iam_workload_identity_pool" "ci" {
  project                   = google_project_service.this["iam"].project
  workload_identity_pool_id = "${var.name}-ci"
  display_name              = "CI"
  description               = "Jobs of the repository that holds the suite."
}

resource "google_iam_workload_identity_pool_provider" "github" {
  #checkov:skip=CKV_GCP_125:the repository is named by its number, which nobody can register again; the scanner looks for its name
  count = var.github == null ? 0 : 1

  project                            = var.project_id
  workload_identity_pool_id          = google_iam_workload_identity_pool.ci.workload_identity_pool_id
  workload_identity_pool_provider_id = "github"
  display_name                       = "GitHub Actions"
  attribute_condition                = "assertion.repository_owner_id == '${var.github.owner_id}' && assertion.repository_id == '${var.github.repository_id}'"

  attribute_mapping = {
    "google.subject"   = "assertion.sub"
    "attribute.build"  = "'github:' + assertion.repository_id + ':' + assertion.event_name + ':' + assertion.ref"
    "attribute.deploy" = "'github:' + assertion.repository_id + ':' + ('environment' in assertion ? assertion.environment : '')"
  }

  oidc {
    issuer_uri = "https://token.actions.githubusercontent.com"
  }
}

resource "google_iam_workload_identity_pool_provider" "gitlab" {
  count = var.gitlab == null ? 0 : 1

  project                            = var.project_id
  workload_identity_pool_id          = google_iam_workload_identity_pool.ci.workload_identity_pool_id
  workload_identity_pool_provider_id = "gitlab"
  display_name                       = "GitLab CI"
  attribute_condition                = "assertion.namespace_id == '${var.gitlab.namespace_id}' && assertion.project_id == '${var.gitlab.project_id}'"

  attribute_mapping = {
    "google.subject"   = "assertion.sub"
    "attribute.build"  = "'gitlab:' + assertion.project_id + ':' + assertion.ref_protected + ':' + assertion.ref"
    "attribute.deploy" = "'gitlab:' + assertion.project_id + ':' + ('environment' in assertion ? assertion.environment_protected + ':' + assertion.environment : '')"
  }

  oidc {
    issuer_uri = var.gitlab.issuer
  }
}

resource "google_service_account" "platform" {
  project      = google_project_service.this["iam"].project
  account_id   = "${var.name}-platform"
  display_name = "Platform"
  description  = "CI: applies Terraform in jobs that somebody approved."
}

resource "google_service_account_iam_member" "platform" {
  for_each = { for name, jobs in local.systems : name => jobs.applies }

  service_account_id = google_service_account.platform.name
  role               = "roles/iam.workloadIdentityUser"
  member             = "${local.pool}/attribute.${each.value}"
}

resource "google_project_iam_member" "platform" {
  #checkov:skip=CKV_GCP_41:whoever applies the platform starts services as each of their accounts
  #checkov:skip=CKV_GCP_49:whoever applies the platform makes those accounts
  #checkov:skip=CKV_GCP_42:an administrator of the platform, without a key, for approved jobs alone
  for_each = local.platform_roles

  project = var.project_id
  role    = "roles/${each.key}"
  member  = google_service_account.platform.member
}

resource "google_storage_bucket_iam_member" "platform" {
  bucket = google_storage_bucket.state.name
  role   = "roles/storage.objectUser"
  member = google_service_account.platform.member
}
