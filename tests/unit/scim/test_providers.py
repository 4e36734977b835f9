"""Okta and Entra ID as they really speak: each recorded sequence, from its first request to its last."""

from __future__ import annotations

import json

import pytest

from tests.support.scim_memory import MemoryScim
from tests.support.scim_sequences import FOLDER, replay, sequence_files


@pytest.mark.parametrize("path", sequence_files(), ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_what_a_provider_sends_comes_to_what_it_means(path):
    replay(path, MemoryScim().call)


@pytest.mark.parametrize("path", sequence_files(), ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_every_sequence_names_the_vendors_page(path):
    assert all(source.startswith("https://") for source in json.loads(path.read_text("utf-8"))["source"])


def test_both_providers_are_there():
    assert {path.parent.name for path in sequence_files()} == {"entra", "okta"}
    assert len(list(FOLDER.glob("*/*.json"))) >= 10
