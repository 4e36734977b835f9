"""Adds a random version to a secret of the suite: `python -m infra.rotate.secret_version SECRET --project P`.

The first version of a new installation, and every later one that is random (`api-key-pepper`, `value-digest-key`): processes find it by
themselves within a minute. Disables nothing: when the version before may go, the secret's runbook says. The value is shown to nobody.
"""

from __future__ import annotations

import argparse
import sys

from google.api_core.exceptions import GoogleAPICallError, RetryError

from infra.suite import load_suite
from shared.ports.clock import Entropy, SystemEntropy

from .vault import Vault


def add_version(vault: Vault, name: str, entropy: Entropy) -> int:
    """Add a version; returns its number.

    Raises:
        KeyError: the suite has no such secret.
        google.api_core.exceptions.GoogleAPICallError, RetryError: Secret Manager did not take it.
    """
    return vault.add(name, entropy.token_bytes(load_suite().secrets[name].generated_bytes))


def main(arguments: list[str] | None = None) -> int:
    """Add versions; returns the exit status."""
    names = sorted(load_suite().secrets)
    parser = argparse.ArgumentParser(prog="python -m infra.rotate.secret_version", description="Add a random version.")
    parser.add_argument("secret", choices=names)
    parser.add_argument("--project", required=True)
    parser.add_argument("--secrets-endpoint", default="", help="host:port of the emulator")
    options = parser.parse_args(arguments)
    try:
        version = add_version(Vault(options.project, options.secrets_endpoint), options.secret, SystemEntropy())
    except (GoogleAPICallError, RetryError) as error:
        sys.stderr.write(f"rotate: {options.secret} has no new version: {error}\n")
        return 1
    print(f"{options.secret} has version {version}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
