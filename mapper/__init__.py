"""Payload to `Trace`: pure and deterministic. No I/O, no clock, no randomness, no HTTP.

Knows the payload models, and nothing of delivery.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from mapper import (
    dataset_retrieval,
    generate_name,
    message,
    moderation,
    prompt_generation,
    suggested_question,
    tool,
    workflow,
    workflow_node,
)
from mapper.observation import Trace
from mapper.options import MappingOptions
from payloads import trace_info as models
from payloads.trace_info import TraceInfo

_MAPPERS: dict[type[TraceInfo], Callable[[Any, MappingOptions], Trace]] = {
    models.WorkflowTraceInfo: workflow.to_trace,
    models.MessageTraceInfo: message.to_trace,
    models.ModerationTraceInfo: moderation.to_trace,
    models.SuggestedQuestionTraceInfo: suggested_question.to_trace,
    models.DatasetRetrievalTraceInfo: dataset_retrieval.to_trace,
    models.ToolTraceInfo: tool.to_trace,
    models.GenerateNameTraceInfo: generate_name.to_trace,
    models.WorkflowNodeTraceInfo: workflow_node.to_trace,
    models.DraftNodeExecutionTrace: workflow_node.to_trace,
    models.PromptGenerationTraceInfo: prompt_generation.to_trace,
}


def to_trace(payload: TraceInfo, options: MappingOptions) -> Trace:
    """What `payload` says of its trace.

    Raises:
        MappingError: the payload lacks the id that would name its trace.
    """
    return _MAPPERS[type(payload)](payload, options)
