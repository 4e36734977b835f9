"""Every error of its own that the webhook function can answer."""

from __future__ import annotations

from shared.http.errors import AppError


class SecretNotAccepted(AppError):
    """422 `secret_not_accepted`: for this provider the secret is made here and put in there."""

    code, status, title = "secret_not_accepted", 422, "This provider takes the secret that is made here"


class SecretRequired(AppError):
    """422 `secret_required`: only the provider can make the secret; send it."""

    code, status, title = "secret_required", 422, "This provider makes the secret itself"


class SecretMalformed(AppError):
    """422 `secret_malformed`: not a secret of the form that the provider's scheme asks for."""

    code, status, title = "secret_malformed", 422, "The secret is not of this provider's form"


class RotationUnderWay(AppError):
    """409 `rotation_under_way`: the secret before this one still works; wait for its end, end it, or rotate without grace."""

    code, status, title = "rotation_under_way", 409, "The last rotation's grace is not over"


class DeliveryInProgress(AppError):
    """409 `delivery_in_progress`: the delivery is still being worked on."""

    code, status, title = "delivery_in_progress", 409, "The delivery is still being worked on"


class BodyPurged(AppError):
    """409 `body_purged`: the delivery's body is no longer kept, so it cannot be worked on again."""

    code, status, title = "body_purged", 409, "The delivery's body is no longer kept"


class ChannelLimitReached(AppError):
    """409 `channel_limit_reached`: an organisation has as many notification channels as it may."""

    code, status, title = "channel_limit_reached", 409, "There are as many notification channels as there may be"


class MailNotSetUp(AppError):
    """409 `mail_not_set_up`: the operator of this installation has no e-mail server set up."""

    code, status, title = "mail_not_set_up", 409, "E-mail is not set up in this installation"


class TargetNotOfKind(AppError):
    """422 `target_not_of_kind`: `email` has recipients, every other kind has a URL."""

    code, status, title = "target_not_of_kind", 422, "This kind of channel has another form of address"


class ChannelSignsNothing(AppError):
    """409 `channel_signs_nothing`: only channels of the kind `webhook` have a secret."""

    code, status, title = "channel_signs_nothing", 409, "Channels of this kind have no secret"


class ChannelDisabled(AppError):
    """409 `channel_disabled`: enable the channel first."""

    code, status, title = "channel_disabled", 409, "The channel is disabled"
