"""Which connection a pull request is commented on by, where an API is, and what may become part of a path."""

from __future__ import annotations

from typing import Any

import pytest

from functions.analyze.domain.code_hosts import api_of, choose, clean_url, host_of, place_of
from functions.analyze.domain.private_keys import check_private_key
from functions.analyze.errors import PrivateKeyUnusable

CI = {
    "repo_owner": "Shop",
    "repo_name": "Infra",
    "pr_number": 12,
    "repo_url": "https://GitHub.com/Shop/Infra",
    "commit_sha": "0123ABC",
}


def host(owner: str, kind: str = "github", url: str = "https://github.com") -> dict[str, Any]:
    return {"id": f"{url}/{owner}", "kind": kind, "url": url, "owner": owner}


def test_a_place_is_read_from_what_ci_tells() -> None:
    found = place_of(CI)
    assert found is not None
    assert (found.repository, found.number, found.host, found.commit) == ("shop/infra", 12, "github.com", "0123abc")


@pytest.mark.parametrize(
    "change",
    [
        {"repo_owner": None}, {"repo_name": None}, {"pr_number": None}, {"repo_owner": ""}, {"repo_name": ".."}, {"repo_owner": ".."},
        {"repo_name": "a/b"}, {"repo_name": "a?b"}, {"repo_name": "a#b"}, {"repo_name": "a b"}, {"repo_owner": "a//b"},
        {"repo_owner": "/a"}, {"repo_owner": "a/../../app"}, {"repo_name": "a%2fb"}, {"repo_name": "a\n"}, {"repo_owner": "é"},
        {"repo_owner": "/".join("a" * 22)}, {"repo_name": "-x"}, {"repo_name": "."}, {"repo_owner": "a/."},
    ],
)  # fmt: skip
def test_what_cannot_be_a_repository_is_none(change: dict[str, Any]) -> None:
    assert place_of({**CI, **change}) is None


def test_a_name_may_begin_with_a_dot() -> None:
    found = place_of({**CI, "repo_name": ".github"})
    assert found is not None
    assert found.repository == "shop/.github"


def test_without_facts_there_is_no_place() -> None:
    assert place_of(None) is None
    assert place_of({}) is None


@pytest.mark.parametrize(
    ("address", "found"),
    [
        ("https://github.com/shop/infra.git", "github.com"), ("git@github.com:shop/infra.git", "github.com"),
        ("ssh://git@git.example:2222/shop/infra", "git.example"), ("https://ann:x@git.example/shop", "git.example"),
        ("github.com/shop/infra", "github.com"), ("shop/infra", ""), ("", ""), ("https://", ""), ("a b", ""),
        ("http://127.0.0.1:8080/x", "127.0.0.1"),
    ],
)  # fmt: skip
def test_a_host_is_read_from_every_form_of_address(address: str, found: str) -> None:
    assert host_of(address) == found


def test_the_narrowest_owner_is_chosen() -> None:
    place = place_of(CI)
    assert place is not None
    group, one, other = host("shop"), host("shop/infra"), host("shopping")
    assert choose([group, one, other], place) == one
    assert choose([group, other], place) == group
    assert choose([other], place) is None
    assert choose([host("shop/inf")], place) is None
    assert choose([], place) is None


def test_another_host_is_not_chosen_and_a_doubt_chooses_none() -> None:
    place = place_of(CI)
    unsaid = place_of({**CI, "repo_url": None})
    assert place is not None
    assert unsaid is not None
    here, there = host("shop"), host("shop", url="https://git.example")
    assert choose([there], place) is None
    assert choose([here, there], place) == here
    assert choose([here, there], unsaid) is None
    assert choose([there], unsaid) == there


def test_a_group_of_gitlab_is_no_account_of_github() -> None:
    place = place_of({**CI, "repo_owner": "shop/team", "repo_url": None})
    assert place is not None
    assert choose([host("shop")], place) is None
    assert choose([host("shop", "gitlab", "https://gitlab.com")], place) is not None


@pytest.mark.parametrize(
    ("kind", "url", "api"),
    [
        ("github", "https://github.com", "https://api.github.com"),
        ("github", "https://git.example", "https://git.example/api/v3"),
        ("github", "https://octo.ghe.com", "https://api.octo.ghe.com"),
        ("github", "https://a.octo.ghe.com", "https://a.octo.ghe.com/api/v3"),
        ("gitlab", "https://gitlab.com", "https://gitlab.com/api/v4"),
        ("gitlab", "https://git.example/gitlab", "https://git.example/gitlab/api/v4"),
    ],
)
def test_an_api_is_where_the_vendor_says(kind: str, url: str, api: str) -> None:
    assert api_of(kind, url) == api


def test_one_host_has_one_address() -> None:
    assert clean_url("HTTPS://GitHub.COM/") == "https://github.com"
    assert clean_url("https://Git.example/GitLab/") == "https://git.example/GitLab"


@pytest.mark.parametrize(
    "text", [b"", b"x" * 200, b"-----BEGIN RSA PRIVATE KEY-----\nAAAA\n-----END RSA PRIVATE KEY-----\n"]
)
def test_what_is_no_private_key_is_refused(text: bytes) -> None:
    with pytest.raises(PrivateKeyUnusable):
        check_private_key(text)
