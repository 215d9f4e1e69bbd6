"""The trace payloads of Dify, one model for each `trace_info_type`.

Lenient about the unknown (kept in `model_extra`, passed to metadata), strict about what the mapper needs.
Field names are Dify's; sources: `core/ops/entities/trace_entity.py` of Dify, and its monitoring documentation,
whose spellings (`inputs` for `workflow_run_inputs`, `conversion_id`, `triggered_form`) are accepted too.
"""

from __future__ import annotations

from typing import Any

from pydantic import AliasChoices, Field, PrivateAttr, model_validator

from payloads.model import Lenient
from payloads.node_execution import NodeExecution
from payloads.scalars import Amount, Count, JsonObject, Name, Seconds, Text, Timestamp

TYPOS = {"conversion_id": "conversation_id", "triggered_form": "triggered_from"}
"""Misspellings that released versions of Dify have written."""


def _correct_spelling(data: dict[str, Any]) -> dict[str, Any]:
    if TYPOS.keys().isdisjoint(data):
        return data
    corrected = {key: value for key, value in data.items() if key not in TYPOS}
    for typo, name in TYPOS.items():
        if typo in data and corrected.get(name) is None:
            corrected[name] = data[typo]
    return corrected


class MessageData(Lenient):
    """`Message.to_dict()`. `message_metadata.usage` is an LLMUsage."""

    id: Text = None
    conversation_id: Text = None
    model_id: Text = None
    status: Text = None
    error: Text = None
    total_price: Amount = None
    currency: Text = None
    message_metadata: JsonObject = Field(default_factory=dict)
    from_end_user_id: Text = None
    from_account_id: Text = None
    agent_based: bool | None = None
    workflow_run_id: Text = None
    created_at: Timestamp = None
    updated_at: Timestamp = None


class TraceInfo(Lenient):
    """What all trace payloads share. Times may be naive, ids null."""

    message_id: Text = None
    message_data: MessageData | None = None
    inputs: Any = None
    outputs: Any = None
    start_time: Timestamp = None
    end_time: Timestamp = None
    metadata: JsonObject = Field(default_factory=dict)
    trace_id: Text = None
    user_session_id: Text = None
    user_id: Text = None
    conversation_id: Text = None
    workflow_run_id: Text = None
    app_id: Text = None
    tenant_id: Text = None
    error: Text = None

    _raw: dict[str, Any] = PrivateAttr(default_factory=dict)

    @model_validator(mode="before")
    @classmethod
    def _spelling(cls, data: Any) -> Any:
        if not isinstance(data, dict):
            return data
        data = _correct_spelling(data)
        if isinstance(data.get("metadata"), dict):
            data = {**data, "metadata": _correct_spelling(data["metadata"])}
        return data

    def find(self, name: str) -> Any:
        """The value of `name` wherever Dify puts it: on the payload, in `metadata`, in `message_data`."""
        for holder in (self, self.metadata, self.message_data):
            value = holder.get(name) if isinstance(holder, dict) else getattr(holder, name, None)
            if value is not None and value != "":
                return value
        return None

    def find_text(self, name: str) -> str | None:
        """As `find`, for ids and names: anything but a string or a number is as good as absent."""
        value = self.find(name)
        if isinstance(value, bool) or not isinstance(value, str | int):
            return None
        return str(value)

    @property
    def raw(self) -> dict[str, Any]:
        """The payload as it was sent, for ids that are made from content."""
        return self._raw


class WorkflowTraceInfo(TraceInfo):
    """A workflow run, or a chatflow run (then `message_id` is set)."""

    workflow_data: JsonObject = Field(default_factory=dict)
    workflow_app_log_id: Text = None
    workflow_id: Text = None
    workflow_run_elapsed_time: Seconds = Field(
        None, validation_alias=AliasChoices("workflow_run_elapsed_time", "elapsed_time")
    )
    workflow_run_status: Text = Field(None, validation_alias=AliasChoices("workflow_run_status", "status"))
    workflow_run_inputs: Any = None
    workflow_run_outputs: Any = None
    workflow_run_version: Text = Field(None, validation_alias=AliasChoices("workflow_run_version", "version"))
    total_tokens: Count = None
    prompt_tokens: Count = None
    completion_tokens: Count = None
    file_list: Any = None
    query: Any = None
    triggered_from: Text = None
    invoked_by: Text = None
    workflow_node_executions: list[NodeExecution] | None = Field(
        None, validation_alias=AliasChoices("workflow_node_executions", "nodes")
    )


class MessageTraceInfo(TraceInfo):
    """One answer of a chat, agent-chat or completion app."""

    conversation_model: Text = None
    conversation_mode: Text = None
    message_tokens: Count = None
    answer_tokens: Count = None
    total_tokens: Count = None
    status: Text = None
    file_list: Any = None
    message_file_data: Any = None
    gen_ai_server_time_to_first_token: Seconds = None
    llm_streaming_time_to_generate: Any = None
    is_streaming_request: Any = None
    ls_provider: Text = None
    ls_model_name: Text = None
    from_end_user_id: Text = None
    from_account_id: Text = None
    from_source: Text = None
    agent_based: bool | None = None


class ModerationTraceInfo(TraceInfo):
    """Input moderation of one message, flagged or not."""

    flagged: bool | None = None
    action: Text = None
    preset_response: Any = None
    query: Any = None
    workflow_app_log_id: Text = None


class SuggestedQuestionTraceInfo(TraceInfo):
    """Follow-up questions. `total_tokens` is the original message's; `level` a message status."""

    total_tokens: Count = None
    status: Text = None
    level: Text = None
    status_message: Text = None
    from_account_id: Text = None
    from_end_user_id: Text = None
    agent_based: bool | None = None
    from_source: Text = None
    model_provider: Text = Field(None, validation_alias=AliasChoices("model_provider", "ls_provider"))
    model_id: Text = Field(None, validation_alias=AliasChoices("model_id", "ls_model_name"))
    suggested_question: Any = None


class DatasetRetrievalTraceInfo(TraceInfo):
    """Knowledge retrieval of an easy-UI app."""

    documents: Any = None
    ls_provider: Text = None
    ls_model_name: Text = None
    status: Text = None
    from_end_user_id: Text = None
    from_account_id: Text = None
    agent_based: bool | None = None
    from_source: Text = None
    embedding_models: Any = None


class ToolTraceInfo(TraceInfo):
    """One tool call of an easy-UI agent."""

    tool_name: Name
    tool_inputs: Any = None
    tool_outputs: Any = None
    tool_config: Any = None
    tool_parameters: Any = None
    time_cost: Seconds = None
    file_url: Any = None
    message_file_data: Any = None
    message_file_id: Text = None
    created_by_role: Text = None
    created_user_id: Text = None


class GenerateNameTraceInfo(TraceInfo):
    """The title that Dify gives a conversation."""


class WorkflowNodeTraceInfo(TraceInfo):
    """One node execution as a payload of its own (enterprise telemetry)."""

    workflow_id: Text = None
    node_execution_id: Name
    node_id: Text = None
    node_type: Name
    title: Text = None
    status: Text = None
    elapsed_time: Seconds = None
    index: Count = None
    predecessor_node_id: Text = None
    total_tokens: Count = None
    total_price: Amount = None
    currency: Text = None
    model_provider: Text = None
    model_name: Text = None
    prompt_tokens: Count = None
    completion_tokens: Count = None
    tool_name: Text = None
    iteration_id: Text = None
    iteration_index: Count = None
    loop_id: Text = None
    loop_index: Count = None
    parallel_id: Text = None
    node_inputs: Any = None
    node_outputs: Any = None
    process_data: Any = None
    invoked_by: Text = None


class DraftNodeExecutionTrace(WorkflowNodeTraceInfo):
    """One node run on its own in Dify's editor."""


class PromptGenerationTraceInfo(TraceInfo):
    """Dify's prompt generator. Has a latency, but no times."""

    operation_type: Text = None
    instruction: Any = None
    prompt_tokens: Count = None
    completion_tokens: Count = None
    total_tokens: Count = None
    model_provider: Text = None
    model_name: Text = None
    latency: Seconds = None
    total_price: Amount = None
    currency: Text = None


TRACE_TYPES: dict[str, type[TraceInfo]] = {
    "workflow": WorkflowTraceInfo,
    "message": MessageTraceInfo,
    "moderation": ModerationTraceInfo,
    "suggested_question": SuggestedQuestionTraceInfo,
    "dataset_retrieval": DatasetRetrievalTraceInfo,
    "tool": ToolTraceInfo,
    "generate_name": GenerateNameTraceInfo,
    "workflow_node": WorkflowNodeTraceInfo,
    "draft_node": DraftNodeExecutionTrace,
    "prompt_generation": PromptGenerationTraceInfo,
}
"""Short name, as in `POST /traces/<trace_type>`, to model; the model's class name is Dify's `trace_info_type`."""
