"""DriftWise's operator: reads a Kubernetes cluster, strips what must not leave it, and reports the rest."""

VERSION = "1.0.0"
