"""The clouds that can be scanned, each behind one port. The one place that tells them apart."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from .aws import AwsCloud
from .azure import AzureCloud
from .google import GoogleCloud
from .kubernetes import KubernetesCloud
from .port import Cloud

__all__ = ["CLOUDS", "Cloud", "cloud_of"]

_ALL: Final[tuple[Cloud, ...]] = (AwsCloud(), AzureCloud(), GoogleCloud(), KubernetesCloud())
CLOUDS: Final[Mapping[str, Cloud]] = {cloud.provider: cloud for cloud in _ALL}


def cloud_of(account: Mapping[str, Any]) -> Cloud:
    """Return the cloud that an account is in."""
    return CLOUDS[account["provider"]]
