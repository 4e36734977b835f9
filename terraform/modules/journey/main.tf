# A customer's machine of our own: a job that takes the journey through the public address again and again. Its account may read its own API
# key; of the network it reaches what every function reaches, among that the edge, and no address of the internet.

resource "google_cloud_run_v2_job" "this" {
  project             = var.project_id
  location            = var.region
  name                = "${var.name}-journey"
  deletion_protection = false # nothing is lost with it

  binary_authorization {
    use_default = true
  }

  template {
    template {
      service_account       = var.service_account.email
      encryption_key        = var.kms_key_id
      execution_environment = "EXECUTION_ENVIRONMENT_GEN2"
      max_retries           = 0 # a customer's call is not tried again either; the alert wants two failures
      timeout               = "${var.timeout_seconds}s"

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
        args    = ["python", "-m", "infra.journey", "--url=https://${var.domain}", "--within-seconds=${var.timeout_seconds - 20}"]

        resources {
          limits = {
            cpu    = "1"
            memory = "512Mi"
          }
        }

        env {
          name  = "DW_PROJECT"
          value = var.project_id
        }

        # The newest version as each run begins, so that a rotated key counts at once.
        env {
          name = "JOURNEY_API_KEY"

          value_source {
            secret_key_ref {
              secret  = var.secret_id
              version = "latest"
            }
          }
        }
      }
    }
  }

  depends_on = [google_secret_manager_secret_iam_member.key]
}

resource "google_secret_manager_secret_iam_member" "key" {
  project   = var.project_id
  secret_id = var.secret_id
  role      = "roles/secretmanager.secretAccessor"
  member    = var.service_account.member
}

resource "google_cloud_run_v2_job_iam_member" "starter" {
  project  = var.project_id
  location = var.region
  name     = google_cloud_run_v2_job.this.name
  role     = "roles/run.invoker"
  member   = var.starter.member
}

resource "google_cloud_run_v2_job_iam_member" "deployer" {
  project  = var.project_id
  location = var.region
  name     = google_cloud_run_v2_job.this.name
  role     = "roles/run.developer"
  member   = var.deployer_member
}

resource "google_cloud_scheduler_job" "start" {
  project          = var.project_id
  region           = var.region
  name             = "journey"
  description      = "Starts the journey every ${var.every_minutes} minutes."
  schedule         = "*/${var.every_minutes} * * * *"
  time_zone        = "Etc/UTC"
  attempt_deadline = "60s"

  retry_config {
    retry_count = 0
  }

  http_target {
    http_method = "POST"
    uri         = "https://run.googleapis.com/v2/${google_cloud_run_v2_job.this.id}:run"

    oauth_token {
      service_account_email = var.starter.email
      scope                 = "https://www.googleapis.com/auth/cloud-platform"
    }
  }
}
