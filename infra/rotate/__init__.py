"""Tools that an operator runs to replace a credential while everything runs; each has a runbook in `infra/runbooks/`."""
