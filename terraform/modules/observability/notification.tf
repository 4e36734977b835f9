resource "google_monitoring_notification_channel" "email" {
  for_each = toset(var.notification_emails)

  project      = var.project_id
  display_name = "${var.name}: ${each.key}"
  type         = "email"
  user_labels  = var.labels

  labels = {
    email_address = each.key
  }
}

locals {
  notification_channels = [for channel in google_monitoring_notification_channel.email : channel.id]
}
