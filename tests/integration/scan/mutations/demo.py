"""The demo account answers for no type; its changes stand in `local_emulator.demo_changes`, judged by `test_demo_estate`."""

from __future__ import annotations

from functions.scan.domain.specs import TypeSpec
from tests.support.aws_account import Mutation

SPECS: tuple[TypeSpec, ...] = ()
MUTATIONS: tuple[Mutation, ...] = ()
EXCEPTIONS: dict[str, str] = {}
