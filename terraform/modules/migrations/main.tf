# The job that applies migrations and lets the functions' accounts into their login roles. The deployment runs it before any function changes.

resource "google_cloud_run_v2_job" "this" {
  project             = var.project_id
  location            = var.region
  name                = "${var.name}-migrations"
  deletion_protection = true

  binary_authorization {
    use_default = true
  }

  template {
    template {
      service_account       = var.service_account
      encryption_key        = var.kms_key_id
      execution_environment = "EXECUTION_ENVIRONMENT_GEN2"
      max_retries           = 0 # whoever looks at the failure runs it again
      timeout               = "3600s"

      vpc_access {
        egress = "ALL_TRAFFIC"

        network_interfaces {
          network    = var.network.network_id
          subnetwork = var.network.subnet_id
        }
      }

      containers {
        image   = var.image
        command = ["/cnb/lifecycle/launcher"] # the buildpack's way to a command of one's own
        args    = concat(["python", "-m", "infra.deploy.migrations"], [for login, user in var.logins : "${login}=${user}"])

        resources {
          limits = {
            cpu    = "1"
            memory = "512Mi"
          }
        }

        dynamic "env" {
          for_each = {
            DW_DATABASE_INSTANCE = var.database.connection_name
            DW_DATABASE_NAME     = var.database.name
            DW_DATABASE_USER     = var.database.user
            DW_ENV               = "production"
            DW_FUNCTION          = "migrations"
          }

          content {
            name  = env.key
            value = env.value
          }
        }
      }
    }
  }
}

resource "google_cloud_run_v2_job_iam_member" "deployer" {
  project  = var.project_id
  location = var.region
  name     = google_cloud_run_v2_job.this.name
  role     = "roles/run.developer"
  member   = var.deployer_member
}
