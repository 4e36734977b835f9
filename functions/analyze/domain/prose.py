"""What plain English prose is, and what prose about a finding has no business saying.

Nets, each cheap and each with false alarms on the safe side: a sentence that is dropped is replaced by the template's.
"""

from __future__ import annotations

import re
from typing import Final

# English words that carry grammar rather than meaning. Other languages share hardly any of them.
_GRAMMAR = frozenset({
    "the", "a", "an", "of", "to", "and", "in", "is", "are", "be", "been", "was", "were", "will", "would", "can", "could",
    "should", "may", "might", "must", "this", "that", "these", "those", "it", "its", "they", "their", "them", "there",
    "which", "who", "whose", "what", "when", "while", "where", "with", "without", "within", "by", "for", "from", "on",
    "at", "as", "or", "if", "than", "then", "so", "because", "after", "before", "until", "into", "onto", "over", "under",
    "between", "through", "any", "anybody", "anyone", "every", "each", "all", "some", "no", "not", "only", "also", "has",
    "have", "had", "do", "does", "did", "being", "both", "but",
})  # fmt: skip
_MOST_PLAIN = re.compile(r"[\x20-\x7e]*")
# Typographic marks, by what typewriters have for them.
PLAINER: Final = str.maketrans({
    "\u2018": "'", "\u2019": "'", "\u201c": '"', "\u201d": '"', "\u2013": "-", "\u2014": "-", "\u2011": "-", "\u2192": "to",
})  # fmt: skip
_WORDS = re.compile(r"[A-Za-z']+")
_LEAST_SHARE, _FEW_WORDS = 0.15, 6
_SPELLED = re.compile(r"(?:\b[A-Za-z]\b[^A-Za-z0-9]*){3,}")  # l i k e  t h i s

# Written with a digit or a sign, and no claim by themselves.
SPECIFIC_BUT_COMMON: Final = frozenset({
    "s3", "ec2", "ipv4", "ipv6", "k8s", "route53", "x.509", "sha256", "sha-256", "oauth2", "and/or", "read/write", "tcp/ip", "24/7",
    "e.g", "i.e",
})  # fmt: skip

# Words of Terraform's own language that advice is about.
OF_THE_LANGUAGE: Final = frozenset({
    "moved", "removed", "import", "lifecycle", "prevent_destroy", "create_before_destroy", "ignore_changes", "replace_triggered_by",
    "depends_on", "for_each", "count",
})  # fmt: skip

# Read on lower-case text without punctuation, words parted by one blank.
NOT_OURS_TO_SAY: Final = re.compile(
    r"\b(?:"
    # that it is harmless, or somebody said so
    r"safe\w*|harmless|benign|risk ?free|trivial\w*|negligible|insignificant|unimportant|inconsequential|acceptable|tolerable|innocuous"
    r"|routine|expected|intended|intentional\w*|on purpose|false (?:positive|alarm)s?|reassur\w*|confident\w*|trust (?:me|us|this)"
    r"|lgtm|ship it|go(?:od)? (?:ahead|to go)|looks? (?:good|fine|ok\w*|right)|(?:all|quite|perfectly|completely|totally|just) "
    r"(?:good|fine|clear|ok\w*)|is (?:fine|ok\w*)|well (?:tested|reviewed)|pre ?approved|approv\w*|authori[sz]ed by|signed off"
    r"|ignor\w*|skip\w*|dismiss\w*|disregard\w*|suppress\w*|overlook\w*|waiv\w*|proceed\w*|merge (?:it|this|the)|worr\w*|relax"
    r"|standard practice|best practice to (?:open|allow|disable|delete)|mitigated|already (?:reviewed|checked|accepted|handled|backed)"
    r"|(?:low|lower|lowest|minor|minimal|little|small|reduced|zero) (?:\w+ )?(?:risk|severity|impact|priority|concern|danger|effect)s?"
    r"|downgrad\w*|lower(?:ed|ing)? the|reclassif\w*|re ?rated?"
    # no harm, nothing to do
    r"|(?:(?:not|no|without|cannot|hardly|barely|unlikely|zero)(?: \w+){0,4}?|(?:never|nothing|none|neither|nor)(?: \w+){0,9}?) (?:risk\w*|dangerous|danger|"
    r"harm\w*|impact\w*|affect\w*|effect\w*|expos\w*|destroy\w*|delet\w*|los[est]\w*|public\w*|reach\w*|open\w*|leak\w*|disrupt\w*|"
    r"interrupt\w*|downtime|outage\w*|problem\w*|issue\w*|concern\w*|threat\w*|serious|severe|critical|important|needed?|required?|"
    r"necessary|matter\w*|action\w*|review\w*|change\w*|break\w*|damag\w*|malicious)"
    # about itself and its orders
    r"|prompts?|instructions?|instructed|system message|as an ai|language model|assistant|jailbreak\w*|developer mode|ignore previous"
    r"|pwned|hacked|injected"
    # what to do with other people's screens and secrets
    r"|click\w*|visit\w*|download\w*|paste\w*|browse|e ?mail\w*|phone|whatsapp|telegram|slack|discord|subscribe|hotline|helpdesk"
    r"|(?:send|give|tell|share|enter|type|provide|reveal|submit|post|forward|upload) (?:\w+ ){0,4}(?:password|credential|secret|token|key|code)s?"
    r"|(?:password|secret|token|api key|passphrase) is"
    # what to run
    r"|(?:terraform|tofu|terragrunt|pulumi|aws|gcloud|gsutil|az|kubectl|helm|git|docker|curl|wget|sudo|bash|sh|zsh|powershell|pwsh|python\d?|"
    r"node|npm|pip|ssh|scp|nc|chmod|chown|rm|dd|eval|exec|base64) (?:apply|destroy|import|state|taint|untaint|plan|init|delete|remove|"
    r"create|update|put|set|run|exec|install|push|pull|clone|reset|config|get|describe|rf|fsSL|c|x)"
    r"|aws \w+ (?:rm|rb|cp|sync|delete|put|create|attach|terminate|run)\w*"
    r"|auto approve|curl|wget|sudo|kubectl|gcloud|powershell"
    r")\b"
)


def is_english(text: str) -> bool:
    """Say whether a text is English prose, as far as its letters and its grammar words tell."""
    if _MOST_PLAIN.fullmatch(text) is None or _SPELLED.search(text):
        return False
    words = [word.lower() for word in _WORDS.findall(re.sub(r"`[^`]*`", " ", text))]
    known = sum(word in _GRAMMAR for word in words)
    return known >= 1 if 0 < len(words) < _FEW_WORDS else known >= _LEAST_SHARE * len(words) > 0
