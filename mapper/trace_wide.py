"""The attributes that every observation of a trace carries: name, user, session, tags, metadata, version."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from mapper import ids
from mapper.content import present
from mapper.errors import MappingError
from mapper.message_data import message_fields
from mapper.options import MappingOptions
from payloads.trace_info import TraceInfo, WorkflowTraceInfo

_IDENTIFIERS = (
    "app_id",
    "app_name",
    "tenant_id",
    "workspace_name",
    "conversation_id",
    "message_id",
    "workflow_id",
    "workflow_run_id",
    "workflow_app_log_id",
)
"""What places a trace in Dify. The same keys with the same values stand in the observations' own metadata:
Langfuse v3 lets the observation's win, v4 the trace's."""

_PLACED = ("metadata", "message_data", "trace_id", "inputs", "outputs", "start_time", "end_time")
"""Fields that all types have and that stand elsewhere."""


def trace_id(payload: TraceInfo) -> str:
    """The trace that a payload belongs to: caller's `trace_id`, else `message_id`, else `workflow_run_id`.

    Raises:
        MappingError: there is none of them, so no trace could ever be found again.
    """
    key = payload.trace_id or payload.find_text("message_id") or payload.find_text("workflow_run_id")
    if not key:
        raise MappingError("message_id", "is missing: it names the trace (or send trace_id or workflow_run_id)")
    return ids.trace_id(key)


def message_name(payload: TraceInfo, options: MappingOptions) -> str:
    """The name of a trace whose root is a message, for the message and everything that belongs to it."""
    message_id = payload.find_text("message_id")
    return f"message_{message_id}" if options.names_with_id and message_id else "message"


def run_name(payload: TraceInfo, options: MappingOptions) -> str:
    """The name of a trace whose root is a workflow run (or, with a message, a chatflow's message)."""
    if payload.find_text("message_id"):
        return message_name(payload, options)
    run_id = payload.find_text("workflow_run_id")
    return f"workflow_{run_id}" if options.names_with_id and run_id else "workflow"


def user_id(payload: TraceInfo) -> str | None:
    """Who the run was for: the most specific name that the payload has. Never the tenant."""
    run_inputs = payload.workflow_run_inputs if isinstance(payload, WorkflowTraceInfo) else None
    candidates = (
        payload.find_text("user_session_id"),
        payload.find_text("user_id"),
        run_inputs.get("sys.user_id") if isinstance(run_inputs, dict) else None,
        payload.find_text("from_end_user_id"),
        payload.find_text("from_account_id"),
    )
    return next((candidate for candidate in candidates if isinstance(candidate, str) and candidate), None)


def session_id(payload: TraceInfo) -> str | None:
    """The conversation."""
    return payload.find_text("conversation_id")


def trace_metadata(payload: TraceInfo) -> dict[str, Any]:
    """Identifiers of the run, for every observation of the trace."""
    return identifiers(payload.find_text) | present(external_trace_id=payload.trace_id)


def identifiers(find: Callable[[str], str | None]) -> dict[str, Any]:
    """The identifiers that `find` knows."""
    return present(**{name: find(name) for name in _IDENTIFIERS})


def own_metadata(payload: TraceInfo, *elsewhere: str, **derived: Any) -> dict[str, Any]:
    """An observation's metadata: everything that the payload says and that has no place of its own in Langfuse.

    That is Dify's `metadata`, the identifiers, every field that was sent but those named in `elsewhere`, the
    `derived` values, the message's record, and under `dify_extra` the fields that no model knows: so a newer
    Dify loses nothing.
    """
    sent = payload.model_fields_set.difference(_PLACED, elsewhere)
    fields = {name: getattr(payload, name) for name in type(payload).model_fields if name in sent}
    return present(
        **payload.metadata
        | trace_metadata(payload)
        | present(**fields | derived)
        | {"message_data": message_fields(payload), "dify_extra": present(**payload.model_extra or {}) or None}
    )
