"""A workflow node's event, turned back into the node execution that Dify made it from.

Its metadata still holds the execution metadata: node type, status, price, an agent's log. So the node is mapped
by the same code as in a payload.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from pydantic import ValidationError

from mapper import node_tree
from mapper.content import present, text
from mapper.ingestion import clock, identity
from mapper.ingestion.usage import tokens_of_node
from mapper.node import Run
from mapper.observation import Observation
from mapper.trace_wide import identifiers
from payloads.ingestion import ObservationBody
from payloads.node_execution import NodeExecution

_BESIDE_EXECUTION_METADATA = (
    "workflow_run_id",
    "node_execution_id",
    "tenant_id",
    "app_id",
    "app_name",
    "node_name",
    "node_type",
    "status",
    "model_provider",
    "model_name",
)
"""Dify writes a node's execution metadata and these into one object."""


def observe(
    body: ObservationBody, at: int, trace: str, metadata: dict[str, Any], *, is_generation: bool
) -> list[Observation]:
    """The node's observation and, for an agent, those of its log; nothing where the event is no node's."""
    row = _row(body, at, metadata, is_generation=is_generation)
    if row is None:
        return []
    # Dify puts the run's error into every node's status message.
    run = Run(trace, at, text(metadata.get("workflow_run_id")), body.status_message)
    node, *inner = node_tree.observe_alone(row, run, identity.parent_id(trace, body, metadata))
    node = replace(
        node,
        model_parameters=body.model_parameters or node.model_parameters,
        metadata=identifiers(lambda name: text(metadata.get(name))) | node.metadata,
        completion_start_time=clock.moment(body.completion_start_time, utc=True) or node.completion_start_time,
    )
    return [node, *inner]


def _row(body: ObservationBody, at: int, metadata: dict[str, Any], *, is_generation: bool) -> NodeExecution | None:
    node_type = text(metadata.get("node_type"))
    stable_id = body.id or text(metadata.get("node_execution_id"))
    if node_type is None or stable_id is None:
        return None
    start, end = clock.span_of(body, at, utc=True)
    reported = body.output.get("usage") if isinstance(body.output, dict) else None
    usage = (reported if isinstance(reported, dict) else {}) | tokens_of_node(body.usage)
    has_prompts = node_type == "llm" and is_generation
    process_data = present(model_name=body.model, prompts=body.input if has_prompts else None, usage=usage or None)
    fields = {
        "id": stable_id,
        "node_type": node_type,
        "title": body.name,
        "inputs": None if has_prompts else body.input,
        "outputs": body.output,
        "process_data": process_data or None,
        "status": metadata.get("status"),
        "created_at": _as_utc(body.start_time),
        "finished_at": _as_utc(body.end_time),
        "elapsed_time": (end - start) / 1e9,
        "execution_metadata": {k: v for k, v in metadata.items() if k not in _BESIDE_EXECUTION_METADATA},
        "model_provider": metadata.get("model_provider"),
    }
    try:
        return NodeExecution.model_validate(fields)
    except ValidationError:
        return None  # some other client's metadata, with a key of this name


def _as_utc(time: datetime | None) -> datetime | None:
    return None if time is None else time.replace(tzinfo=UTC)
