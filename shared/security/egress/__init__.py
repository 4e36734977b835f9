"""Outbound calls to user-given URLs: `EgressGuard`, and nothing else, may make them (`python -m infra.lint.egress`)."""

from .errors import EgressFailed, EgressRefused, EgressTimeout, EgressTooLarge, Reason
from .guard import EgressGuard
from .policy import EgressPolicy, for_process
from .reply import EgressResponse
from .resolver import Resolver, SystemResolver

__all__ = [
    "EgressFailed",
    "EgressGuard",
    "EgressPolicy",
    "EgressRefused",
    "EgressResponse",
    "EgressTimeout",
    "EgressTooLarge",
    "Reason",
    "Resolver",
    "SystemResolver",
    "for_process",
]
