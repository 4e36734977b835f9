output "job_names" {
  description = "Scheduler job of each schedule: schedule to name."
  value       = { for name, job in google_cloud_scheduler_job.tick : name => job.name }
}

output "subscription_names" {
  description = "Subscription of each entry of `subscriptions`: entry to name."
  value       = { for name, subscription in google_pubsub_subscription.push : name => subscription.name }
}

output "topic_ids" {
  description = "Id of each topic: topic to projects/…/topics/…"
  value       = { for name, topic in google_pubsub_topic.topic : name => topic.id }

  depends_on = [google_pubsub_topic_iam_member.publisher] # who takes a topic may publish to it at once
}
