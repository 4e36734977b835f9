"""Analyses as they are stored, built by hand; and what a test calls hostile."""

from __future__ import annotations

from typing import Any

HOSTILE = (
    "@everyone", "#1", "GH-12", "!7", "~label", "$3", "%2", "user/repo#5", "deadbeef01cafe", "1234567", ":tada:", "a|b", "a\\|b", "`tick", "``", "```\n# out", "\\`x",
    "<img src=x onerror=alert(1)>", "</code></details><h1>x", "<!-- -->", "<b>", "&#64;everyone", "[click](https://evil.example)", "![p](https://evil.example/p.png)",
    "https://evil.example/x", "www.evil.example", "mail@evil.example", "mailto:mail@evil.example", "xmpp:a@b.example", "ftp://evil.example", "<https://evil.example>", "[x]: https://evil.example",
    "[^1]", "*bold*", "__bold__", "~~gone~~", "# heading", "> quote", "- item", "1. item", "---", "===", "| a | b |\n|---|---|", "$`x`$", "$$x$$",
    "line\nbreak\r\nbreak", "tab\there", "\x1b[31mred", "\x00", "\u202eabc", "\u2066abc", "\u200b", "\ufeff", "\u2028", "\ud800", "::set-output name=x::y", "##vso[task.setvariable variable=x]y",
    "]]>", "<![CDATA[x", "&amp;", "'\"", "${jndi:x}", "{{ secrets.X }}", "${{ github.token }}",
)  # fmt: skip


def finding(**members: Any) -> dict[str, Any]:
    """Build a finding."""
    base: dict[str, Any] = {
        "id": "aws-ingress:0123456789ab",
        "rule": "aws-ingress",
        "flag": "public-ingress",
        "severity": "high",
        "address": 'module.web["a"].aws_security_group.main',
        "type": "aws_security_group",
        "title": "A port is opened to public networks",
        "reason": "Anybody on the internet can connect.",
        "remedy": "Name the networks that need it; use a `moved` block.",
        "note": "Opened: tcp 22.",
        "references": ["CWE-284", "CKV_AWS_24", "https://example.org/ports"],
        "evidence": [{"path": "ingress[0].cidr_blocks", "before": ["10.0.0.0/8"], "after": ["0.0.0.0/0"]}],
        "override": None,
    }
    return {**base, **members}


def accepted(**members: Any) -> dict[str, Any]:
    """Build a finding that the organisation's policy accepts."""
    override = {"rule": "lab", "severity_before": "critical", "reason": "the lab is meant to be open"}
    return finding(id="aws-ingress:accepted", severity="none", address="aws_x.lab", override=override, **members)


def analysis(*findings: dict[str, Any], **members: Any) -> dict[str, Any]:
    """Build an answer with its row's members beside it."""
    base: dict[str, Any] = {
        "id": "0198b2a4-0000-7000-8000-000000000001",
        "created_at": "2026-11-25T10:11:12.345678+01:00",
        "fail_on": "high",
        "risk_level": findings[0]["severity"] if findings else "none",
        "summary": "1 to change; 1 high finding.",
        "counts": {"update": 1},
        "changes": [],
        "changes_total": 0,
        "findings": list(findings),
        "findings_total": len(findings),
        "plan_noise": {"changes_only_noise": 0, "differences": [], "differences_total": 0},
        "drift": [],
        "uncovered": {},
        "checks": [],
        "notes": [],
        "ci": {
            "repo_owner": "shop", "repo_name": "infra", "repo_url": "https://github.com/shop/infra", "pr_number": 12, "branch": "open-port",
            "commit_sha": "0123456789abcdef0123456789abcdef01234567", "actor": "ada",
        },
        "terraform_version": "1.9.8",
        "format_version": "1.2",
    }  # fmt: skip
    return {**base, **members}


def drift_link(**members: Any) -> dict[str, Any]:
    """Build what a plan would do to one open drift."""
    base: dict[str, Any] = {
        "drift_id": "d-1",
        "address": "aws_instance.bastion",
        "kind": "changed",
        "path": "instance_type",
        "severity": "medium",
        "effect": "reverted",
        "is_certain": True,
    }
    return {**base, **members}


def narrative(text: str, finding_id: str, author: str = "model", model: str = "acme large") -> dict[str, Any]:
    """Build what is told in words, all of it by one author."""
    piece = {"text": text, "author": author}
    return {
        "level": "high",
        "headline": "This plan's risk is high, with 1 finding.",
        "summary": [piece],
        "explanations": [{"finding": finding_id, "severity": "high", "address": "", "why": piece, "action": piece}],
        "not_judged": [],
        "reverted": [],
        "source": "template" if author == "template" else "own",
        "model": "" if author == "template" else model,
        "note": "",
        "dropped": 0,
    }


def full(text: str) -> dict[str, Any]:
    """Build an answer with a text in every place that somebody else fills."""
    told = finding(
        id=text or "x", rule=text or "x", address=text, title=text, reason=text, remedy=text, note=text, type=text, flag=text,
        references=[text], evidence=[{"path": text or "x", "before": text, "after": [text, {text: text}]}],
        override={"rule": text, "severity_before": "low", "reason": text},
    )  # fmt: skip
    return analysis(
        told,
        {**told, "id": f"{text}2", "severity": "low"},
        accepted(title=text),
        summary=f"{text} to add.",
        narrative=narrative(text, text or "x", model=text),
        drift=[drift_link(address=text, path=text)],
        uncovered={text: 2},
        checks=[[text, text]],
        notes=[text],
        plan_noise={
            "changes_only_noise": 1,
            "differences": [{"address": text, "attribute": text, "why": text, "is_whole_change": True}],
            "differences_total": 1,
        },
        terraform_version=text,
        ci={"repo_url": text, "branch": text, "commit_sha": text},
    )
