variables {
  driftwise_google_account_id = "117234567890123456789"
  external_id                 = "dw-abcdefghijklmnopqrstuvwxyz234567"
  project_id                  = "customer-security"
  scanned_project_ids         = ["customer-production"]
}

run "identity" {
  command = apply

  assert {
    condition = (
      google_iam_workload_identity_pool_provider.google.oidc[0].issuer_uri == "https://accounts.google.com"
      && google_iam_workload_identity_pool_provider.google.oidc[0].allowed_audiences == tolist(["dw-abcdefghijklmnopqrstuvwxyz234567"])
      && google_iam_workload_identity_pool_provider.google.attribute_condition == "assertion.sub == '117234567890123456789'"
    )
    error_message = "Only DriftWise's own account, with a token for this external id, is taken."
  }

  assert {
    condition     = startswith(google_project_iam_member.read["customer-production"].member, "principal://iam.googleapis.com/projects/") && endswith(google_project_iam_member.read["customer-production"].member, "/subject/117234567890123456789")
    error_message = "Rights go to one subject, never to a whole pool."
  }

  assert {
    condition = alltrue([
      for permission in google_project_iam_custom_role.read["customer-production"].permissions :
      can(regex("\\.list[A-Za-z]*$", permission))
    ])
    error_message = "Every permission reads."
  }

  assert {
    condition     = length(google_storage_bucket_iam_member.states) == 0
    error_message = "Without states there is no right to read an object."
  }
}

run "states" {
  command = plan

  variables {
    state_buckets      = { customer-states = "network/" }
    state_external_ids = ["dw-zyxwvutsrqponmlkjihgfedcba765432"]
  }

  assert {
    condition     = google_storage_bucket_iam_member.states["customer-states"].condition[0].expression == "resource.name.startsWith('projects/_/buckets/customer-states/objects/network/') || api.getAttribute('storage.googleapis.com/objectListPrefix', '').startsWith('network/')"
    error_message = "Only states below the prefix may be listed and fetched."
  }

  assert {
    condition = google_iam_workload_identity_pool_provider.google.oidc[0].allowed_audiences == tolist([
      "dw-abcdefghijklmnopqrstuvwxyz234567", "dw-zyxwvutsrqponmlkjihgfedcba765432",
    ])
    error_message = "Each state source shows tokens for an external id of its own."
  }
}

run "folders" {
  command = plan

  variables {
    organization_id     = "42"
    scanned_folder_ids  = ["77"]
    scanned_project_ids = []
    service_account     = "reader@customer-security.iam.gserviceaccount.com"
  }

  assert {
    condition     = google_folder_iam_member.read["77"].member == "serviceAccount:reader@customer-security.iam.gserviceaccount.com"
    error_message = "The account that is acted as reads the folder."
  }

  assert {
    condition     = length(google_organization_iam_member.read) == 0 && length(google_project_iam_member.read) == 0
    error_message = "Nothing is read beside the folder."
  }

  assert {
    condition     = length(google_project_iam_member.quota) == 0
    error_message = "A service account counts on its own project."
  }
}

run "organization" {
  command = plan

  variables {
    organization_id     = "42"
    scanned_project_ids = []
  }

  assert {
    condition     = length(google_organization_iam_member.read) == 1 && length(google_project_iam_member.quota) == 1
    error_message = "The pool's principal reads the organisation, and counts on the pool's project."
  }
}

run "wrong_values_are_refused" {
  command = plan

  variables {
    driftwise_google_account_id = "somebody@example.com"
    external_id                 = "mine"
    pool_id                     = "gcp-mine"
    scanned_project_ids         = []
    state_buckets               = { customer-states = "it's" }
    state_external_ids          = ["mine"]
  }

  expect_failures = [
    var.driftwise_google_account_id, var.external_id, var.pool_id, var.scanned_project_ids, var.state_buckets,
    var.state_external_ids,
  ]
}
