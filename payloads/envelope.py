"""A JSON value as the trace payload it claims to be."""

from __future__ import annotations

from typing import Any

from pydantic import ValidationError

from payloads.errors import Detail, NotATrace, details_of
from payloads.trace_info import TRACE_TYPES, TraceInfo

_BY_NAME = TRACE_TYPES | {model.__name__: model for model in TRACE_TYPES.values()}
_SHORT_NAMES = ", ".join(TRACE_TYPES)


def parse_payload(item: Any, trace_type: str | None = None) -> TraceInfo:
    """The payload in `item`: Dify's stored envelope, or a bare `trace_info` where `trace_type` names its type.

    Args:
        item: `{"app_id", "trace_info_type", "trace_info"}`, or the inner object alone.
        trace_type: a short name (`workflow`) or a class name (`WorkflowTraceInfo`) from the route.

    Raises:
        NotATrace: with the path of each field that is not as it must be, and never its value.
    """
    if not isinstance(item, dict):
        raise _not_a_trace("", "must be an object")
    is_envelope = "trace_info" in item or "trace_info_type" in item
    model = _model(item.get("trace_info_type") if is_envelope else None, trace_type)
    if not is_envelope:
        return _validated(model, item, None, ())
    trace_info = item.get("trace_info")
    if not isinstance(trace_info, dict):
        raise _not_a_trace("trace_info", "must be an object")
    return _validated(model, trace_info, item.get("app_id"), ("trace_info",))


def _model(named: Any, trace_type: str | None) -> type[TraceInfo]:
    if trace_type is not None and trace_type not in _BY_NAME:
        raise _not_a_trace("trace_type", f"the path must name one of: {_SHORT_NAMES}")
    if named == "dict":
        raise NotATrace(
            "empty_task",
            "Dify had nothing to trace when it stored this task. There is nothing to send; drop it.",
            [Detail("trace_info_type", "is dict, which Dify writes for a task that yielded nothing")],
        )
    if named is None:
        if trace_type is None:
            raise _not_a_trace("trace_info_type", f"is missing; name one of: {_SHORT_NAMES}")
        return _BY_NAME[trace_type]
    if not isinstance(named, str) or named not in _BY_NAME:
        raise _not_a_trace("trace_info_type", f"is not a trace type; it must be one of: {_SHORT_NAMES}")
    if trace_type is not None and _BY_NAME[named] is not _BY_NAME[trace_type]:
        raise _not_a_trace("trace_info_type", "is another type than the path names")
    return _BY_NAME[named]


def _validated(model: type[TraceInfo], trace_info: dict[str, Any], app_id: Any, prefix: tuple[str, ...]) -> TraceInfo:
    data = trace_info
    if isinstance(app_id, str) and not trace_info.get("app_id"):
        data = {**trace_info, "app_id": app_id}
    try:
        payload = model.model_validate(data)
    except ValidationError as error:
        raise NotATrace(
            "invalid_payload",
            "The payload is not what Dify sends for this type. Mend the fields in details, or leave them out.",
            details_of(error, prefix),
        ) from None
    payload._raw = trace_info  # noqa: SLF001 - set once, here; ids that are made from content need the original
    return payload


def _not_a_trace(path: str, problem: str) -> NotATrace:
    detail = Detail(path or "body", problem)
    return NotATrace("not_a_trace", f"This is not a trace payload: {detail.path} {detail.problem}.", [detail])
