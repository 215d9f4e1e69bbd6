"""What an unmodified Dify sends to Langfuse, with the SDK that it sends it with: runs in that SDK's own environment.

Reads `{"host", "public_key", "secret_key", "envelopes"}` from standard input and makes, for each envelope, the calls
that Dify's built-in Langfuse tracing makes: through the client of SDK 2 (Dify up to 1.14.0), or one event a call
through `api.ingestion.batch` of SDK 3 and 4 (Dify 1.14.1 to 1.17). Prints one JSON line: how many events, what failed.

Written from a description of those calls, not from Dify's code.
"""

from __future__ import annotations

import json
import sys
import uuid
from datetime import UTC, datetime, timedelta
from importlib.metadata import version as installed
from typing import Any

import langfuse

VERSION = installed("langfuse")
SDK = int(VERSION.split(".")[0])


def parsed(time: str | None) -> datetime | None:
    """Dify's naive times stay naive: the SDKs then add the container's own offset."""
    return datetime.fromisoformat(time) if time else None


def renamed(value: Any) -> Any:
    """`text` to `content`, at every depth."""
    if isinstance(value, list):
        return [renamed(item) for item in value]
    if isinstance(value, dict):
        return {("content" if key == "text" else key): renamed(item) for key, item in value.items()}
    return value


def normalised(value: Any, role: str) -> Any:
    """Text and odd lists as one chat message, prompt messages with `content`, objects as they are."""
    if isinstance(value, str):
        return [{"role": role, "content": value}]
    if isinstance(value, list):
        if value and all(isinstance(item, dict) for item in value):
            return renamed(value)
        return [{"role": role, "content": str(value)}]
    return value


def calls(envelope: dict[str, Any]) -> list[tuple[str, dict[str, Any]]]:
    """(event type, body) of every call for one trace payload."""
    info = envelope["trace_info"]
    makers = {
        "WorkflowTraceInfo": workflow,
        "MessageTraceInfo": message,
        "ModerationTraceInfo": moderation,
        "SuggestedQuestionTraceInfo": suggested_question,
        "DatasetRetrievalTraceInfo": dataset_retrieval,
        "ToolTraceInfo": tool,
        "GenerateNameTraceInfo": generate_name,
    }
    made = makers[envelope["trace_info_type"]](info)
    for _, body in made:
        if "input" in body:
            body["input"] = normalised(body["input"], "user")
        if "output" in body:
            body["output"] = normalised(body["output"], "assistant")
    return made


def workflow(info: dict[str, Any]) -> list[tuple[str, dict[str, Any]]]:
    run_id, message_id = info["workflow_run_id"], info.get("message_id")
    trace_id = info.get("trace_id") or message_id or run_id
    metadata = {**info["metadata"], "workflow_app_log_id": info.get("workflow_app_log_id")}
    shared = {"input": info["workflow_run_inputs"], "output": info["workflow_run_outputs"], "metadata": metadata}
    failed = bool(info.get("error"))
    trace = {
        "id": trace_id,
        "name": "message" if message_id else "workflow",
        "user_id": metadata.get("user_id"),
        "session_id": info.get("conversation_id"),
        "tags": ["message", "workflow"] if message_id else ["workflow"],
        "version": info.get("workflow_run_version"),
        **shared,
    }
    made = [("trace-create", trace)]
    if message_id:
        span = {
            "id": run_id,
            "trace_id": trace_id,
            "name": "workflow",
            "start_time": parsed(info["start_time"]),
            "end_time": parsed(info["end_time"]),
            "level": "ERROR" if failed else "DEFAULT",
            "status_message": info.get("error") or "",
            **shared,
        }
        made.append(("span-create", span))
    parent = run_id if message_id else None
    made += [node_call(row, info, trace_id, parent) for row in info.get("workflow_node_executions") or []]
    return made


def node_call(
    row: dict[str, Any], info: dict[str, Any], trace_id: str, parent: str | None
) -> tuple[str, dict[str, Any]]:
    process_data = row.get("process_data") or {}
    begin = parsed(row["created_at"]) or datetime.now()
    metadata = {
        **{str(key): value for key, value in (row.get("metadata") or {}).items()},
        "workflow_run_id": info["workflow_run_id"],
        "node_execution_id": row["id"],
        "tenant_id": info.get("tenant_id"),
        "app_id": info["metadata"].get("app_id"),
        "node_name": row["title"],
        "node_type": row["node_type"],
        "status": row["status"],
    }
    if process_data.get("model_provider") and process_data.get("model_name"):
        metadata |= {"model_provider": process_data["model_provider"], "model_name": process_data["model_name"]}
    body = {
        "id": row["id"],
        "trace_id": trace_id,
        "parent_observation_id": parent,
        "name": row["title"],
        "start_time": begin,
        "end_time": begin + timedelta(seconds=row["elapsed_time"]),
        "input": row["inputs"],
        "output": row["outputs"],
        "metadata": metadata,
        "level": "DEFAULT" if row["status"] == "succeeded" else "ERROR",
        "status_message": info.get("error") or "",
    }
    if process_data.get("model_mode") != "chat":
        return "span-create", body
    usage = process_data.get("usage") or (row["outputs"] or {}).get("usage") or {}
    if row["node_type"] == "llm":
        body["input"] = process_data.get("prompts")
    body["model"] = process_data.get("model_name")
    body["usage"] = {
        "input": usage.get("prompt_tokens", 0),
        "output": usage.get("completion_tokens", 0),
        "total": metadata.get("total_tokens", 0),
        "unit": "TOKENS",
    }
    if usage.get("time_to_first_token") is not None:
        body["completion_start_time"] = begin + timedelta(seconds=usage["time_to_first_token"])
    return "generation-create", body


def message(info: dict[str, Any]) -> list[tuple[str, dict[str, Any]]]:
    data = info["message_data"]
    trace_id = info.get("trace_id") or data["id"]
    metadata = info["metadata"]
    user = metadata.get("user_id") or data["from_account_id"]
    stuffed = {
        "message": renamed(info["inputs"]),
        "files": info["file_list"],
        "message_tokens": info["message_tokens"],
        "answer_tokens": info["answer_tokens"],
        "total_tokens": info["total_tokens"],
        "error": info["error"],
        "provider_response_latency": None,
        "created_at": info["start_time"],
    }
    trace = {
        "id": trace_id,
        "user_id": user,
        "name": "message",
        "input": stuffed,
        "output": info["outputs"],
        "metadata": {**metadata, "user_id": user},
        "session_id": data["conversation_id"],
        "tags": ["message", info["conversation_mode"]],
    }
    generation = {
        "name": "llm",
        "trace_id": trace_id,
        "start_time": parsed(info["start_time"]),
        "end_time": parsed(info["end_time"]),
        "model": data["model_id"],
        "input": info["inputs"],
        "output": data["answer"],
        "metadata": {**metadata, "user_id": user},
        "level": "ERROR" if data["status"] == "error" else "DEFAULT",
        "status_message": data["error"] or "",
        "usage": {
            "input": info["message_tokens"],
            "output": info["answer_tokens"],
            "total": info["total_tokens"],
            "unit": "TOKENS",
            "total_cost": float(data["total_price"]),
        },
    }
    first_token = info.get("gen_ai_server_time_to_first_token")
    if first_token is not None:
        generation["completion_start_time"] = generation["start_time"] + timedelta(seconds=first_token)
    return [("trace-create", trace), ("generation-create", generation)]


def moderation(info: dict[str, Any]) -> list[tuple[str, dict[str, Any]]]:
    verdict = {"action": info["action"], "flagged": info["flagged"], "preset_response": info["preset_response"]}
    return [("span-create", {**part(info, "moderation"), "output": {**verdict, "inputs": info["inputs"]}})]


def suggested_question(info: dict[str, Any]) -> list[tuple[str, dict[str, Any]]]:
    questions = info["suggested_question"]
    usage = {
        "total": len(str(questions)),
        "input": len(info["inputs"]),
        "output": len(questions),
        "unit": "CHARACTERS",
    }
    body = {
        **part(info, "suggested_question"),
        "output": str(questions),
        "usage": usage,
        "level": "ERROR" if info["message_data"]["status"] == "error" else "DEFAULT",
        "status_message": info["message_data"]["error"] or "",
    }
    return [("generation-create", body)]


def dataset_retrieval(info: dict[str, Any]) -> list[tuple[str, dict[str, Any]]]:
    return [("span-create", {**part(info, "dataset_retrieval"), "output": {"documents": info["documents"]}})]


def tool(info: dict[str, Any]) -> list[tuple[str, dict[str, Any]]]:
    body = {
        **part(info, info["tool_name"]),
        "input": info["tool_inputs"],
        "output": info["tool_outputs"],
        "level": "ERROR" if info["error"] else "DEFAULT",
        "status_message": info["error"],
    }
    return [("span-create", body)]


def part(info: dict[str, Any], name: str) -> dict[str, Any]:
    return {
        "name": name,
        "trace_id": info.get("trace_id") or info["message_id"],
        "input": info["inputs"],
        "start_time": parsed(info["start_time"]),
        "end_time": parsed(info["end_time"]),
        "metadata": info["metadata"],
    }


def generate_name(info: dict[str, Any]) -> list[tuple[str, dict[str, Any]]]:
    trace = {
        "name": "generate_conversation_name",
        "input": info["inputs"],
        "output": info["outputs"],
        "user_id": info["tenant_id"],
        "session_id": info["conversation_id"],
        "metadata": info["metadata"],
    }
    span = {
        "name": "generate_conversation_name",
        "input": info["inputs"],
        "output": info["outputs"],
        "trace_id": info["conversation_id"],
        "start_time": parsed(info["start_time"]),
        "end_time": parsed(info["end_time"]),
        "metadata": info["metadata"],
    }
    return [("trace-create", trace), ("span-create", span)]


def send_with_client(given: dict[str, Any]) -> tuple[int, list[str]]:
    """SDK 2: one client, a background thread, a flush at the end."""
    client = langfuse.Langfuse(public_key=given["public_key"], secret_key=given["secret_key"], host=given["host"])
    if not client.auth_check():
        return 0, ["auth_check failed"]
    count = 0
    methods = {"trace-create": client.trace, "span-create": client.span, "generation-create": client.generation}
    for envelope in given["envelopes"]:
        for event_type, body in calls(envelope):
            methods[event_type](**{name: value for name, value in body.items() if value is not None})
            count += 1
    client.flush()
    return count, []


def send_with_api(given: dict[str, Any]) -> tuple[int, list[str]]:
    """SDK 3 and 4: `api.ingestion.batch`, one event a call, answers read."""
    from langfuse.api import (
        CreateGenerationBody,
        CreateSpanBody,
        IngestionEvent_GenerationCreate,
        IngestionEvent_SpanCreate,
        IngestionEvent_TraceCreate,
        TraceBody,
    )

    client = langfuse.Langfuse(
        public_key=given["public_key"], secret_key=given["secret_key"], host=given["host"], tracing_enabled=False
    )
    if not client.api.projects.get().data:
        return 0, ["no project"]
    kinds = {
        "trace-create": (TraceBody, IngestionEvent_TraceCreate),
        "span-create": (CreateSpanBody, IngestionEvent_SpanCreate),
        "generation-create": (CreateGenerationBody, IngestionEvent_GenerationCreate),
    }
    count, failed = 0, []
    for envelope in given["envelopes"]:
        for event_type, body in calls(envelope):
            if event_type == "generation-create" and body["name"] == "llm":
                body["id"] = str(uuid.uuid4())
            body_type, event = kinds[event_type]
            # Field names differ between the generations of the SDK; the wire's own names fit all of them.
            made = (
                body_type.model_validate(camel(body))
                if hasattr(body_type, "model_validate")
                else body_type(**camel(body))
            )
            answer = client.api.ingestion.batch(
                batch=[event(id=str(uuid.uuid4()), timestamp=datetime.now(UTC).isoformat(), body=made)]
            )
            count += 1
            failed += [str(error) for error in answer.errors]
    return count, failed


def camel(body: dict[str, Any]) -> dict[str, Any]:
    """`trace_id` as `traceId`, also inside `usage`."""
    result = {}
    for key, value in body.items():
        head, *tail = key.split("_")
        result[head + "".join(word.title() for word in tail)] = camel(value) if key == "usage" else value
    return result


if __name__ == "__main__":
    sent, errors = (send_with_client if SDK == 2 else send_with_api)(json.load(sys.stdin))  # noqa: PLR2004
    sys.stdout.write(json.dumps({"sdk": VERSION, "events": sent, "errors": errors}) + "\n")
