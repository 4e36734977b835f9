variable "kms_key_id" {
  description = "KMS key that encrypts messages at rest; the Pub/Sub service agent may use it already."
  type        = string

  validation {
    condition     = can(regex("^projects/[^/]+/locations/[^/]+/keyRings/[^/]+/cryptoKeys/[^/]+$", var.kms_key_id))
    error_message = "Give the id of a KMS key: projects/…/locations/…/keyRings/…/cryptoKeys/…"
  }
}

variable "labels" {
  description = "Labels of everything that takes labels."
  type        = map(string)
  default     = {}
}

variable "message_retention_seconds" {
  description = "How long topics keep messages for subscriptions that are made or rewound later, in seconds."
  type        = number
  default     = 604800

  validation {
    condition     = var.message_retention_seconds >= 600 && var.message_retention_seconds <= 2678400
    error_message = "Between ten minutes and 31 days, Pub/Sub's limits."
  }
}

variable "message_storage_regions" {
  description = "Regions that messages may be stored in; requests to publish elsewhere are refused."
  type        = list(string)

  validation {
    condition     = length(var.message_storage_regions) > 0
    error_message = "Name at least one region: without one, messages may be stored anywhere."
  }
}

variable "paused" {
  description = "Whether the scheduler holds all its jobs, e.g. in a recovery region that waits."
  type        = bool
  default     = false
}

variable "project_id" {
  description = "Id of the Google Cloud project."
  type        = string
}

variable "publishers" {
  description = "Who may publish to each topic: topic to names and IAM members. Topics that are missing here take messages from nobody but Pub/Sub itself (dead letters)."
  type        = map(map(string))

  validation {
    condition = alltrue(flatten([
      for members in values(var.publishers) : [for member in values(members) : startswith(member, "serviceAccount:")]
    ]))
    error_message = "Only service accounts publish."
  }
}

variable "pubsub_service_agent" {
  description = "The project's Pub/Sub service agent as an IAM member; it moves dead letters and signs tokens of pushes."
  type        = string

  validation {
    condition     = startswith(var.pubsub_service_agent, "serviceAccount:")
    error_message = "The agent is a service account: serviceAccount:service-NUMBER@gcp-sa-pubsub.iam.gserviceaccount.com."
  }
}

variable "region" {
  description = "Region of the scheduler's jobs."
  type        = string
}

variable "schedules" {
  description = "Ticks as `infra/suite.yaml` has them. The scheduler's finest grain is a minute: what asks for less ticks every minute."
  type = map(object({
    every_seconds = number
    function      = string
    entry_point   = string
    path          = string
  }))

  validation {
    condition = alltrue([
      for schedule in values(var.schedules) :
      schedule.every_seconds <= 60
      || (schedule.every_seconds % 60 == 0 && 3600 % schedule.every_seconds == 0)
      || (schedule.every_seconds % 3600 == 0 && 86400 % schedule.every_seconds == 0)
    ])
    error_message = "A schedule ticks every minute or more often, or divides the hour into whole minutes or the day into whole hours: a cron line can say nothing else."
  }

  validation {
    condition     = alltrue([for schedule in values(var.schedules) : startswith(schedule.path, "/_events/")])
    error_message = "The scheduler calls paths below /_events/ only."
  }
}

variable "sender" {
  description = "Service account that signs the tokens of pushes and ticks; functions take events from it alone."
  type        = object({ email = string })
}

variable "services" {
  description = "Where each entry point runs: its URL and the audience that it takes tokens for."
  type = map(object({
    audience = string
    uri      = string
  }))

  validation {
    condition     = alltrue([for service in values(var.services) : startswith(service.audience, "https://")])
    error_message = "An audience is the https address of one service, so that a token for one opens no other."
  }
}

variable "subscriptions" {
  description = "Push subscriptions as `infra/suite.yaml` has them."
  type = map(object({
    ack_deadline_seconds    = number
    dead_letter_topic       = optional(string)
    enable_message_ordering = optional(bool, false)
    entry_point             = string
    function                = string
    maximum_backoff_seconds = number
    max_delivery_attempts   = number
    minimum_backoff_seconds = number
    path                    = string
    topic                   = string
  }))

  validation {
    condition     = alltrue([for subscription in values(var.subscriptions) : startswith(subscription.path, "/_events/")])
    error_message = "The queue calls paths below /_events/ only."
  }

  validation {
    condition = alltrue([
      for subscription in values(var.subscriptions) :
      subscription.dead_letter_topic == null || subscription.dead_letter_topic != subscription.topic
    ])
    error_message = "A subscription's dead letters go to another topic than its own."
  }

  validation {
    condition = alltrue([
      for subscription in values(var.subscriptions) :
      subscription.minimum_backoff_seconds <= subscription.maximum_backoff_seconds && subscription.max_delivery_attempts >= 5 && subscription.max_delivery_attempts <= 100
    ])
    error_message = "The least backoff is at most the longest, and there are 5 to 100 attempts."
  }
}

variable "topics" {
  description = "Names of the topics, as the code publishes to them."
  type        = list(string)
}

variable "topics_of_google" {
  description = "Topics that a service of Google's publishes to, from whichever region it does; nothing of customers' is in them."
  type        = set(string)
  default     = []
}
