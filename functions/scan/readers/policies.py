"""What calls to the clouds that are asked over HTTP may do. Loads no cloud: every process has these guards, few of them use all."""

from __future__ import annotations

from typing import Final

from shared.security.egress import EgressPolicy

# A page of a thousand assets has a few megabytes; one that has more than this is not read in pieces, but said to be unreadable.
GOOGLE: Final = EgressPolicy(
    methods=frozenset({"GET", "POST"}),
    redirects=0,
    deadline_seconds=60.0,
    most_url_characters=32768,
    most_request_bytes=64 * 1024,
    most_response_bytes=64 * 1024 * 1024,
)
AZURE: Final = EgressPolicy(
    methods=frozenset({"GET", "POST"}),
    redirects=0,
    deadline_seconds=60.0,
    most_url_characters=8192,
    most_request_bytes=64 * 1024,
    most_response_bytes=32 * 1024 * 1024,
)
