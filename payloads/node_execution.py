"""One executed workflow node, in Dify's own shape and in its console API's."""

from __future__ import annotations

from typing import Annotated, Any, Self

from pydantic import Field, ValidatorFunctionWrapHandler, WrapValidator, model_validator
from pydantic_core import PydanticCustomError

from payloads.model import Lenient
from payloads.scalars import Amount, Count, JsonObject, Name, Seconds, Text, Timestamp


class AgentLogMetadata(Lenient):
    """Times here may be a process clock (`time.perf_counter`): only differences mean anything."""

    started_at: Seconds = None
    finished_at: Seconds = None
    elapsed_time: Seconds = None
    provider: Text = None
    total_tokens: Count = None
    total_price: Amount = None
    currency: Text = None


class AgentLogEntry(Lenient):
    """A step inside an agent node: a round, a model's thought, a tool call."""

    id: Text = None
    message_id: Text = None
    parent_id: Text = None
    label: Text = None
    status: Text = None
    error: Text = None
    data: Any = None
    metadata: AgentLogMetadata = AgentLogMetadata()

    @model_validator(mode="before")
    @classmethod
    def _null_metadata(cls, data: Any) -> Any:
        return {**data, "metadata": data.get("metadata") or {}} if isinstance(data, dict) else data

    @property
    def stable_id(self) -> str | None:
        """`id`; older agent strategies call it `message_id`."""
        return self.id or self.message_id


def _log_or_backend(value: Any, parse: ValidatorFunctionWrapHandler) -> Any:
    # Agent v2 writes an object about its backend here instead of a list of steps.
    return value if isinstance(value, dict) else parse(value)


class ExecutionMetadata(Lenient):
    """`execution_metadata` of a node (in the domain model: `metadata`)."""

    total_tokens: Count = None
    total_price: Amount = None
    currency: Text = None
    prompt_tokens: Count = None
    completion_tokens: Count = None
    iteration_id: Text = None
    iteration_index: Count = None
    loop_id: Text = None
    loop_index: Count = None
    agent_log: Annotated[list[AgentLogEntry] | None, WrapValidator(_log_or_backend)] = None
    tool_info: Any = None


class NodeExecution(Lenient):
    """One row of a run's node executions; a retried attempt is a row with status `retry`.

    Sources: `WorkflowNodeExecution` of Dify's domain (naive ISO times, `metadata`), the console API's
    node-executions (unix seconds, `execution_metadata`, created_by_*), `WorkflowNodeTraceInfo` (flat).
    """

    id: Text = None
    node_execution_id: Text = None
    workflow_id: Text = None
    node_id: Text = None
    node_type: Name
    title: Text = None
    index: Count = None
    predecessor_node_id: Text = None
    inputs: Any = None
    process_data: Any = None
    outputs: Any = None
    status: Text = None
    error: Text = None
    elapsed_time: Seconds = None
    created_at: Timestamp = None
    finished_at: Timestamp = None
    execution_metadata: ExecutionMetadata = ExecutionMetadata()
    retry_index: Count = None
    model_provider: Text = None
    model_name: Text = None

    @model_validator(mode="before")
    @classmethod
    def _one_name_for_metadata(cls, data: Any) -> Any:
        if not isinstance(data, dict):
            return data
        renamed = {key: value for key, value in data.items() if key != "metadata"}
        renamed["execution_metadata"] = data.get("execution_metadata") or data.get("metadata") or {}
        return renamed

    @model_validator(mode="after")
    def _has_an_id(self) -> Self:
        if not self.stable_id:
            raise PydanticCustomError("node_id_missing", "needs `id` or `node_execution_id`")
        return self

    @property
    def stable_id(self) -> str:
        """`id` (the row's), else `node_execution_id` (the engine's)."""
        return self.id or self.node_execution_id or ""


class RetryAttempt(Lenient):
    """One entry of the retry history that newer Dify keeps inside `process_data`."""

    retry_index: Count
    inputs: Any = None
    process_data: Any = None
    outputs: Any = None
    error: Text = None
    elapsed_time: Seconds = None
    execution_metadata: JsonObject = Field(default_factory=dict)
    created_at: Timestamp = None
    finished_at: Timestamp = None
