"""Adds a version to a secret of the suite: `python -m infra.rotate.secret_version SECRET --project P [--given]`.

The first version of a new installation, and every later one that is random (`api-key-pepper`, `value-digest-key`): processes find it by
themselves within a minute. With `--given` the value is a vendor's and is read from standard input, so that no shell and no list of processes
keeps it. Disables nothing: when the version before may go, the secret's runbook says. The value is shown to nobody.
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


def add_given_version(vault: Vault, name: str, value: bytes) -> int:
    """Add a version that a vendor gave; returns its number.

    Args:
        vault: the project's secrets.
        name: the secret.
        value: as it was read, with or without the line break at its end.

    Raises:
        ValueError: nothing was given, or white space stands within or around it: a paste that went wrong.
        google.api_core.exceptions.GoogleAPICallError, RetryError: Secret Manager did not take it.
    """
    given = value.removesuffix(b"\n").removesuffix(b"\r")
    if not given or given.split() != [given]:
        raise ValueError("the value is empty or has white space in it")
    return vault.add(name, given)


def main(arguments: list[str] | None = None) -> int:
    """Add versions; returns the exit status."""
    names = sorted(load_suite().secrets)
    parser = argparse.ArgumentParser(prog="python -m infra.rotate.secret_version", description="Add a version.")
    parser.add_argument("secret", choices=names)
    parser.add_argument("--project", required=True)
    parser.add_argument("--secrets-endpoint", default="", help="host:port of the emulator")
    parser.add_argument("--given", action="store_true", help="read the value from standard input instead of making it")
    options = parser.parse_args(arguments)
    vault = Vault(options.project, options.secrets_endpoint)
    try:
        if options.given:
            version = add_given_version(vault, options.secret, sys.stdin.buffer.read())
        else:
            version = add_version(vault, options.secret, SystemEntropy())
    except (ValueError, GoogleAPICallError, RetryError) as error:
        sys.stderr.write(f"rotate: {options.secret} has no new version: {error}\n")
        return 1
    print(f"{options.secret} has version {version}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
