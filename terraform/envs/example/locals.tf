locals {
  name = module.suite.name

  # Small is enough for some dozens of organisations; the large one is what infra/suite.yaml allows, over two zones.
  size = var.high_availability ? {
    instances       = 1000
    pool            = 4
    max_connections = 1000
    min_instances   = 1
    redis_gib       = 2
    tier            = "db-custom-4-16384"
    } : {
    instances       = 8
    pool            = 4
    max_connections = 400
    min_instances   = 0
    redis_gib       = 1
    tier            = "db-custom-2-7680"
  }

  # An instance never needs more connections than it serves requests at once, and a function without a database none.
  entry_points = {
    for name, found in module.suite.entry_points : name => merge(found, {
      max_instances    = min(found.max_instances, local.size.instances)
      pool_connections = module.suite.functions[found.function].database == null ? 0 : min(found.concurrency, local.size.pool)
    })
  }

  demanded_connections = sum([for entry_point in local.entry_points : entry_point.max_instances * entry_point.pool_connections])

  with_database = { for name, found in module.suite.functions : name => found.database if found.database != null }

  # What all functions are told (shared/settings.py), and what some are told besides.
  environment = merge(
    {
      DW_ENV           = "production"
      DW_JWKS_URL      = "https://${var.domain}/.well-known/jwks.json"
      DW_PROJECT       = var.project_id
      DW_PUBLIC_URL    = "https://${var.domain}"
      DW_REDIS_CA      = module.cache.server_ca
      DW_REGION        = var.region
      DW_TRACE_PERCENT = tostring(var.tracing.percent)
    },
    var.tracing.endpoint == "" ? {} : { DW_OTLP_ENDPOINT = var.tracing.endpoint },
    length(var.trusted_issuers) == 0 ? {} : { DW_TRUSTED_ISSUERS = jsonencode(var.trusted_issuers) },
  )

  environments = {
    for name, found in module.suite.functions : name => merge(
      local.environment,
      { DW_FUNCTION = name },
      found.database == null ? {} : {
        DW_DATABASE_INSTANCE = module.database.connection_name
        DW_DATABASE_NAME     = module.database.database_name
        DW_DATABASE_USER     = module.database.users[name]
      },
      lookup(local.own_environments, name, {}),
    )
  }

  own_environments = {
    auth = merge(
      {
        DW_ADMIN_DOMAINS  = join(",", sort(var.admin_domains))
        DW_OIDC_PROVIDERS = jsonencode(var.oidc_providers)
      },
      length(var.stripe_prices) == 0 ? {} : { DW_STRIPE_PRICES = jsonencode(var.stripe_prices) },
      var.disclosure == null ? {} : {
        DW_SECURITY_CONTACT       = var.disclosure.contact
        DW_SECURITY_CONTACT_UNTIL = var.disclosure.until
        DW_SECURITY_POLICY        = var.disclosure.policy
      },
    )
    scan    = { DW_CUSTOMER_TRUST_ID = module.identity.functions["scan"].id }
    webhook = var.mail == null ? {} : { for setting, value in var.mail : "DW_SMTP_${upper(setting)}" => tostring(value) if value != "" }
    analyze = var.language_model == null ? {} : {
      for setting, value in var.language_model : "DW_LLM_${upper(setting)}" => value if value != ""
    }
  }

  # What the modules at the edge need to know of the functions.
  services      = merge([for function in module.function : function.services]...)
  http_services = { for name, service in module.suite.http_services : name => "${local.name}-${service}" }
}
