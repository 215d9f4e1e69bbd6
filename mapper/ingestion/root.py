"""A trace-create as the root of its trace."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from mapper import ids, times
from mapper.content import present, text
from mapper.ingestion import clock
from mapper.ingestion.wording import root_input_and_output
from mapper.level import level, status_message
from mapper.observation import Observation, Trace
from mapper.options import MappingOptions
from mapper.trace_wide import identifiers
from payloads.ingestion import TraceBody

_LONGEST_QUEUE_NS = 600_000_000_000


def root_trace(
    body: TraceBody, raw: dict[str, Any], at: int, options: MappingOptions, company: Sequence[Observation] = ()
) -> Trace:
    """The root observation and the trace-wide attributes. `at`: when the event was written (ns).

    A trace-create has no times: those of the message or the run are worked out from it, and set right by
    `company`, the observations of the same trace that came in the same request.
    """
    key = body.id or ids.content_digest(raw)
    trace = ids.trace_id(key)
    metadata = as_object(body.metadata)
    given, result, rest = root_input_and_output(body)
    of_level = level(text(metadata.get("status")), None)
    start, end = _span_of(body, metadata, rest, at, company)
    root = Observation(
        id=ids.root_id(trace),
        parent_id=None,
        type="agent" if metadata.get("agent_based") is True else "chain",
        name=body.name or "trace",
        start_time=start,
        end_time=end,
        level=of_level,
        status_message=status_message(of_level, text(rest.get("error"))),
        input=given,
        output=result,
        metadata=present(**metadata | rest),
    )
    return Trace(
        id=trace,
        name=trace_name(body.name, metadata, key, options),
        observations=(root,),
        user_id=body.user_id,
        session_id=body.session_id,
        tags=tuple(body.tags or ()),
        metadata=identifiers(lambda name: text(metadata.get(name))),
        version=body.version,
        environment=body.environment,
        release=body.release,
    )


def trace_name(name: str | None, metadata: dict[str, Any], key: str, options: MappingOptions) -> str | None:
    """A trace's name, with its id where the owner wants Dify's documented names."""
    if not options.names_with_id or name not in {"message", "workflow"}:
        return name
    return f"{name}_{text(metadata.get('message_id' if name == 'message' else 'workflow_run_id')) or key}"


def as_object(metadata: Any) -> dict[str, Any]:
    """Metadata as an object, whatever the client sent for it."""
    if isinstance(metadata, dict):
        return metadata
    return {} if metadata is None else {"metadata": metadata}


def _span_of(
    body: TraceBody, metadata: dict[str, Any], rest: dict[str, Any], at: int, company: Sequence[Observation]
) -> tuple[int, int]:
    """A message began when it was created; a run began at its `sys.timestamp`, or else had ended by the event."""
    created = clock.parsed(rest.get("created_at"))
    if created is not None:
        answered = (each.end_time for each in company if each.name == "llm" and each.type == "generation")
        return created, max(created, *answered, created + clock.duration(rest.get("provider_response_latency")))
    if company:
        return min(each.start_time for each in company), max(each.end_time for each in company)
    written = at if body.timestamp is None else times.to_ns(body.timestamp)
    elapsed = clock.duration(metadata.get("elapsed_time"))
    begun = clock.duration(body.input.get("sys.timestamp")) if isinstance(body.input, dict) else 0
    # The event is written seconds after the run, when Dify's queue gets to it.
    start = begun if 0 <= written - elapsed - begun < _LONGEST_QUEUE_NS else written - elapsed
    return start, start + elapsed
