"""A span, generation or event of the legacy route as an observation in its trace."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, get_args

from mapper import generate_name, ids
from mapper.content import present, text
from mapper.errors import MappingError
from mapper.ingestion import clock, identity, node_event
from mapper.ingestion.root import as_object, trace_name
from mapper.ingestion.usage import consumed_by
from mapper.ingestion.wording import input_and_output, said
from mapper.observation import Level, Observation, ObservationType, Trace
from mapper.options import MappingOptions
from mapper.trace_wide import identifiers
from mapper.usage import of_generation
from payloads.ingestion import ObservationBody

UNKNOWN_TRACE = (
    "An event came without its trace-create, which this process has not seen: "
    "the trace's user, session, name and tags may be missing on its observation."
)
_PARTS: dict[str, ObservationType] = {
    "moderation": "guardrail",
    "suggested_question": "generation",
    "dataset_retrieval": "retriever",
}
_LEVELS: dict[str, Level] = {name: name for name in get_args(Level)}


@dataclass(frozen=True, slots=True)
class ObservationEvent:
    """An observation's creation with its updates merged in. `at`: when it was written, ns since 1970."""

    type: ObservationType
    body: ObservationBody
    raw: dict[str, Any]
    at: int

    @property
    def metadata(self) -> dict[str, Any]:
        """The body's metadata as an object."""
        return as_object(self.body.metadata)


@dataclass(frozen=True, slots=True)
class _Kind:
    """What an event turns out to be.

    `utc`: its times come from Dify's database; `of_message`: it surely belongs to a message's trace.
    """

    type: ObservationType
    tags: tuple[str, ...] = ()
    utc: bool = False
    of_message: bool = False


def observation_trace(event: ObservationEvent, known: Trace | None, options: MappingOptions) -> Trace:
    """An observation under its trace's root, or under the parent that it names.

    `known`: the trace-wide attributes of its trace, where its trace-create has been seen.

    Raises:
        MappingError: it names no trace.
    """
    body, metadata = event.body, event.metadata
    if body.trace_id is None:
        raise MappingError("body.traceId", "is missing: it names the trace")
    if body.name == generate_name.NAME:
        return _title(event, body.trace_id)
    trace = ids.trace_id(body.trace_id)
    kind = _kind(event)
    own = identifiers(lambda name: text(metadata.get(name)))
    made = node_event.observe(body, event.at, trace, metadata, is_generation=event.type == "generation")
    observations = tuple(made or (_observe(event, trace, kind),))
    if known is None:
        return Trace(
            id=trace,
            name=trace_name("message", metadata, body.trace_id, options) if kind.of_message else None,
            observations=observations,
            user_id=_user_id(metadata),
            session_id=text(metadata.get("conversation_id")),
            tags=(*(("message",) if kind.of_message else ()), *kind.tags),
            metadata=own,
            version=body.version,
            environment=body.environment,
            warnings=(UNKNOWN_TRACE,),
        )
    return replace(
        known,
        observations=observations,
        tags=tuple(dict.fromkeys((*known.tags, *kind.tags))),
        metadata=known.metadata | own,
        version=body.version or known.version,
        environment=body.environment or known.environment,
    )


def _kind(event: ObservationEvent) -> _Kind:
    body, metadata = event.body, event.metadata
    if body.id is not None and body.id == metadata.get("workflow_run_id"):
        return _Kind("chain", utc=True)
    if body.name == "llm" and event.type == "generation" and text(metadata.get("message_id")):
        return _Kind("generation", utc=True, of_message=True)
    if body.name in _PARTS and ("message_id" in metadata or "conversation_id" in metadata):
        return _Kind(_PARTS[body.name], (body.name,), of_message=True)
    if body.name is not None and body.name == metadata.get("tool_name"):
        return _Kind("tool", ("tool", body.name), of_message=True)
    return _Kind(event.type)


def _observe(event: ObservationEvent, trace: str, kind: _Kind) -> Observation:
    body, metadata = event.body, event.metadata
    start, end = clock.span_of(body, event.at, utc=kind.utc)
    given, result = input_and_output(body, is_tool=kind.type == "tool")
    # Dify names the model of its suggested questions in metadata only.
    model = body.model or (text(metadata.get("ls_model_name")) if body.name == "suggested_question" else None)
    consumed = consumed_by(body)
    if kind.type == "generation":
        consumed = of_generation(consumed, model)
    elsewhere = ("tool_inputs", "tool_outputs") if kind.type == "tool" else ()
    kept = {name: value for name, value in metadata.items() if name not in elsewhere}
    return Observation(
        id=identity.observation_id(trace, body, event.raw, metadata),
        parent_id=identity.parent_id(trace, body, metadata),
        type=kind.type,
        name=body.name or event.type,
        start_time=start,
        end_time=end,
        level=_level(body, result),
        status_message=body.status_message,
        input=given,
        output=result,
        metadata=present(**kept) | consumed.metadata,
        model=model,
        model_parameters=body.model_parameters or None,
        usage=consumed.usage,
        cost=consumed.cost,
        completion_start_time=clock.moment(body.completion_start_time, utc=kind.utc),
    )


def _title(event: ObservationEvent, conversation_id: str) -> Trace:
    """A conversation's title: the same trace of one generation that the payload gives, without the tenant as user."""
    body, metadata = event.body, event.metadata
    session = text(metadata.get("conversation_id")) or conversation_id
    trace = generate_name.title_trace_id(session)
    start, end = clock.span_of(body, event.at)
    root = Observation(
        id=ids.root_id(trace),
        parent_id=None,
        type="generation",
        name=generate_name.NAME,
        start_time=start,
        end_time=end,
        level=_level(body, None),
        status_message=body.status_message,
        input=said(body.input, "user"),
        output=said(body.output, "assistant"),
        metadata=present(**metadata),
    )
    return Trace(
        id=trace,
        name=generate_name.NAME,
        observations=(root,),
        session_id=session,
        tags=("generate_name",),
        metadata=identifiers(lambda name: text(metadata.get(name))),
        version=body.version,
        environment=body.environment,
    )


def _level(body: ObservationBody, result: Any) -> Level:
    named = _LEVELS.get(body.level or "", "DEFAULT")
    flagged = body.name == "moderation" and isinstance(result, dict) and result.get("flagged") is True
    return "WARNING" if named == "DEFAULT" and flagged else named


def _user_id(metadata: dict[str, Any]) -> str | None:
    names = ("user_session_id", "user_id", "from_end_user_id", "from_account_id")
    return next((user for name in names if (user := text(metadata.get(name)))), None)
