"""Replaces the password of one database login, without downtime: `python -m infra.rotate.database_login LOGIN SECRET`.

For deployments whose logins have passwords; in Google Cloud none has one. Runs as the database's owner, whose URL is in
DATABASE_URL. The order is what makes it safe at every moment, also when it is cut off: add a version, change the role, log
in with it, only then disable what was before. Run it again after a failure; it begins with putting away what that left.
Runbook: infra/runbooks/database-credentials.md.
"""

from __future__ import annotations

import argparse
import os
import sys
from base64 import urlsafe_b64encode
from contextlib import closing
from dataclasses import dataclass

from google.api_core.exceptions import GoogleAPICallError, RetryError
from pg8000 import native

from infra.suite import load_suite
from shared.data.connections import LOGIN_REFUSED, sqlstate
from shared.data.migrations import connect
from shared.data.passwords import Password, readable_versions
from shared.data.urls import with_login
from shared.ports.clock import Entropy, SystemEntropy
from shared.ports.errors import ServiceAway
from shared.ports.secret_store import GoogleSecretStore, SecretStore
from shared.settings import Settings

from .scram import SALT_BYTES, scram_verifier
from .vault import Vault

_PASSWORD_BYTES = 32
_LOCK = 0x726F74617465  # "rotate": the advisory lock that lets one rotation through at a time


class RotationError(Exception):
    """The password was not replaced, or not to the end; says in which state everything is."""


@dataclass(frozen=True, slots=True)
class Rotation:
    """What was done.

    Attributes:
        version: the version whose password the login has now.
        disabled: the versions that were disabled.
    """

    version: int
    disabled: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Rotator:
    """Rotates the password of one login.

    Attributes:
        owner_url: connects as the database's owner.
        login: the role.
        secret: the secret whose versions are its passwords.
        vault: adds and disables versions.
        store: reads them, as the functions do.
    """

    owner_url: str
    login: str
    secret: str
    vault: Vault
    store: SecretStore
    entropy: Entropy

    def rotate(self) -> Rotation:
        """Replace the password.

        Raises:
            RotationError: it was not replaced, or the old one is still enabled.
        """
        if self.login not in {roles.login for roles in load_suite().roles()}:
            raise RotationError(f"{self.login} is no login of a function")
        with closing(connect(self.owner_url)) as owner:
            if not owner.run(f"select pg_try_advisory_lock({_LOCK})")[0][0]:
                raise RotationError("another rotation is under way")
            self._put_away(self._leftovers())
            version = self._replace(owner)
        others = sorted(self.vault.enabled(self.secret) - {version})
        self._put_away(others)
        return Rotation(version, tuple(others))

    def _leftovers(self) -> list[int]:
        """Return the versions above the present password's: a rotation that was cut off added them."""
        refused: list[int] = []
        for candidate in readable_versions(self.store, self.secret):
            if self._opens(candidate):
                return refused
            refused.append(candidate.version)
        raise RotationError(
            f"no version of {self.secret} is the password of {self.login}: add the present password as a version first"
        )

    def _replace(self, owner: native.Connection) -> int:
        text = urlsafe_b64encode(self.entropy.token_bytes(_PASSWORD_BYTES)).decode().rstrip("=")
        verifier = scram_verifier(text, self.entropy.token_bytes(SALT_BYTES))
        version = self.vault.add(self.secret, text.encode())
        added = Password(version, self.store.read(self.secret, str(version)))
        try:
            owner.run(f"alter role \"{self.login}\" password '{verifier}'")
        except native.DatabaseError as error:
            self._put_away([version])
            raise RotationError(f"the role was not changed: {error.args[0].get('M')}") from error
        if not self._opens(added):
            raise RotationError(f"version {version} does not open {self.login}; the version before stays enabled")
        return version

    def _opens(self, password: Password) -> bool:
        try:
            connect(with_login(self.owner_url, self.login, password.reveal())).close()
        except native.DatabaseError as error:
            if sqlstate(error) in LOGIN_REFUSED:
                return False
            raise
        return True

    def _put_away(self, versions: list[int]) -> None:
        for version in versions:
            self.vault.disable(self.secret, version)


def main(arguments: list[str] | None = None) -> int:
    """Rotate one login's password and say what was done; returns the exit status."""
    parser = argparse.ArgumentParser(prog="python -m infra.rotate.database_login", description=__doc__.split("\n")[0])
    parser.add_argument("login", help="the role, e.g. keys_login")
    parser.add_argument("secret", help="the secret that the function's DW_DATABASE_PASSWORD_SECRET names")
    parser.add_argument("--project", required=True, help="Google Cloud project of the secret")
    parser.add_argument("--secrets-endpoint", default="", help="host:port of the emulator's Secret Manager")
    options = parser.parse_args(arguments)
    owner_url = os.environ.get("DATABASE_URL", "")
    if not owner_url:
        sys.stderr.write("rotate: set DATABASE_URL to the owner's URL\n")
        return 2
    settings = Settings(project=options.project, secrets_endpoint=options.secrets_endpoint)
    vault = Vault(options.project, options.secrets_endpoint)
    rotator = Rotator(owner_url, options.login, options.secret, vault, GoogleSecretStore(settings), SystemEntropy())
    try:
        done = rotator.rotate()
    except (RotationError, ServiceAway, GoogleAPICallError, RetryError) as error:
        sys.stderr.write(f"rotate: {error}\n")
        return 1
    except (native.DatabaseError, native.InterfaceError, OSError) as error:
        sys.stderr.write(f"rotate: the database cannot be reached, run this again: {error}\n")
        return 1
    disabled = ", ".join(map(str, done.disabled)) or "none"
    print(f"{options.login} has the password of version {done.version}; disabled: {disabled}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
