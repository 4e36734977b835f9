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

  assert {
    condition     = length(google_pubsub_subscription.feed) + length(google_service_account.feed) + length(google_cloud_asset_project_feed.changes) == 0
    error_message = "Without feeds nothing is pushed anywhere."
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

run "asset_feeds" {
  command = apply

  variables {
    asset_feeds = {
      "organizations/42"             = "https://driftwise.example/api/v2/asset-feeds/0197f0a0-0000-7000-8000-000000000003"
      "projects/customer-production" = "https://driftwise.example/api/v2/asset-feeds/0197f0a0-0000-7000-8000-000000000001"
    }
  }

  assert {
    condition = alltrue([
      for parent, subscription in google_pubsub_subscription.feed :
      subscription.push_config[0].push_endpoint == var.asset_feeds[parent]
      && subscription.push_config[0].oidc_token[0].audience == var.asset_feeds[parent]
      && subscription.push_config[0].oidc_token[0].service_account_email == google_service_account.feed[0].email
    ])
    error_message = "A push goes to its own feed, with tokens for that feed alone."
  }

  assert {
    condition = (
      toset([for feed in google_cloud_asset_project_feed.changes : feed.content_type]) == toset(["RESOURCE", "IAM_POLICY"])
      && toset([for feed in google_cloud_asset_organization_feed.changes : feed.content_type]) == toset(["RESOURCE", "IAM_POLICY"])
      && length(google_cloud_asset_folder_feed.changes) == 0
    )
    error_message = "Both what a resource is and who may do what on it are watched."
  }

  assert {
    condition     = google_service_account_iam_member.feed_tokens[0].role == "roles/iam.serviceAccountTokenCreator" && strcontains(google_service_account_iam_member.feed_tokens[0].member, "@gcp-sa-pubsub.iam.gserviceaccount.com")
    error_message = "Pub/Sub makes tokens of the feed's account, and nobody else by this module."
  }
}

run "wrong_values_are_refused" {
  command = plan

  variables {
    driftwise_google_account_id = "somebody@example.com"
    asset_feed_account_id       = "Feed"
    asset_feeds                 = { "projects/x/y" = "http://driftwise.example/" }
    external_id                 = "mine"
    pool_id                     = "gcp-mine"
    scanned_project_ids         = []
    state_buckets               = { customer-states = "it's" }
    state_external_ids          = ["mine"]
  }

  expect_failures = [
    var.asset_feed_account_id, var.asset_feeds, var.driftwise_google_account_id, var.external_id, var.pool_id, var.scanned_project_ids, var.state_buckets,
    var.state_external_ids,
  ]
}
