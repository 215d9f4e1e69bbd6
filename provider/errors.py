"""The errors of this room. Their texts are safe to show: no credential, no content, no upstream body.

ProviderError
|-- SettingsError       a setting is missing or malformed; `fields` says which
|-- Refused             Langfuse will never take this as it is: wrong keys, wrong host, rejected
|   `-- TooLarge        Langfuse refuses a single observation for its size
`-- TryAgain            Langfuse cannot take it now; `retry_after` seconds, where known
"""

from __future__ import annotations


class ProviderError(Exception):
    """`code` is stable and machine-readable, `message` says what to do."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


class SettingsError(ProviderError):
    """The endpoint's settings cannot be used. `fields` are (name, problem) pairs, without values."""

    def __init__(self, fields: tuple[tuple[str, str], ...]) -> None:
        names = ", ".join(name for name, _ in fields)
        super().__init__("invalid_settings", f"The endpoint's settings need mending in Dify: {names}.")
        self.fields = fields


class Refused(ProviderError):
    """Final. Sending the same again changes nothing."""


class TooLarge(Refused):
    """One observation alone is over what the server takes."""


class TryAgain(ProviderError):
    """Not accepted, but may be later. `status` is 429 where Langfuse limits the rate, else 503."""

    def __init__(self, code: str, message: str, *, status: int = 503, retry_after: float | None = None) -> None:
        super().__init__(code, message)
        self.status = status
        self.retry_after = retry_after
