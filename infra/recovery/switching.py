"""Letting the suite use another Cloud SQL instance: `python -m infra.recovery switch`.

The environment's variable `database_instance` names the instance. Terraform is made to forget the old instance, which stays as it
is, and to know the new one; then an apply gives the functions its connection name and the rights on it.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from infra.deploy.platform import Run, run_command
from infra.suite import load_suite

INSTANCE_FILE = "database.auto.tfvars.json"
_MODULE = "module.database"
_REPLICA = (
    f"{_MODULE}.google_sql_database_instance.replica[0]"  # it follows the old instance; an apply makes one of the new
)


@dataclass(frozen=True, slots=True)
class Switch:
    """One change of instance.

    Attributes:
        environment: folder of an environment of `terraform/envs`, initialised, whose variables are in place.
        project: project id.
        instance: the new instance.
        run: runs a program in a folder; raises DeploymentError.
        report: gets one line per step.
    """

    environment: Path
    project: str
    instance: str
    run: Run = run_command
    report: Callable[[str], object] = field(default=print)

    def apply(self) -> None:
        """Switch over. It can be cut off and started again.

        Raises:
            DeploymentError: Terraform failed; the message says at what.
        """
        (self.environment / INSTANCE_FILE).write_text(
            json.dumps({"database_instance": self.instance}, indent=2) + "\n", encoding="utf-8"
        )
        known = set(self._terraform("state", "list").splitlines())
        wanted = self.addresses()
        for address in [*wanted, _REPLICA]:
            if address in known:
                self._terraform("state", "rm", address)
        for address, found_as in wanted.items():
            self._terraform("import", "-input=false", address, found_as)
        self.report(f"Terraform knows {self.instance}")
        self._terraform("apply", "-auto-approve", "-input=false", "-no-color")
        self.report(f"the functions use {self.instance}")

    def addresses(self) -> dict[str, str]:
        """Return address to what it is imported as.

        Source: https://registry.terraform.io/providers/hashicorp/google/latest/docs/resources/sql_user#import
        """
        suite = load_suite()
        place = f"projects/{self.project}/instances/{self.instance}"
        with_database = [name for name, function in suite.functions.items() if function.database is not None]
        users = {
            f'{_MODULE}.google_sql_user.this["{name}"]': (
                f"{self.project}/{self.instance}/{suite.name}-{name.replace('_', '-')}@{self.project}.iam"
            )
            for name in sorted([*with_database, "migrations"])
        }
        return {
            f"{_MODULE}.google_sql_database_instance.this": place,
            f"{_MODULE}.google_sql_database.this": f"{place}/databases/{suite.database.name}",
            **users,
        }

    def _terraform(self, *arguments: str) -> str:
        return self.run(["terraform", *arguments], self.environment)
