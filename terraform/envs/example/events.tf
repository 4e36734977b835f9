# The queue and the clock.

module "events" {
  source = "../../modules/events"

  project_id              = module.project.project_id
  region                  = var.region
  kms_key_id              = module.kms.cmek_key_ids.pubsub
  labels                  = var.labels
  message_storage_regions = [var.region]
  pubsub_service_agent    = module.project.service_agents.pubsub
  schedules               = module.suite.schedules
  sender                  = { email = module.identity.jobs.events.email }
  services                = local.services
  subscriptions           = module.suite.subscriptions
  topics                  = module.suite.topics
  topics_of_google        = ["secret-rotations"]

  publishers = merge(
    { for topic, functions in module.suite.publishers : topic => { for function in functions : function => module.identity.functions[function].member } },
    { secret-rotations = { secret-manager = module.project.service_agents.secretmanager } },
  )
}
