"""Knowledge retrieval of an easy-UI app: a retriever of the message's trace."""

from __future__ import annotations

from mapper.content import messages, without_vectors
from mapper.message_data import message_fields
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
        metadata=own_metadata(
            payload,
            ls_provider=payload.ls_provider,
            ls_model_name=payload.ls_model_name,
            status=payload.status,
            from_end_user_id=payload.from_end_user_id,
            from_account_id=payload.from_account_id,
            agent_based=payload.agent_based,
            from_source=payload.from_source,
            embedding_models=payload.embedding_models,
            message_data=message_fields(payload),
            error=payload.error,
        ),
    )
