"""Content that is not to leave at all: with `metadata-only`, what stays is what a run was, not what it said."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from pydantic_core import to_json

from mapper.observation import Observation, Trace
from policy.options import PolicyOptions

KEPT_METADATA = frozenset(
    {
        *("app_id", "app_name", "tenant_id", "workspace_name", "conversation_id", "message_id", "external_trace_id"),
        *("workflow_id", "workflow_run_id", "workflow_app_log_id", "node_id", "node_execution_id", "node_type"),
        *("node_name", "index", "predecessor_node_id", "status", "elapsed_time", "total_tokens", "total_price"),
        *("currency", "prompt_tokens", "completion_tokens", "model_provider", "model_name", "model_id", "model_mode"),
        *("finish_reason", "ls_provider", "ls_model_name", "triggered_from", "version", "agent_based", "from_source"),
        *("from_account_id", "from_end_user_id", "user_id", "user_session_id", "conversation_mode", "invoked_by"),
        *("conversation_model", "retry_index", "iteration_id", "iteration_index", "loop_id", "loop_index"),
        *("parallel_id", "iteration_duration_map", "loop_duration_map", "time_cost", "latency", "usage_reported"),
        *("cost", "tool_name", "operation_type", "parent_trace_context", "parent_workflow_run_id", "log_id"),
        *("parent_node_execution_id", "agent_node_id", "message_file_id", "created_by_role", "created_user_id"),
        *("is_streaming_request",),
        *("execution_metadata", "process_data", "input", "output", "total", "unit", "usage"),
    }
)
"""Ids, kinds, counts and times. Everything else may hold what somebody wrote."""

_LONGEST_KEPT = 200


def withhold(trace: Trace, options: PolicyOptions) -> Trace:
    """`trace` without content where the owner wants only metadata: sizes stand for inputs and outputs."""
    if options.content == "full":
        return trace
    return replace(
        trace,
        metadata=kept(trace.metadata) or {},
        observations=tuple(_without_content(each) for each in trace.observations),
    )


def _without_content(observation: Observation) -> Observation:
    sizes = {
        name: len(to_json(value, inf_nan_mode="strings"))
        for name, value in (("input", observation.input), ("output", observation.output))
        if value is not None
    }
    metadata = kept(observation.metadata) or {}
    return replace(
        observation,
        input=None,
        output=None,
        status_message=None,
        model_parameters=None,
        metadata=metadata | ({"content_bytes": sizes} if sizes else {}),
    )


def kept(value: Any) -> Any:
    """The parts of metadata that hold no content; None where nothing is left."""
    if isinstance(value, dict):
        # Of the duration maps the keys are round numbers.
        inner = {name: kept(item) for name, item in value.items() if name in KEPT_METADATA or name.isdigit()}
        return {name: item for name, item in inner.items() if item is not None} or None
    if isinstance(value, str):
        return value if len(value) <= _LONGEST_KEPT else None
    return value if isinstance(value, bool | int | float) else None
