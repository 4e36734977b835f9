"""The build: one reproducible zip per function, its bill of materials, and the OpenAPI document.

Reads `infra/suite.yaml`, the sources and the lock. Deploys nothing.
"""
