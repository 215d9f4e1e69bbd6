"""Who may send: whoever knows the endpoint's keys, or its ingest token.

Dify itself authenticates nobody. Everything is compared in constant time, and both halves always.
"""

from __future__ import annotations

import hmac
from collections.abc import Mapping
from typing import Any

from werkzeug import Request

from endpoints.errors import Unauthorized
from provider.settings import Settings, parse_settings


def authenticate(request: Request, raw_settings: Mapping[str, Any]) -> Settings:
    """The endpoint's settings, for a request that may use them.

    `Authorization: Basic` with the public key, and the secret key or the ingest token; or `Bearer` with the
    ingest token. The secret key as a bearer token is refused: it belongs into Basic, beside its public key.

    Raises:
        SettingsError: the settings cannot be used, so nobody can be let in.
        Unauthorized: anything else than the above.
    """
    settings = parse_settings(raw_settings)
    sent = request.authorization
    if sent is None:
        raise Unauthorized
    token = settings.ingest_token.get_secret_value() if settings.ingest_token else None
    if sent.type == "basic":
        public_matches = _same(sent.username, settings.public_key)
        secret_matches = _same(sent.password, settings.secret_key.get_secret_value())
        token_matches = _same(sent.password, token)
        if public_matches & (secret_matches | token_matches):
            return settings
    elif sent.type == "bearer" and _same(sent.token, token):
        return settings
    raise Unauthorized


def _same(sent: str | None, expected: str | None) -> bool:
    matches = hmac.compare_digest((sent or "").encode(), (expected or "").encode())
    return matches and bool(expected)
