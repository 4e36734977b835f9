"""The one place that builds this function's clients."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from typing import TYPE_CHECKING, Any
from uuid import UUID

from shared.data.resealing import Resealer
from shared.data.sealed_columns import SealedColumn
from shared.http.deps import Deps, build_deps
from shared.ports.identity_tokens import GoogleIdentityTokens, IdentityTokens
from shared.ports.key_manager import GoogleKeyManager
from shared.ports.secret_store import Secret
from shared.security.content_keys import ContentKey
from shared.security.egress import EgressGuard, SystemResolver, for_process
from shared.security.envelope import Envelope, Place
from shared.security.secret_versions import SecretVersions
from shared.settings import Settings

from .cloud_access.calling import POLICY
from .cloud_access.opening import CloudOpener, Guards
from .cloud_access.tokens import Tokens
from .domain.report_sealing import ObjectSealer
from .domain.sealing import Sealer
from .domain.shards import is_resolved
from .errors import CredentialsRefused
from .queries import accounts, reports, sources
from .readers import policies
from .readers.aws.session import AwsAccount, Login, SignIns, sign_in
from .readers.aws.trail import Pace
from .state_sources.opening import Opener
from .state_sources.port import StateSource
from .streams import Places

if TYPE_CHECKING:
    from .readers.azure.http import GuardedArm
    from .readers.gcp.http import GuardedGoogle

CREDENTIALS_KEY = "credentials"
CREDENTIALS_SEPARATOR = b"\n"
CREDENTIALS = SealedColumn("scan.cloud_accounts", "credentials_encrypted", accounts.SEALED_CREDENTIALS)
SOURCE_CREDENTIALS = SealedColumn("scan.state_sources", "credentials_encrypted", sources.SEALED_CREDENTIALS)
REPORT_KEY = SealedColumn("scan.cluster_reports", "objects_key_encrypted", reports.SEALED_KEYS)
SEALED_COLUMNS = (CREDENTIALS, SOURCE_CREDENTIALS, REPORT_KEY)


@dataclass(frozen=True, slots=True)
class ScanDeps(Deps):
    """Clients of the scan function.

    Attributes:
        envelope: seals and opens cloud credentials and the keys of reports.
        resealer: seals them anew when their key is rotated.
        digest_keys: the versions of the key of digests.
        sign_ins: accounts of AWS that this process is signed in to.
        clouds: opens accounts of the other clouds.
        pace: how fast it looks up who made a drift.
        identity_tokens: prove to customers' clouds who we are; None where this process has no identity of Google.
        egress: judges addresses of state sources, and calls them.
        opener: opens state sources.
        places: how many streams of events it holds open.
    """

    envelope: Envelope
    resealer: Resealer
    digest_keys: SecretVersions
    sign_ins: SignIns
    clouds: CloudOpener
    pace: Pace
    identity_tokens: IdentityTokens | None
    egress: EgressGuard
    opener: Opener
    places: Places

    def sign_in(self, org_id: UUID, account: Mapping[str, Any]) -> AwsAccount:
        """Sign in to a connected account of AWS.

        Args:
            org_id: whose it is.
            account: its row.

        Raises:
            CredentialsRefused: (422 `credentials_refused`).
            CiphertextRefused: (500 `ciphertext_refused`).
            ServiceAway: (503 `service_away`) KMS did not answer.
        """
        sealed = bytes(account["credentials_encrypted"] or b"")
        key = (org_id, account["id"], account["role_arn"], account["external_id"], account["through"], sealed)
        return self.sign_ins.get(key, lambda: sign_in(self._login(org_id, account)))

    def google(self, org_id: UUID, account: Mapping[str, Any]) -> GuardedGoogle:
        """Sign in to a connected project, folder or organisation of Google Cloud.

        Args:
            org_id: whose it is.
            account: its row; `external_account` is the parent to list.

        Raises:
            CredentialsRefused: (422 `credentials_refused`); the port raises it too, when a token is over and there is no other.
            CiphertextRefused: (500 `ciphertext_refused`).
            ServiceAway: (503 `service_away`) KMS or the platform did not answer.
        """
        return self.clouds.google(org_id, account, lambda: self._credentials(org_id, account))

    def azure(self, org_id: UUID, account: Mapping[str, Any]) -> GuardedArm:
        """Sign in to a connected subscription of Azure; `external_account` is its id. Raises as above."""
        return self.clouds.azure(org_id, account, lambda: self._credentials(org_id, account))

    def _credentials(self, org_id: UUID, account: Mapping[str, Any]) -> Secret:
        return self.envelope.open(bytes(account["credentials_encrypted"]), credentials_place(org_id, account["id"]))

    def _login(self, org_id: UUID, account: Mapping[str, Any]) -> Login:
        regions = account["regions"]
        common = Login(
            account["external_account"],
            region=regions[0] if is_resolved(regions) else "",
            endpoint=self.settings.aws_endpoint,
            attempts=self.settings.aws_attempts,
        )
        if account["auth_kind"] == "role":
            role = {"role_arn": account["role_arn"], "external_id": account["external_id"]}
            if account["through"] is not None:
                return replace(common, **role, through=self._hub(org_id, account, common))
            return replace(common, **role, identity_tokens=self.identity_tokens)
        access_key_id, _, secret = self._credentials(org_id, account).reveal().partition(CREDENTIALS_SEPARATOR)
        return replace(common, access_key_id=access_key_id.decode(), secret_access_key=Secret(secret))

    def _hub(self, org_id: UUID, account: Mapping[str, Any], common: Login) -> AwsAccount:
        """Sign in to the role that takes on the account's; once for all accounts behind it, which share an external id."""
        hub, external_id = account["through"], account["external_id"]
        login = replace(
            common,
            account=hub.split(":")[4],
            role_arn=hub,
            external_id=external_id,
            identity_tokens=self.identity_tokens,
        )
        try:
            return self.sign_ins.get((org_id, hub, external_id), lambda: sign_in(login))
        except CredentialsRefused as error:
            told = {name: error.facts.get(name) for name in ("permission", "reason")}
            raise CredentialsRefused(
                f"the role of the hub account: {error}", retry_after_seconds=None, **told
            ) from error

    def open_source(self, org_id: UUID, source: Mapping[str, Any], account: Mapping[str, Any]) -> StateSource:
        """Open a state source; it signs in with the first call.

        Args:
            org_id: whose it is.
            source: its row; of a state found under a prefix, the row of the source that was listed.
            account: the row of the account that is scanned.

        Raises:
            SourceNotFetchable: (409 `source_not_fetchable`) it is an upload.
        """

        def secrets() -> Secret:
            return self.envelope.open(bytes(source["credentials_encrypted"]), source_place(org_id, source["id"]))

        return self.opener.open(source, secrets, lambda: self.sign_in(org_id, account))

    def new_report_key(self, org_id: UUID) -> tuple[ContentKey, dict[str, Any]]:
        """Make the key of a new report; returns it, and the columns that hold it sealed.

        Raises:
            ServiceAway: (503 `service_away`) KMS did not answer.
        """
        key, sealing_id = ContentKey.make(self.entropy), self.entropy.uuid()
        sealed = self.envelope.seal(key.secret, REPORT_KEY.place(org_id, sealing_id))
        return key, {"sealing_id": sealing_id, "objects_key_encrypted": sealed}

    def report_key(self, org_id: UUID, report: Mapping[str, Any]) -> ContentKey:
        """Open the key of a report; KMS is asked once, however many objects the report has.

        Args:
            org_id: whose it is.
            report: its row.

        Raises:
            CiphertextRefused: (500 `ciphertext_refused`).
            ServiceAway: (503 `service_away`) KMS did not answer.
        """
        place = REPORT_KEY.place(org_id, report["sealing_id"])
        return ContentKey(self.envelope.open(bytes(report["objects_key_encrypted"]), place))

    def object_sealer(self, org_id: UUID, account_id: UUID, report: Mapping[str, Any]) -> ObjectSealer:
        """Return what opens the objects of a report. Raises as `report_key`."""
        return ObjectSealer(self.report_key(org_id, report), org_id, account_id, report["id"], report["sealing_id"])

    def sealer(self, org_id: UUID) -> Sealer:
        """Return what turns sensitive values of an organisation into keyed digests.

        Raises:
            ServiceAway: (503 `service_away`) the keys cannot be had.
        """
        return Sealer(self.digest_keys.usable(), org_id)


def credentials_place(org_id: UUID, account_id: UUID) -> Place:
    """Say where an account's credentials stand."""
    return CREDENTIALS.place(org_id, account_id)


def source_place(org_id: UUID, source_id: UUID) -> Place:
    """Say where a state source's credentials stand."""
    return SOURCE_CREDENTIALS.place(org_id, source_id)


def load_deps(settings: Settings) -> ScanDeps:
    """Build the clients of one process."""
    common = build_deps(settings)
    envelope = Envelope(GoogleKeyManager(settings), CREDENTIALS_KEY, common.entropy)
    shared = {field.name: getattr(common, field.name) for field in fields(common)}
    resealer = Resealer(common.db, envelope, SEALED_COLUMNS, common.clock)
    identity_tokens = GoogleIdentityTokens() if settings.is_production else None
    egress = EgressGuard(for_process(POLICY, settings), SystemResolver(), common.clock)
    guards = Guards(
        egress,
        EgressGuard(for_process(policies.GOOGLE, settings), SystemResolver(), common.clock),
        EgressGuard(for_process(policies.AZURE, settings), SystemResolver(), common.clock),
    )
    tokens, google, azure = Tokens(common.clock), settings.google_endpoint, settings.azure_endpoint
    return ScanDeps(
        **shared,
        envelope=envelope,
        resealer=resealer,
        digest_keys=SecretVersions("value-digest-key", common.secrets, common.clock),
        sign_ins=SignIns(common.clock),
        clouds=CloudOpener(guards, common.clock, identity_tokens, tokens, google, azure),
        pace=Pace(common.clock),
        identity_tokens=identity_tokens,
        egress=egress,
        opener=Opener(egress, common.clock, identity_tokens, settings.aws_endpoint, settings.aws_attempts),
        places=Places(common.clock),
    )
