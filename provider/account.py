"""What stands behind the keys: the project they open, and the server's version."""

from __future__ import annotations

import httpx
from langfuse.api import AccessDeniedError, LangfuseAPI, UnauthorizedError
from langfuse.api.core import ApiError, RequestOptions
from pydantic import ValidationError

from provider import PLUGIN_NAME, PLUGIN_VERSION
from provider.errors import ProviderError, Refused, TryAgain
from provider.settings import Settings
from provider.state import Project, State

MINIMUM_SERVER = (3, 63)
_OPTIONS: RequestOptions = {"max_retries": 0, "timeout_in_seconds": 8}


def project(settings: Settings, state: State) -> Project:
    """The project that the keys open, asked of Langfuse now.

    Raises:
        Refused: wrong keys, an organisation's keys, or no Langfuse at the host.
        TryAgain: Langfuse cannot be reached.
    """
    try:
        found = _api(settings, state).projects.get(request_options=_OPTIONS).data
    except UnauthorizedError:
        raise Refused(
            "wrong_keys", "Langfuse does not know these keys: check both, and that host is their region."
        ) from None
    except AccessDeniedError:
        raise Refused("forbidden", "These are not a project's keys: create them in the project's settings.") from None
    except (ApiError, ValidationError, ValueError, httpx.HTTPError) as error:
        raise _failure(error) from None
    if not found:
        raise Refused("forbidden", "The keys open no project: create them in the project's settings.")
    opened = Project(found[0].id, found[0].name)
    state.projects[settings.account] = opened
    return opened


def known_project(settings: Settings, state: State) -> Project | None:
    """The project, remembered for a while; None where Langfuse does not say, which is remembered too.

    For links in receipts: it must never cost an accepted trace its receipt.
    """
    if settings.account not in state.projects:
        try:
            return project(settings, state)
        except ProviderError:
            state.projects[settings.account] = None
    return state.projects.get(settings.account)


def server_version(settings: Settings, state: State) -> str:
    """The version that the Langfuse server names, such as `4.16.0`.

    Raises:
        Refused, TryAgain: as for `project`.
    """
    try:
        version: str = _api(settings, state).health.health(request_options=_OPTIONS).version
    except (ApiError, ValidationError, ValueError, httpx.HTTPError) as error:
        raise _failure(error) from None
    return version


def trace_url(settings: Settings, known: Project, trace_id: str) -> str:
    """The trace's page."""
    return f"{settings.host}/project/{known.id}/traces/{trace_id}"


def is_too_old(version: str) -> bool:
    """Whether a server of this version is older than this plugin writes for."""
    numbers = tuple(int(part) for part in version.lstrip("v").split(".")[:2] if part.isdigit())
    return numbers < MINIMUM_SERVER


def _api(settings: Settings, state: State) -> LangfuseAPI:
    return LangfuseAPI(
        base_url=settings.host,
        username=settings.public_key,
        password=settings.secret_key.get_secret_value(),
        x_langfuse_sdk_name=PLUGIN_NAME,
        x_langfuse_sdk_version=PLUGIN_VERSION,
        x_langfuse_public_key=settings.public_key,
        httpx_client=state.http,
    )


def _failure(error: Exception) -> ProviderError:
    status = error.status_code if isinstance(error, ApiError) else None
    if isinstance(error, httpx.HTTPError) or (status is not None and (status == 429 or status >= 500)):  # noqa: PLR2004
        return TryAgain("unreachable", "Langfuse could not be reached, or did not answer in time. Check host.")
    return Refused("wrong_host", "The host answers, but not as Langfuse does: check host.")
