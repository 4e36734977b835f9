"""The Kubernetes operator: what it strips, signs and is told; its chart and its image."""
