"""Knowledge retrieval of an easy-UI app: a retriever of the message's trace."""

from __future__ import annotations

from mapper.content import messages, without_vectors
from mapper.observation import Trace
from mapper.options import MappingOptions
from mapper.trace_wide import own_metadata
from mapper.turn import part_of_turn
from payloads.trace_info import DatasetRetrievalTraceInfo


def to_trace(payload: DatasetRetrievalTraceInfo, options: MappingOptions) -> Trace:
    """`DatasetRetrievalTraceInfo` as one observation. `status` is the message's, so only `error` sets the level."""
    return part_of_turn(
        payload,
        options,
        kind="dataset_retrieval",
        type="retriever",
        name="dataset_retrieval",
        input=messages(payload.inputs),
        output={"documents": without_vectors(payload.documents)},
        level="ERROR" if payload.error else "DEFAULT",
        errors=(payload.error,),
        tags=("dataset_retrieval",),
        metadata=own_metadata(payload, "documents"),
    )
