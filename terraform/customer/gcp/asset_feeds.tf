# Changes start scans: a feed of Cloud Asset Inventory tells a topic of yours, and a push subscription tells DriftWise, with tokens of an account
# that has no right anywhere. All of it is yours; DriftWise gets no right by it.
# Source: https://cloud.google.com/asset-inventory/docs/monitor-asset-changes,
# https://cloud.google.com/pubsub/docs/authenticate-push-subscriptions

locals {
  # One feed for what a resource is, one for who may do what on it. Objects within clusters are left out: pods come and go all day.
  feed_contents = { resource = "RESOURCE", iam-policy = "IAM_POLICY" }
  feed_types    = [".*\\.googleapis\\.com/.*"]

  feeds = {
    for pair in setproduct(keys(var.asset_feeds), keys(local.feed_contents)) : "${pair[0]}/${pair[1]}" => {
      content = pair[1]
      kind    = split("/", pair[0])[0]
      name    = split("/", pair[0])[1]
      parent  = pair[0]
    }
  }
  has_feeds = length(var.asset_feeds) > 0
}

resource "google_project_service" "pubsub" {
  count = local.has_feeds ? 1 : 0

  project            = var.project_id
  service            = "pubsub.googleapis.com"
  disable_on_destroy = false
}

resource "google_service_account" "feed" {
  count = local.has_feeds ? 1 : 0

  project      = var.project_id
  account_id   = var.asset_feed_account_id
  display_name = "DriftWise asset feed"
  description  = "Pub/Sub proves with its tokens that a push is yours; it has no right anywhere."
}

# Pub/Sub may make tokens of this account, for the audience that the subscription names.
resource "google_service_account_iam_member" "feed_tokens" {
  count = local.has_feeds ? 1 : 0

  service_account_id = google_service_account.feed[0].name
  role               = "roles/iam.serviceAccountTokenCreator"
  member             = "serviceAccount:service-${data.google_project.pool.number}@gcp-sa-pubsub.iam.gserviceaccount.com"

  depends_on = [google_project_service.pubsub]
}

resource "google_pubsub_topic" "feed" {
  #checkov:skip=CKV_GCP_83:in the customer's own project, where notices of changes pass; a key would be theirs to make and to grant to Pub/Sub
  for_each = var.asset_feeds

  project = var.project_id
  name    = "driftwise-assets-${replace(each.key, "/[^A-Za-z0-9-]/", "-")}"

  depends_on = [google_project_service.pubsub]
}

# Cloud Asset Inventory publishes as its own account of the project that a feed counts on.
resource "google_pubsub_topic_iam_member" "feed" {
  for_each = var.asset_feeds

  project = var.project_id
  topic   = google_pubsub_topic.feed[each.key].name
  role    = "roles/pubsub.publisher"
  member  = "serviceAccount:service-${data.google_project.pool.number}@gcp-sa-cloudasset.iam.gserviceaccount.com"

  depends_on = [google_project_service.read]
}

resource "google_pubsub_subscription" "feed" {
  for_each = var.asset_feeds

  project                    = var.project_id
  name                       = google_pubsub_topic.feed[each.key].name
  topic                      = google_pubsub_topic.feed[each.key].id
  ack_deadline_seconds       = 60
  message_retention_duration = "86400s"

  expiration_policy {
    ttl = ""
  }

  push_config {
    push_endpoint = each.value

    oidc_token {
      service_account_email = google_service_account.feed[0].email
      audience              = each.value
    }
  }

  retry_policy {
    minimum_backoff = "10s"
    maximum_backoff = "600s"
  }

  depends_on = [google_service_account_iam_member.feed_tokens]
}

resource "google_cloud_asset_project_feed" "changes" {
  for_each = { for key, feed in local.feeds : key => feed if feed.kind == "projects" }

  project         = each.value.name
  billing_project = var.project_id
  feed_id         = "driftwise-${each.value.content}"
  content_type    = local.feed_contents[each.value.content]
  asset_types     = local.feed_types

  feed_output_config {
    pubsub_destination {
      topic = google_pubsub_topic.feed[each.value.parent].id
    }
  }

  depends_on = [google_pubsub_topic_iam_member.feed, google_pubsub_subscription.feed]
}

resource "google_cloud_asset_folder_feed" "changes" {
  for_each = { for key, feed in local.feeds : key => feed if feed.kind == "folders" }

  folder          = each.value.name
  billing_project = var.project_id
  feed_id         = "driftwise-${each.value.content}"
  content_type    = local.feed_contents[each.value.content]
  asset_types     = local.feed_types

  feed_output_config {
    pubsub_destination {
      topic = google_pubsub_topic.feed[each.value.parent].id
    }
  }

  depends_on = [google_pubsub_topic_iam_member.feed, google_pubsub_subscription.feed]
}

resource "google_cloud_asset_organization_feed" "changes" {
  for_each = { for key, feed in local.feeds : key => feed if feed.kind == "organizations" }

  org_id          = each.value.name
  billing_project = var.project_id
  feed_id         = "driftwise-${each.value.content}"
  content_type    = local.feed_contents[each.value.content]
  asset_types     = local.feed_types

  feed_output_config {
    pubsub_destination {
      topic = google_pubsub_topic.feed[each.value.parent].id
    }
  }

  depends_on = [google_pubsub_topic_iam_member.feed, google_pubsub_subscription.feed]
}
