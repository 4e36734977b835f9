# Pushes carry a token of `sender`, made for the one service that they go to.

locals {
  dead_letter_topics = toset([
    for subscription in values(var.subscriptions) : subscription.dead_letter_topic if subscription.dead_letter_topic != null
  ])
}

resource "google_pubsub_subscription" "push" {
  for_each = var.subscriptions

  project                    = var.project_id
  name                       = each.key
  topic                      = google_pubsub_topic.topic[each.value.topic].id
  ack_deadline_seconds       = each.value.ack_deadline_seconds
  enable_message_ordering    = each.value.enable_message_ordering
  message_retention_duration = "604800s"
  labels                     = var.labels

  push_config {
    push_endpoint = "${var.services[each.value.entry_point].uri}${each.value.path}"

    oidc_token {
      service_account_email = var.sender.email
      audience              = var.services[each.value.entry_point].audience
    }
  }

  retry_policy {
    minimum_backoff = "${each.value.minimum_backoff_seconds}s"
    maximum_backoff = "${each.value.maximum_backoff_seconds}s"
  }

  # Dead letters themselves are tried until the subscription forgets them.
  dynamic "dead_letter_policy" {
    for_each = each.value.dead_letter_topic == null ? [] : [each.value]

    content {
      dead_letter_topic     = google_pubsub_topic.topic[dead_letter_policy.value.dead_letter_topic].id
      max_delivery_attempts = dead_letter_policy.value.max_delivery_attempts
    }
  }

  # A subscription that nobody uses for a while stays.
  expiration_policy {
    ttl = ""
  }
}

# Moving a dead letter: Pub/Sub publishes it to the other topic and acknowledges it on the subscription that gave it up.

resource "google_pubsub_topic_iam_member" "dead_letters" {
  for_each = local.dead_letter_topics

  project = var.project_id
  topic   = google_pubsub_topic.topic[each.key].name
  role    = "roles/pubsub.publisher"
  member  = var.pubsub_service_agent
}

resource "google_pubsub_subscription_iam_member" "dead_letters" {
  for_each = { for name, subscription in var.subscriptions : name => subscription if subscription.dead_letter_topic != null }

  project      = var.project_id
  subscription = google_pubsub_subscription.push[each.key].name
  role         = "roles/pubsub.subscriber"
  member       = var.pubsub_service_agent
}

resource "google_service_account_iam_member" "push_tokens" {
  service_account_id = "projects/${var.project_id}/serviceAccounts/${var.sender.email}"
  role               = "roles/iam.serviceAccountOpenIdTokenCreator"
  member             = var.pubsub_service_agent
}
