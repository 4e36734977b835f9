"""Why each flag matters and what to do: one text per flag, which a rule may replace by a better one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from .rule import Flag

REASONS: Final[Mapping[Flag, str]] = {
    "resource-deletion": "What is deleted stops serving whoever uses it, inside and outside of this configuration.",
    "stateful-resource-destruction": "The data in it is gone with it, unless a backup outside of it exists.",
    "forced-replacement": "The running resource is destroyed and a new one made: ids, addresses and local data change, and users see a gap.",
    "protection-disabled": "The safety net that stops or undoes a mistake is taken away; the next mistake is final.",
    "public-ingress": "Anybody on the internet can connect; scanners find an open port within minutes.",
    "public-access": "What was private can be reached or read by anybody.",
    "iam-wildcard": "Far more is allowed than any one task needs; whoever gets hold of it holds everything it allows.",
    "iam-privilege-escalation": "With these rights one can give oneself further ones, up to administrator.",
    "cross-account-trust": "Somebody outside of this account can act in it.",
    "encryption-disabled": "Data can be read where it rests or on its way, or under a key that you do not control.",
    "key-destruction": "Everything encrypted under the key becomes unreadable for good.",
    "dns-change": "Clients are sent elsewhere, and caches keep the old answer for its whole lifetime.",
    "certificate-change": "Clients refuse connections while no valid certificate is in place.",
    "network-reachability": "Traffic that flows today may not flow afterwards.",
    "capacity-reduction": "Less capacity or redundancy is left to carry load and failures.",
    "audit-disabled": "What happens afterwards leaves no trace; detection and proof are lost.",
    "mass-change": "A change this large is hardly ever meant as a whole and cannot be reviewed line by line.",
    "unknown-value": "The value is decided only during the apply, so nothing can be said about what it opens or closes.",
    "drift-reverted": "Somebody changed this by hand, perhaps to fix something; the apply undoes it.",
    "uncovered-type": "No rule looks into resources of this type: silence about them means nothing.",
    "access-removed": "People and programs that work today are locked out, and the plan does not even name them.",
    "delivery-chain-change": "When it breaks, nothing can be planned or applied any more; who controls it controls everything that is applied.",
    "custom-rule": "A rule of your organisation forbids it or asks for a second look.",
}  # fmt: skip
REMEDIES: Final[Mapping[Flag, str]] = {
    "resource-deletion": "Check that nothing uses it any more; use a `moved` or `removed` block when it should live on.",
    "stateful-resource-destruction": "Take and test a backup first, or keep it with `prevent_destroy` or a `removed` block.",
    "forced-replacement": "Look at the attributes that force it; change them in place elsewhere, or set `create_before_destroy`.",
    "protection-disabled": "Leave it on. If it has to go for one deletion, do that in a change of its own.",
    "public-ingress": "Name the networks that need it; put a load balancer, VPN or bastion in front.",
    "public-access": "Keep it private and grant named principals or networks.",
    "iam-wildcard": "List the actions and resources that are needed.",
    "iam-privilege-escalation": "Separate the rights, or limit them to named roles and resources with a permission boundary.",
    "cross-account-trust": "Check who owns the other side; add conditions (external id, organisation, exact subject).",
    "encryption-disabled": "Keep encryption on, with your own key where there was one.",
    "key-destruction": "Disable the key first and wait; delete it when nothing has asked for it for weeks.",
    "dns-change": "Lower the TTL beforehand, check the new target, and change the record when traffic is low.",
    "certificate-change": "Issue and attach the new certificate before the old one goes (`create_before_destroy`).",
    "network-reachability": "Check what routes through it; add the new way before the old one is removed.",
    "capacity-reduction": "Compare with the load of the last weeks and with what one failure takes away.",
    "audit-disabled": "Keep the log; if it moves, have the new one running first.",
    "mass-change": "Split it, and check whether keys of `count` or `for_each` changed (`moved` blocks avoid the rest).",
    "unknown-value": "Apply what it depends on first and plan again, or look at the expression by hand.",
    "drift-reverted": "Ask who changed it and why; take the change into the configuration if it is to stay.",
    "uncovered-type": "Read these changes yourself.",
    "access-removed": "List who has it now and name them too, or grant with a resource that only adds (`_iam_member`).",
    "delivery-chain-change": "Change it in a configuration of its own, with a copy of the state at hand, and watch the next plan.",
    "custom-rule": "Ask whoever keeps the rule, or change what it is about.",
}  # fmt: skip
