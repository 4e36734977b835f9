"""Why a response was refused: for the audit log, never for the person who signs in."""

from __future__ import annotations

from enum import StrEnum


class Refusal(StrEnum):
    """One reason each; a reason names the first rule that was broken, in the order in which they are checked."""

    # the message
    UNSOLICITED = "unsolicited"
    TOO_LARGE = "too_large"
    NOT_BASE64 = "not_base64"
    NOT_UTF8 = "not_utf8"
    MARKUP_FORBIDDEN = "markup_forbidden"  # DTD, entity, comment, processing instruction, CDATA
    NOT_WELL_FORMED = "not_well_formed"
    TOO_DEEP = "too_deep"
    TOO_MANY_PARTS = "too_many_parts"
    NAMESPACE_FORBIDDEN = "namespace_forbidden"
    ID_FORBIDDEN = "id_forbidden"
    ID_REPEATED = "id_repeated"
    NOT_A_RESPONSE = "not_a_response"
    SHAPE = "shape"
    STATUS = "status"
    ASSERTION_COUNT = "assertion_count"
    # the signature
    SIGNATURE_MISSING = "signature_missing"
    SIGNATURE_PLACE = "signature_place"
    SIGNATURE_SHAPE = "signature_shape"
    SIGNATURE_REFERENCE = "signature_reference"
    ALGORITHM_FORBIDDEN = "algorithm_forbidden"
    SIGNATURE_INVALID = "signature_invalid"
    CERTIFICATE_EXPIRED = "certificate_expired"
    # the encryption
    ENCRYPTION_SHAPE = "encryption_shape"
    ENCRYPTION_ALGORITHM = "encryption_algorithm"
    DECRYPTION_UNAVAILABLE = "decryption_unavailable"
    DECRYPTION_FAILED = "decryption_failed"
    # what was said
    VERSION = "version"
    TIME_FORM = "time_form"
    DESTINATION = "destination"
    RESPONSE_ISSUER = "response_issuer"
    ASSERTION_ISSUER = "assertion_issuer"
    ISSUED_IN_FUTURE = "issued_in_future"
    IN_RESPONSE_TO = "in_response_to"
    SUBJECT = "subject"
    CONFIRMATION_METHOD = "confirmation_method"
    CONFIRMATION_RECIPIENT = "confirmation_recipient"
    CONFIRMATION_NOT_BEFORE = "confirmation_not_before"
    CONFIRMATION_EXPIRED = "confirmation_expired"
    CONFIRMATION_TOO_LONG = "confirmation_too_long"
    CONDITIONS = "conditions"
    NOT_YET_VALID = "not_yet_valid"
    EXPIRED = "expired"
    AUDIENCE = "audience"
    AUTHN_STATEMENT = "authn_statement"
    SESSION_EXPIRED = "session_expired"
    # what the caller finds
    REPLAYED = "replayed"
