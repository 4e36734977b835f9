"""What can be changed behind Terraform's back in the `management` group."""

from __future__ import annotations

from functions.scan.types.aws import audit, people, runtime
from tests.support.aws_account import Mutation

from . import management_audit, management_people, management_runtime

SPECS = (*audit.SPECS, *runtime.SPECS, *people.SPECS)

MUTATIONS: tuple[Mutation, ...] = (
    *management_audit.MUTATIONS,
    *management_runtime.MUTATIONS,
    *management_people.MUTATIONS,
)

EXCEPTIONS: dict[str, str] = {
    **management_audit.EXCEPTIONS,
    **management_runtime.EXCEPTIONS,
    **management_people.EXCEPTIONS,
}
