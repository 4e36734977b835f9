variables {
  project_id              = "driftwise-test"
  region                  = "europe-west1"
  kms_key_id              = "projects/driftwise-test/locations/europe-west1/keyRings/driftwise/cryptoKeys/pubsub"
  message_storage_regions = ["europe-west1"]
  pubsub_service_agent    = "serviceAccount:service-1234@gcp-sa-pubsub.iam.gserviceaccount.com"
  sender                  = { email = "events@driftwise-test.iam.gserviceaccount.com" }
  topics                  = ["scan-shards", "org-events", "dead-letters"]
  publishers = {
    scan-shards = { scan = "serviceAccount:scan@driftwise-test.iam.gserviceaccount.com" }
    org-events = {
      auth = "serviceAccount:auth@driftwise-test.iam.gserviceaccount.com"
      scan = "serviceAccount:scan@driftwise-test.iam.gserviceaccount.com"
    }
  }
  services = {
    scan_worker = { uri = "https://scan-worker-abc-ew.a.run.app", audience = "https://scan-worker.driftwise.internal" }
  }
  subscriptions = {
    scan-shards = {
      topic                   = "scan-shards"
      function                = "scan"
      entry_point             = "scan_worker"
      path                    = "/_events/scan-shards"
      ack_deadline_seconds    = 600
      minimum_backoff_seconds = 1
      maximum_backoff_seconds = 60
      max_delivery_attempts   = 8
      dead_letter_topic       = "dead-letters"
      enable_message_ordering = true
    }
    scan-dead-letters = {
      topic                   = "dead-letters"
      function                = "scan"
      entry_point             = "scan_worker"
      path                    = "/_events/dead-letters"
      ack_deadline_seconds    = 60
      minimum_backoff_seconds = 10
      maximum_backoff_seconds = 600
      max_delivery_attempts   = 20
    }
  }
  schedules = {
    a-relay = { every_seconds = 10, function = "scan", entry_point = "scan_worker", path = "/_events/relay" }
    b-sweep = { every_seconds = 600, function = "scan", entry_point = "scan_worker", path = "/_events/sweep" }
    c-purge = { every_seconds = 3600, function = "scan", entry_point = "scan_worker", path = "/_events/purge" }
    d-night = { every_seconds = 86400, function = "scan", entry_point = "scan_worker", path = "/_events/night" }
    e-half  = { every_seconds = 43200, function = "scan", entry_point = "scan_worker", path = "/_events/half" }
  }
}

run "the_queue_and_the_clock" {
  command = apply

  assert {
    condition     = alltrue([for topic in google_pubsub_topic.topic : topic.kms_key_name == var.kms_key_id])
    error_message = "Every topic is under our own key."
  }

  assert {
    condition = alltrue([
      for topic in google_pubsub_topic.topic :
      topic.message_storage_policy[0].allowed_persistence_regions == toset(["europe-west1"]) && topic.message_storage_policy[0].enforce_in_transit
    ])
    error_message = "Messages must stay in the named regions, on their way too."
  }

  assert {
    condition = google_pubsub_subscription.push["scan-shards"].push_config[0].push_endpoint == "https://scan-worker-abc-ew.a.run.app/_events/scan-shards" && alltrue([
      for subscription in google_pubsub_subscription.push :
      subscription.push_config[0].oidc_token[0].audience == "https://scan-worker.driftwise.internal"
      && subscription.push_config[0].oidc_token[0].service_account_email == var.sender.email
    ])
    error_message = "Every push must carry a token of the sender for the service it goes to."
  }

  assert {
    condition = (
      google_pubsub_subscription.push["scan-shards"].dead_letter_policy[0].dead_letter_topic == google_pubsub_topic.topic["dead-letters"].id
      && google_pubsub_subscription.push["scan-shards"].dead_letter_policy[0].max_delivery_attempts == 8
      && length(google_pubsub_subscription.push["scan-dead-letters"].dead_letter_policy) == 0
    )
    error_message = "What is given up goes to the dead letters; those go nowhere else."
  }

  assert {
    condition = (
      google_pubsub_subscription.push["scan-shards"].ack_deadline_seconds == 600
      && google_pubsub_subscription.push["scan-shards"].retry_policy[0].minimum_backoff == "1s"
      && google_pubsub_subscription.push["scan-shards"].retry_policy[0].maximum_backoff == "60s"
      && google_pubsub_subscription.push["scan-shards"].enable_message_ordering
      && !google_pubsub_subscription.push["scan-dead-letters"].enable_message_ordering
    )
    error_message = "Deadlines, backoff and ordering are those of the suite."
  }

  assert {
    condition     = alltrue([for subscription in google_pubsub_subscription.push : subscription.expiration_policy[0].ttl == ""])
    error_message = "No subscription may expire."
  }

  assert {
    condition = toset([for grant in google_pubsub_topic_iam_member.publisher : "${grant.topic} ${grant.role} ${grant.member}"]) == toset([
      "scan-shards roles/pubsub.publisher serviceAccount:scan@driftwise-test.iam.gserviceaccount.com",
      "org-events roles/pubsub.publisher serviceAccount:auth@driftwise-test.iam.gserviceaccount.com",
      "org-events roles/pubsub.publisher serviceAccount:scan@driftwise-test.iam.gserviceaccount.com",
    ])
    error_message = "Exactly the named publishers may publish, topic by topic."
  }

  assert {
    condition = (
      keys(google_pubsub_topic_iam_member.dead_letters) == ["dead-letters"]
      && keys(google_pubsub_subscription_iam_member.dead_letters) == ["scan-shards"]
      && google_pubsub_subscription_iam_member.dead_letters["scan-shards"].role == "roles/pubsub.subscriber"
    )
    error_message = "Pub/Sub may move dead letters, and nothing more."
  }

  assert {
    condition     = google_service_account_iam_member.push_tokens.role == "roles/iam.serviceAccountOpenIdTokenCreator" && google_service_account_iam_member.push_tokens.member == var.pubsub_service_agent
    error_message = "Pub/Sub may sign identity tokens of the sender, but make no access tokens for it."
  }

  assert {
    condition = { for name, job in google_cloud_scheduler_job.tick : name => job.schedule } == {
      a-relay = "* * * * *"
      b-sweep = "1-59/10 * * * *"
      c-purge = "14 * * * *"
      d-night = "21 3 * * *"
      e-half  = "28 */12 * * *"
    }
    error_message = "Each schedule becomes its cron line, spread over the hour."
  }

  assert {
    condition = alltrue([
      for job in google_cloud_scheduler_job.tick : job.http_target[0].http_method == "POST" && job.time_zone == "Etc/UTC" && !job.paused
      && job.http_target[0].oidc_token[0].audience == "https://scan-worker.driftwise.internal"
    ])
    error_message = "Every tick is a POST with a token for its service."
  }

  assert {
    condition     = google_cloud_scheduler_job.tick["a-relay"].retry_config[0].retry_count == 0 && google_cloud_scheduler_job.tick["c-purge"].retry_config[0].retry_count == 2
    error_message = "What ticks again soon is not tried again."
  }
}

run "wrong_values_are_refused" {
  command = plan

  variables {
    kms_key_id                = "pubsub"
    message_retention_seconds = 1
    message_storage_regions   = []
    publishers                = { scan-shards = { everybody = "allUsers" } }
    pubsub_service_agent      = "allUsers"
    services                  = { scan_worker = { uri = "https://x", audience = "events" } }
    schedules                 = { odd = { every_seconds = 420, function = "scan", entry_point = "scan_worker", path = "/_events/odd" } }
    subscriptions = {
      public = {
        topic                   = "scan-shards"
        function                = "scan"
        entry_point             = "scan_worker"
        path                    = "/api/v2/orgs"
        ack_deadline_seconds    = 600
        minimum_backoff_seconds = 1
        maximum_backoff_seconds = 60
        max_delivery_attempts   = 8
      }
    }
  }

  expect_failures = [
    var.kms_key_id, var.message_retention_seconds, var.message_storage_regions, var.publishers, var.pubsub_service_agent,
    var.services, var.schedules, var.subscriptions,
  ]
}
