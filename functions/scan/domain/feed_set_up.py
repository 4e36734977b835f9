"""What a customer sets up so that changes in a Google Cloud account start scans: texts to paste, made from the feed's row. Pure.

Every value in them was held to a pattern when it was given; none can end a quoted word.
Source: `gcloud` reference (`asset feeds create`, `pubsub subscriptions create`);
https://cloud.google.com/pubsub/docs/authenticate-push-subscriptions; ADR-0043.
"""

from __future__ import annotations

import json
from typing import Final

from .trust import SetUp

TOPIC: Final = "driftwise-assets"
_CONTENTS: Final = ("resource", "iam-policy")
_TYPES: Final = r".*\.googleapis\.com/.*"  # not `k8s.io/…`: pods come and go all day
_FLAGS: Final = {"projects": "project", "folders": "folder", "organizations": "organization"}


def feed_set_up(parent: str, push_account: str, endpoint: str) -> SetUp:
    """Return the texts for a feed.

    Args:
        parent: `projects/ID`, `folders/NUMBER` or `organizations/NUMBER`.
        push_account: whose tokens pushes come with; topic and subscription are made in its project.
        endpoint: where pushes go, which is their tokens' audience, too.
    """
    return SetUp(_commands(parent, push_account, endpoint), _terraform(parent, push_account, endpoint))


def project_of(push_account: str) -> str:
    """Return the project of a service account."""
    place = push_account.partition("@")[2].removesuffix(".iam.gserviceaccount.com")
    name, _, domain = place.partition(".")
    return f"{domain}:{name}" if domain else name


def _commands(parent: str, push_account: str, endpoint: str) -> str:
    project, account = project_of(push_account), push_account.partition("@")[0]
    kind, _, name = parent.partition("/")
    lines = (
        f"gcloud services enable --project={project} cloudasset.googleapis.com pubsub.googleapis.com",
        f"number=$(gcloud projects describe {project} --format='value(projectNumber)')",
        f"gcloud iam service-accounts create {account} --project={project} --display-name='DriftWise asset feed'",
        "# Pub/Sub may make tokens of this account; it has no other right anywhere:",
        f"gcloud iam service-accounts add-iam-policy-binding {push_account} --project={project} \\",
        '  --role=roles/iam.serviceAccountTokenCreator --member="serviceAccount:service-$number@gcp-sa-pubsub.iam.gserviceaccount.com"',
        f"gcloud pubsub topics create {TOPIC} --project={project}",
        f"gcloud beta services identity create --service=cloudasset.googleapis.com --project={project}",
        f"gcloud pubsub topics add-iam-policy-binding {TOPIC} --project={project} \\",
        '  --role=roles/pubsub.publisher --member="serviceAccount:service-$number@gcp-sa-cloudasset.iam.gserviceaccount.com"',
        f"gcloud pubsub subscriptions create {TOPIC} --project={project} --topic={TOPIC} \\",
        f"  --push-endpoint={endpoint} --push-auth-token-audience={endpoint} \\",
        f"  --push-auth-service-account={push_account} \\",
        "  --ack-deadline=60 --message-retention-duration=1d --expiration-period=never --min-retry-delay=10s --max-retry-delay=600s",
        *(
            f"gcloud asset feeds create driftwise-{content} --{_FLAGS[kind]}={name} --billing-project={project} "
            f"--content-type={content} --asset-types='{_TYPES}' --pubsub-topic=projects/{project}/topics/{TOPIC}"
            for content in _CONTENTS
        ),
    )
    return "".join(f"{line}\n" for line in lines)


def _terraform(parent: str, push_account: str, endpoint: str) -> str:
    lines = (
        f"  # in the module of {project_of(push_account)}, whose `project_id` it is:",
        f"  asset_feed_account_id = {json.dumps(push_account.partition('@')[0])}",
        f"  asset_feeds           = {{ {json.dumps(parent)} = {json.dumps(endpoint)} }}",
    )
    return "".join(f"{line}\n" for line in lines)
