"""What Okta and Entra ID send, request by request, over the whole function and a real Postgres."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from tests.support.scim_function import ScimOrg
from tests.support.scim_sequences import Answer, replay, sequence_files


@pytest.mark.parametrize("path", sequence_files(), ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_what_a_provider_sends_comes_to_what_it_means(org: ScimOrg, path: Path) -> None:
    def call(method: str, place: str, body: Any) -> Answer:
        where, mark, query = place.partition("?")
        response = org.send(method, where + mark + quote(query, safe="=&%+"), body)
        content = response.get_data()
        found = json.loads(content) if content else None
        return Answer(response.status_code, found, response.headers.get("ETag"))

    replay(path, call)
