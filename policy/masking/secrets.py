"""What is a secret wherever it stands: keys of a known shape, credentials in URLs and headers, passwords in words."""

from __future__ import annotations

import re

from policy.masking.pattern import Pattern

_QUERY_SECRETS = (
    "x-amz-signature|x-amz-credential|x-amz-security-token|x-goog-signature|x-goog-credential|signature|sign|sig|nonce|"
    "access_token|refresh_token|id_token|token|api[_-]?key|apikey|secret|client_secret|password|passwd|pwd|auth|key|code"
)
_WORDS = (
    r"pass(?:word|wd|phrase)?|pwd|secret|api[ _-]?key|access[ _-]?key|client[ _-]?secret|private[ _-]?key|"
    r"auth(?:orization)?[ _-]?token|access[ _-]?token|senha|contrase\u00f1a|mot de passe|passwort|kennwort"
)
_CJK_WORDS = (
    "\u5bc6\u7801|\u5bc6\u78bc|\u53e3\u4ee4|\u5bc6\u94a5|\u91d1\u9470|\u30d1\u30b9\u30ef\u30fc\u30c9|"
    "\u6697\u8a3c\u756a\u53f7|\ube44\ubc00\ubc88\ud638"
)

SECRETS: tuple[Pattern, ...] = (
    Pattern(
        "private_key",
        re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(?:-----END [A-Z ]*PRIVATE KEY-----|\Z)", re.DOTALL),
        words=("-----begin",),
    ),
    Pattern("url_credentials", re.compile(r"(?<=://)[^\s/?#@:\"'<>]*:[^\s/?#@\"'<>]+(?=@)"), words=("://",)),
    Pattern(
        "signed_url",
        re.compile(rf"(?<=[?&;])(?:{_QUERY_SECRETS})=(?P<value>[^\s&#;\"'<>\\]{{4,}})", re.IGNORECASE),
        words=("=",),
    ),
    Pattern(
        "bearer_token",
        re.compile(r"(?<![A-Za-z0-9_])(?:bearer|basic)\s+(?P<value>[A-Za-z0-9._~+/-]{12,}=*)", re.IGNORECASE),
        accept=lambda value: any(c.isdigit() for c in value) or not value.islower(),
        words=("bearer", "basic"),
    ),
    Pattern(
        "jwt", re.compile(r"(?<![A-Za-z0-9_])eyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]*"), words=("eyj",)
    ),
    Pattern(
        "api_key",
        re.compile(
            r"(?<![A-Za-z0-9_])(?:"
            r"sk-[A-Za-z0-9_-]{16,}|pk-lf-[A-Za-z0-9-]{16,}|(?:sk|rk|pk)_(?:live|test)_[A-Za-z0-9]{16,}|"
            r"gh[pousr]_[A-Za-z0-9]{20,}|github_pat_[A-Za-z0-9_]{20,}|glpat-[A-Za-z0-9_-]{16,}|"
            r"xox[abeprs]-[A-Za-z0-9-]{10,}|AKIA[0-9A-Z]{16}|ASIA[0-9A-Z]{16}|AIza[A-Za-z0-9_-]{30,}|"
            r"ya29\.[A-Za-z0-9_-]{20,}|hf_[A-Za-z0-9]{20,}|npm_[A-Za-z0-9]{30,}|SG\.[A-Za-z0-9_-]{16,}\.[A-Za-z0-9_-]{16,}|"
            r"(?:app|dataset)-[A-Za-z0-9]{24}|tvly-[A-Za-z0-9-]{20,}|gsk_[A-Za-z0-9]{20,}|r8_[A-Za-z0-9]{30,}"
            r")(?![A-Za-z0-9_])"
        ),
        words=(
            *("sk-", "pk-lf-", "_live_", "_test_", "ghp_", "gho_", "ghu_", "ghs_", "ghr_", "github_pat_", "glpat-"),
            *("xox", "akia", "asia", "aiza", "ya29.", "hf_", "npm_", "sg.", "app-", "dataset-", "tvly-", "gsk_", "r8_"),
        ),
    ),
    Pattern(
        "password",
        re.compile(
            rf"(?:(?<![A-Za-z0-9])(?:{_WORDS})(?:\s+(?:is|ist|est|es|\u00e9))?|(?:{_CJK_WORDS})(?:\u662f|\u4e3a|\u306f)?)"
            r"\s*[:=\uff1a\uff1d]\s*[\"'`\u300c]?(?P<value>[^\s\"'`,;\u3002\uff0c\u3001\u300d<>\[\]{}]{4,})",
            re.IGNORECASE,
        ),
        words=(
            *("pass", "pwd", "secret", "key", "token", "senha", "contrase", "kennwort"),
            *_CJK_WORDS.split("|"),
        ),
    ),
)
"""In the order in which they are looked for: the longest and most certain first."""
