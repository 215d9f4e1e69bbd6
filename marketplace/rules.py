"""What Dify's daemon and its marketplace require of a package, as far as a file can show it.

Sources: the daemon's manifest validators, the marketplace toolkit's validators and submission requirements.
"""

from __future__ import annotations

import re
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import yaml
from packaging.requirements import Requirement
from packaging.version import Version

MAX_PACKAGE_BYTES = 1_000_000
_VERSION = re.compile(r"\d{1,4}(\.\d{1,4}){2}")
_AUTHOR = re.compile(r"[a-z0-9_-]{1,64}")
_NAME = re.compile(r"[a-z0-9_-]{1,128}")
_LANGUAGES = ("en_US", "zh_Hans", "ja_JP", "pt_BR")
_SETTING_TYPES = ("secret-input", "text-input", "select", "boolean", "app-selector", "model-selector", "array[tools]")
_METHODS = ("HEAD", "GET", "POST", "PUT", "DELETE", "OPTIONS")
_TAGS = {
    *(
        "search",
        "image",
        "videos",
        "weather",
        "finance",
        "design",
        "travel",
        "social",
        "news",
        "medical",
        "productivity",
    ),
    *("education", "business", "entertainment", "utilities", "agent", "rag", "other", "trigger"),
}
_REPOSITORIES = ("github.com", "gitlab.com", "bitbucket.org", "gitee.com", "codeberg.org", "git.sr.ht")
_FORBIDDEN = re.compile(
    r"(^|/)(\.git|\.hg|\.svn|\.venv|venv|env|__pycache__|\.mypy_cache|\.ruff_cache|\.pytest_cache|\.idea|\.vscode|"
    r"node_modules|tests|build|dist)(/|$)|(^|/)(\.DS_Store|\.env)$|\.(key|pem|pyc|log|tmp|bak|so|exe|dll|zip|gz)$"
)
_SECRETS = re.compile(
    r"sk-[A-Za-z0-9_-]{20,}|ghp_[A-Za-z0-9]{20,}|xox[abpr]-|AKIA[0-9A-Z]{16}|"
    r"eyJ[A-Za-z0-9_-]{10,}\.eyJ|-----BEGIN [A-Z ]*PRIVATE KEY"
)
_CJK = re.compile(r"[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]")
_README_WORDS = ("install", "configur", "usage", "key", "connect")
_PRIVACY_WORDS = ("collect", "third part", "langfuse")
_SDK_FLOOR = Version("0.9.0")

type Kind = Literal["error", "warning", "to fill in"]


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that the marketplace would say."""

    kind: Kind
    text: str


def check(package: Path) -> list[Finding]:
    """Everything there is to say about a package."""
    with zipfile.ZipFile(package) as archive:
        files = {name: archive.read(name) for name in archive.namelist()}
    if package.stat().st_size > MAX_PACKAGE_BYTES:
        return [Finding("error", f"the package is over {MAX_PACKAGE_BYTES} bytes")]
    return [finding for rule in _RULES for finding in rule(files)]


def _contents(files: dict[str, bytes]) -> Iterator[Finding]:
    for name in ("manifest.yaml", "main.py", "requirements.txt", "README.md", "PRIVACY.md", "LICENSE"):
        if not files.get(name, b"").strip():
            yield Finding("error", f"{name} is missing or empty")
    for name, content in files.items():
        if _FORBIDDEN.search(name):
            yield Finding("error", f"{name} does not belong into a package")
        elif name.endswith((".py", ".md", ".yaml", ".txt", ".example")) and _SECRETS.search(content.decode()):
            yield Finding("error", f"{name} holds something that looks like a secret")


def _manifest(files: dict[str, bytes]) -> Iterator[Finding]:
    manifest = yaml.safe_load(files["manifest.yaml"])
    for name in ("version", "type", "author", "name", "label", "description", "icon", "created_at", "resource", "meta"):
        if name not in manifest:
            yield Finding("error", f"manifest.yaml: {name} is missing")
            return
    rules: dict[str, bool] = {
        "version must be three numbers": bool(_VERSION.fullmatch(str(manifest["version"]))),
        "author must be a-z, 0-9, _ and -": bool(_AUTHOR.fullmatch(manifest["author"])),
        "author must not contain langgenius or dify": not re.search("langgenius|dify", manifest["author"]),
        "name must be a-z, 0-9, _ and -": bool(_NAME.fullmatch(manifest["name"])),
        "type must be plugin": manifest["type"] == "plugin",
        "tags must be Dify's": set(manifest.get("tags", ())) <= _TAGS,
        "memory must be in bytes": manifest["resource"].get("memory", 0) >= 1 << 20,
        "runner must be python main": manifest["meta"]["runner"].get("entrypoint") == "main",
        "there must be exactly one group of endpoints": len(manifest["plugins"].get("endpoints", ())) == 1,
        "the endpoint permission must be asked for": manifest["resource"]["permission"]["endpoint"]["enabled"] is True,
        "storage must be at least 1024 bytes": manifest["resource"]["permission"]["storage"]["size"] >= 1 << 10,
    }
    yield from (Finding("error", f"manifest.yaml: {text}") for text, holds in rules.items() if not holds)
    for name in ("label", "description"):
        if not all(manifest[name].get(language) for language in _LANGUAGES):
            yield Finding("error", f"manifest.yaml: {name} must be in {', '.join(_LANGUAGES)}")
    for name in ("icon", "icon_dark"):
        icon = files.get(f"_assets/{manifest.get(name)}", b"")
        if b"<svg" not in icon or b"TEMPLATE_ICON" in icon:
            yield Finding("error", f"manifest.yaml: {name} must be a drawing of its own in _assets/")
    if manifest.get("privacy") not in files:
        yield Finding("error", "manifest.yaml: privacy must name a file of the package")
    if not manifest.get("meta", {}).get("minimum_dify_version"):
        yield Finding("warning", "manifest.yaml: minimum_dify_version is recommended")


def _publisher(files: dict[str, bytes]) -> Iterator[Finding]:
    """What only the publisher knows."""
    manifest = yaml.safe_load(files["manifest.yaml"])
    repo = str(manifest.get("repo", ""))
    if not any(f"https://{host}/" in repo for host in _REPOSITORIES):
        yield Finding("to fill in", "manifest.yaml: repo, the public repository (and its address in README.md)")
    elif repo not in files["README.md"].decode():
        yield Finding("error", "README.md must name the repository")
    if "@" not in str(manifest.get("contact", "")):
        yield Finding("to fill in", "manifest.yaml: contact, an e-mail address")


def _endpoints(files: dict[str, bytes]) -> Iterator[Finding]:
    manifest = yaml.safe_load(files["manifest.yaml"])
    for path in manifest["plugins"]["endpoints"]:
        group = yaml.safe_load(files[path])
        for setting in group["settings"]:
            yield from _setting(setting)
        for endpoint in group["endpoints"]:
            if endpoint not in files:
                yield Finding("error", f"{path}: {endpoint} is missing")
                continue
            declared = yaml.safe_load(files[endpoint])
            if declared["method"] not in _METHODS or declared["extra"]["python"]["source"] not in files:
                yield Finding("error", f"{endpoint}: needs one method and an existing source")


def _setting(setting: dict[str, Any]) -> Iterator[Finding]:
    name = setting.get("name")
    if setting.get("type") not in _SETTING_TYPES:
        yield Finding("error", f"setting {name}: type {setting.get('type')} is not one of Dify's")
    for text in ("label", "help"):
        if not all(setting.get(text, {}).get(language) for language in _LANGUAGES):
            yield Finding("error", f"setting {name}: {text} must be in {', '.join(_LANGUAGES)}")
    if setting.get("type") == "select" and setting.get("default") not in [o["value"] for o in setting["options"]]:
        yield Finding("error", f"setting {name}: the default must be an option")


def _texts(files: dict[str, bytes]) -> Iterator[Finding]:
    readme, privacy = files["README.md"].decode(), files["PRIVACY.md"].decode().lower()
    if _CJK.search(re.sub(r"```.*?```", "", readme, flags=re.DOTALL)):
        yield Finding("error", "README.md must be in English; other languages go into readme/")
    for word in _README_WORDS:
        if word not in readme.lower():
            yield Finding("warning", f"README.md says nothing of '{word}'")
    for word in _PRIVACY_WORDS:
        if word not in privacy:
            yield Finding("warning", f"PRIVACY.md says nothing of '{word}'")
    if "please fill in" in privacy:
        yield Finding("error", "PRIVACY.md is the template")


def _dependencies(files: dict[str, bytes]) -> Iterator[Finding]:
    for line in files["requirements.txt"].decode().splitlines():
        text = line.partition("#")[0].strip()
        if not text:
            continue
        if text.startswith("-") or "://" in text:
            yield Finding("error", f"requirements.txt: {text}: only names and versions")
            continue
        requirement = Requirement(text)
        operators = {bound.operator for bound in requirement.specifier}
        if not operators & {">=", "==", "~="}:
            yield Finding("error", f"requirements.txt: {requirement.name} has no lower bound")
        elif not operators & {"<", "<=", "==", "~="}:
            yield Finding("warning", f"requirements.txt: {requirement.name} has no upper bound")
        floor = min((Version(bound.version) for bound in requirement.specifier), default=Version("0"))
        if requirement.name.replace("-", "_") == "dify_plugin" and floor < _SDK_FLOOR:
            yield Finding("error", f"requirements.txt: dify_plugin must be {_SDK_FLOOR} or newer")


_RULES: tuple[Callable[[dict[str, bytes]], Iterator[Finding]], ...] = (
    _contents,
    _manifest,
    _publisher,
    _endpoints,
    _texts,
    _dependencies,
)
