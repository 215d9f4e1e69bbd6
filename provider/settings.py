"""The endpoint's settings, checked and completed once for each request.

Dify checks next to nothing and applies no defaults: optional settings may be absent, "" or null, and required
ones empty. Settings of an older plugin version stay as they were saved.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from typing import Annotated, Any, Literal, Self
from urllib.parse import urlsplit, urlunsplit
from zoneinfo import ZoneInfo

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, SecretStr, ValidationError, model_validator
from pydantic_core import PydanticCustomError

from provider.errors import SettingsError

DEFAULT_HOST = "https://cloud.langfuse.com"
_ENVIRONMENT = re.compile(r"(?!langfuse)[a-z0-9_-]{1,40}")
_MAX_LABEL = 200  # Langfuse's own SDK drops longer tags and releases


def _key(value: Any) -> str:
    if not isinstance(value, str) or not value.strip():
        raise PydanticCustomError("key_missing", "is empty; copy it from Langfuse: Settings, API Keys")
    key = value.strip()
    if not key.isascii() or not key.isprintable() or " " in key or ":" in key:
        raise PydanticCustomError("key_malformed", "is not a key: it holds blanks, colons or special characters")
    return key


def _secret_key(value: Any) -> str:
    key = _key(value)
    if key.startswith("pk-lf-"):
        raise PydanticCustomError("key_swapped", "holds a public key; it and the public key may be swapped")
    return key


def _public_key(value: Any) -> str:
    key = _key(value)
    if key.startswith("sk-lf-"):
        raise PydanticCustomError("key_swapped", "holds a secret key; it and the secret key may be swapped")
    return key


def _host(value: Any) -> str:
    """Scheme, host and base path; a pasted API or project path is cut off."""
    if value is None or value == "":
        return DEFAULT_HOST
    problem = PydanticCustomError("host", "must be the address of Langfuse, such as https://cloud.langfuse.com")
    if not isinstance(value, str) or any(not c.isprintable() or c.isspace() for c in value.strip()):
        raise problem
    text: str = value.strip()
    try:
        parts = urlsplit(text)
        valid = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        raise problem from None
    if not valid:
        raise problem
    if parts.username is not None or parts.password is not None:
        raise PydanticCustomError("host_credentials", "must not hold credentials; the keys have settings of their own")
    path: str = re.split(r"/(?:api/public|project|auth)(?:/|$)", parts.path, maxsplit=1)[0]
    return urlunsplit((parts.scheme, parts.netloc.lower(), path.rstrip("/"), "", ""))


def _optional_secret(value: Any) -> str | None:
    if value is None or value == "":
        return None
    key = _key(value)
    if len(key) < 16:  # noqa: PLR2004 - a guessable token would open the endpoint to everybody
        raise PydanticCustomError("token_short", "must have 16 characters or more")
    return key


def _optional_text(value: Any) -> str | None:
    if value is None or value == "":
        return None
    if not isinstance(value, str):
        raise PydanticCustomError("text", "must be text")
    text = value.strip()
    if len(text) > _MAX_LABEL:
        raise PydanticCustomError("too_long", "must have 200 characters or less")
    return text or None


def _environment(value: Any) -> str | None:
    text = _optional_text(value)
    if text is not None and not _ENVIRONMENT.fullmatch(text):
        raise PydanticCustomError(
            "environment", "must be 1 to 40 of a-z, 0-9, - and _, and not start with langfuse (a rule of Langfuse's)"
        )
    return text


def _tags(value: Any) -> tuple[str, ...]:
    if value is None or value == "":
        return ()
    if not isinstance(value, str):
        raise PydanticCustomError("tags", "must be text: tags, separated by commas")
    tags = tuple(dict.fromkeys(tag for part in value.split(",") if (tag := part.strip())))
    if any(len(tag) > _MAX_LABEL for tag in tags):
        raise PydanticCustomError("tags", "must be tags of 200 characters or less, separated by commas")
    return tags


def _timezone(value: Any) -> ZoneInfo:
    name = _optional_text(value) or "UTC"
    try:
        return ZoneInfo(name)
    except (KeyError, OSError, ValueError):  # unknown; the name of a folder; a path
        raise PydanticCustomError("timezone", "must be an IANA name, such as Asia/Shanghai or Europe/Berlin") from None


def _sample_rate(value: Any) -> float:
    if value is None or value == "":
        return 1.0
    try:
        rate = float(str(value).strip().replace(",", "."))  # decimal commas are what many keyboards give
    except ValueError:
        rate = -1.0
    if not 0 <= rate <= 1:
        raise PydanticCustomError("sample_rate", "must be a number from 0 (none) to 1 (all), such as 0.25")
    return rate


def _or(default: str) -> BeforeValidator:
    return BeforeValidator(lambda value: default if value in (None, "") else value)


class Settings(BaseModel):
    """The settings of `provider/langfuse.yaml`, with their defaults applied."""

    model_config = ConfigDict(frozen=True, extra="ignore", hide_input_in_errors=True, arbitrary_types_allowed=True)

    secret_key: Annotated[SecretStr, BeforeValidator(_secret_key)]
    public_key: Annotated[str, BeforeValidator(_public_key)]
    host: Annotated[str, BeforeValidator(_host)] = DEFAULT_HOST
    ingest_token: Annotated[SecretStr | None, BeforeValidator(_optional_secret)] = None
    environment: Annotated[str | None, BeforeValidator(_environment)] = None
    release: Annotated[str | None, BeforeValidator(_optional_text)] = None
    tags: Annotated[tuple[str, ...], BeforeValidator(_tags)] = ()
    timezone: Annotated[ZoneInfo, BeforeValidator(_timezone)] = Field(default_factory=lambda: ZoneInfo("UTC"))
    trace_names: Annotated[Literal["plain", "with-id"], _or("plain")] = "plain"
    masking: Annotated[Literal["secrets", "personal", "off"], _or("secrets")] = "secrets"
    content: Annotated[Literal["full", "metadata-only"], _or("full")] = "full"
    sample_rate: Annotated[float, BeforeValidator(_sample_rate)] = 1.0
    buffer: Annotated[Literal["off", "on"], _or("off")] = "off"

    @model_validator(mode="after")
    def _different_keys(self) -> Self:
        token = self.ingest_token.get_secret_value() if self.ingest_token else None
        if token in (self.public_key, self.secret_key.get_secret_value()):
            raise PydanticCustomError("ingest_token", "ingest_token must differ from the two keys")
        return self

    @property
    def account(self) -> str:
        """What keeps two endpoints apart in shared state: host, public key and a digest of the secret."""
        digest = hashlib.sha256(self.secret_key.get_secret_value().encode()).hexdigest()
        return f"{self.host}|{self.public_key}|{digest}"


def parse_settings(raw: Mapping[str, Any]) -> Settings:
    """The settings that Dify handed over with a request.

    Raises:
        SettingsError: names each field and what is wrong with it, never its value.
    """
    try:
        return Settings.model_validate(dict(raw))
    except ValidationError as error:
        entries = error.errors(include_url=False, include_input=False)
    fields = tuple((str(entry["loc"][0]) if entry["loc"] else "ingest_token", _problem(entry)) for entry in entries)
    raise SettingsError(fields)


def _problem(entry: Any) -> str:
    if entry["type"] == "missing":
        return "is missing"
    return str(entry["msg"]).replace("Input should be", "must be")
