locals {
  parent = "projects/${var.project_id}"

  # What is never needed here, so that nobody can do it by mistake either.
  # Source: https://cloud.google.com/resource-manager/docs/organization-policy/org-policy-constraints
  enforced = var.enforce_organization_policies ? toset([
    "compute.requireOsLogin",
    "compute.requireShieldedVm", # there is no machine of ours; one that somebody starts all the same boots what is verified
    "compute.skipDefaultNetworkCreation",
    "iam.automaticIamGrantsForDefaultServiceAccounts",
    "iam.disableServiceAccountKeyCreation",
    "iam.disableServiceAccountKeyUpload",
    "sql.restrictAuthorizedNetworks",
    "sql.restrictPublicIp",
    "storage.publicAccessPrevention",
    "storage.uniformBucketLevelAccess",
  ]) : toset([])
}

resource "google_org_policy_policy" "enforced" {
  for_each = local.enforced

  name   = "${local.parent}/policies/${each.key}"
  parent = local.parent

  spec {
    rules {
      enforce = "TRUE"
    }
  }
}

resource "google_org_policy_policy" "ingress" {
  count = var.enforce_organization_policies ? 1 : 0

  name   = "${local.parent}/policies/run.allowedIngress"
  parent = local.parent

  spec {
    rules {
      values {
        allowed_values = ["internal", "internal-and-cloud-load-balancing"]
      }
    }
  }
}

resource "google_org_policy_policy" "members" {
  count = var.enforce_organization_policies && length(var.allowed_customer_ids) > 0 ? 1 : 0

  name   = "${local.parent}/policies/iam.allowedPolicyMemberDomains"
  parent = local.parent

  spec {
    rules {
      values {
        allowed_values = sort(var.allowed_customer_ids)
      }
    }
  }
}
