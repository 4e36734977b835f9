resource "google_pubsub_topic" "topic" {
  for_each = toset(var.topics)

  project                    = var.project_id
  name                       = each.key
  kms_key_name               = var.kms_key_id
  message_retention_duration = "${var.message_retention_seconds}s"
  labels                     = var.labels

  message_storage_policy {
    allowed_persistence_regions = var.message_storage_regions
    enforce_in_transit          = !contains(var.topics_of_google, each.key)
  }
}

resource "google_pubsub_topic_iam_member" "publisher" {
  for_each = merge([
    for topic, members in var.publishers : { for name, member in members : "${topic} ${name}" => { topic = topic, member = member } }
  ]...)

  project = var.project_id
  topic   = google_pubsub_topic.topic[each.value.topic].name
  role    = "roles/pubsub.publisher"
  member  = each.value.member
}
