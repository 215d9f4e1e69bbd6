"""Secrets, and where asked personal data, out of every text of a trace before it leaves.

Structure is kept; a masked value says what kind it was; each observation's metadata lists under `masked` where and
what, never the values. Works in nested JSON, in JSON inside strings, in keys, names, tags and error messages.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any

from mapper.observation import Observation, Trace
from policy.masking.pattern import MARK, Pattern, Text
from policy.masking.personal import PERSONAL
from policy.masking.secrets import SECRETS
from policy.options import Masking, PolicyOptions

PATTERNS: dict[Masking, tuple[Pattern, ...]] = {"off": (), "secrets": SECRETS, "personal": (*SECRETS, *PERSONAL)}

_SECRET_KEYS = frozenset(
    {
        *("password", "passwd", "pwd", "passphrase", "secret", "token", "jwt", "bearer", "authorization"),
        *("api_key", "apikey", "x_api_key", "private_key", "access_key", "secret_key", "secret_access_key"),
        *("client_secret", "auth_token", "access_token", "refresh_token", "id_token", "session_token"),
        *("credential", "credentials", "cookie", "set_cookie", "proxy_authorization"),
    }
)
_SECRET_ENDINGS = (
    "_password",
    "_secret",
    "_token",
    "_api_key",
    "_apikey",
    "_private_key",
    "_secret_key",
    "_access_key",
)
_WORD_BREAK = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|[^A-Za-z0-9]+")
_MAX_LISTED = 100
_SHORT = 20
"""No pattern is met by fewer letters without a digit, a sign or a space."""


@dataclass(slots=True)
class _Masker:
    """Masks the values of one observation, and notes where."""

    patterns: tuple[Pattern, ...]
    found: dict[tuple[str, str], None] = field(default_factory=dict)

    def value(self, value: Any, path: str) -> Any:
        """Any JSON value."""
        if isinstance(value, str):
            return self.text(value, path)
        if isinstance(value, list | tuple):
            return [self.value(item, f"{path}[{index}]") for index, item in enumerate(value)]
        if isinstance(value, dict):
            return dict(self._items(value, path))
        return value

    def text(self, text: str, path: str) -> str:
        """A string: as JSON where it is some, else as words."""
        if text[:1] in {"{", "["} and text[-1:] in {"}", "]"}:
            try:
                parsed = json.loads(text)
                masked = self.value(parsed, path)
            except (ValueError, RecursionError):
                pass
            else:
                return text if masked == parsed else json.dumps(masked, ensure_ascii=False)
        if len(text) < _SHORT and text.replace("_", "").isalpha():
            return text  # a word: most keys, and most values of metadata
        given = Text(text)
        for pattern in self.patterns:
            masked_text = pattern.mask(given)
            if masked_text != given.text:
                self.found[path, pattern.kind] = None
                given = Text(masked_text)
        return given.text

    def _items(self, value: dict[str, Any], path: str) -> Iterator[tuple[str, Any]]:
        for key, item in value.items():
            name = self.text(str(key), f"{path}.(key)")
            below = f"{path}.{name}"
            if _is_secret_key(str(key)) and isinstance(item, str) and item:
                self.found[below, "secret"] = None
                yield name, MARK.format("secret")
            else:
                yield name, self.value(item, below)


def mask(trace: Trace, options: PolicyOptions) -> Trace:
    """`trace` without what the setting `masking` says must not leave."""
    patterns = PATTERNS[options.masking]
    if not patterns:
        return trace
    wide = _Masker(patterns)
    user_id = wide.text(trace.user_id, "user_id") if trace.user_id else trace.user_id
    session_id = wide.text(trace.session_id, "session_id") if trace.session_id else trace.session_id
    name = wide.text(trace.name, "trace_name") if trace.name else trace.name
    tags = tuple(wide.text(tag, f"tags[{index}]") for index, tag in enumerate(trace.tags))
    metadata = wide.value(trace.metadata, "trace_metadata")
    return replace(
        trace,
        name=name,
        user_id=user_id,
        session_id=session_id,
        tags=tags,
        metadata=metadata,
        observations=tuple(_masked(each, patterns, wide.found) for each in trace.observations),
    )


def _masked(observation: Observation, patterns: tuple[Pattern, ...], wide: dict[tuple[str, str], None]) -> Observation:
    masker = _Masker(patterns)
    changed = {
        "name": masker.text(observation.name, "name"),
        "status_message": masker.value(observation.status_message, "status_message"),
        "input": masker.value(observation.input, "input"),
        "output": masker.value(observation.output, "output"),
        "model_parameters": masker.value(observation.model_parameters, "model_parameters"),
    }
    metadata = masker.value(observation.metadata, "metadata")
    found = {**wide, **masker.found}
    if found:
        listed = [{"path": path, "kind": kind} for path, kind in list(found)[:_MAX_LISTED]]
        metadata = metadata | {"masked": listed}
    return replace(observation, **changed, metadata=metadata)


def mask_text(text: str, masking: Masking, key: str = "") -> tuple[str, list[str]]:
    """One text that stands under `key`, and the kinds of what was masked: for spans that are no `Trace`."""
    masker = _Masker(PATTERNS[masking])
    masked = masker.value({key: text}, "")
    return next(iter(masked.values())), [kind for _, kind in masker.found]


def _is_secret_key(key: str) -> bool:
    name = _WORD_BREAK.sub("_", key).strip("_").lower()
    return name in _SECRET_KEYS or name.endswith(_SECRET_ENDINGS)
