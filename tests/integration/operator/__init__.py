"""The Kubernetes operator against an API server on loopback."""
