"""Small payloads for the mapper's tests, and their mapping."""

from typing import Any

from mapper import to_trace
from mapper.observation import Observation, Trace
from mapper.options import MappingOptions
from payloads.envelope import parse_payload

RUN = "f0000000-0000-4000-8000-000000000099"
MESSAGE = "b0000000-0000-4000-8000-000000000010"
BEGIN = "2026-01-02T03:04:05"
BEGIN_NS = 1_767_323_045_000_000_000
ARRIVAL_NS = 1_793_000_000_000_000_000
SECOND = 1_000_000_000


def trace_of(trace_type: str, payload: dict[str, Any], **options: Any) -> Trace:
    return to_trace(parse_payload(payload, trace_type), MappingOptions(**{"received_at": ARRIVAL_NS} | options))


def run_of(*nodes: dict[str, Any], **more: Any) -> Trace:
    run = {"workflow_run_id": RUN, "start_time": BEGIN, "workflow_run_elapsed_time": 60, "nodes": list(nodes)}
    return trace_of("workflow", run | more)


def node(node_id: str, node_type: str = "code", begin: int = 0, **more: Any) -> dict[str, Any]:
    return {
        "id": more.pop("id", f"{node_id}-row"),
        "node_id": node_id,
        "node_type": node_type,
        "title": more.pop("title", node_id),
        "status": "succeeded",
        "created_at": f"2026-01-02T03:04:{5 + begin:02d}",
        "elapsed_time": 1.0,
        **more,
    }


def llm(node_id: str, tokens: int = 15, **more: Any) -> dict[str, Any]:
    usage = {"prompt_tokens": tokens - 5, "completion_tokens": 5, "total_tokens": tokens}
    metadata = {"total_tokens": tokens, "total_price": "0.001", "currency": "USD", **more.pop("metadata", {})}
    process_data = {
        "model_mode": "chat",
        "prompts": [{"role": "user", "text": "hi", "files": []}],
        "usage": usage,
        "model_provider": "openai",
        "model_name": "gpt-x",
        **more.pop("process_data", {}),
    }
    return node(node_id, "llm", process_data=process_data, execution_metadata=metadata, **more)


def named(trace: Trace, name: str) -> Observation:
    found = [observation for observation in trace.observations if observation.name == name]
    assert len(found) == 1, f"{len(found)} observations named {name}"
    return found[0]


def path_of(trace: Trace, observation: Observation) -> list[str]:
    """Names from the root down to the observation."""
    by_id = {each.id: each for each in trace.observations}
    path = [observation.name]
    parent = observation.parent_id
    while parent is not None:
        if parent not in by_id:
            return ["?", *path]
        path.insert(0, by_id[parent].name)
        parent = by_id[parent].parent_id
    return path


def total_tokens(trace: Trace) -> int:
    return sum(observation.usage.get("total", 0) for observation in trace.observations)
