"""Which traces are kept, decided by the trace id alone: all parts of a turn agree, on every process."""

from __future__ import annotations

import hashlib

from mapper.observation import Trace
from policy.options import PolicyOptions

_RANGE = float(2**64)


def sample(trace: Trace, options: PolicyOptions) -> Trace | None:
    """`trace`, or None where it falls outside the sample. What tells of an error is always kept."""
    if is_sampled(trace.id, options.sample_rate) or any(each.level == "ERROR" for each in trace.observations):
        return trace
    return None


def is_sampled(trace_id: str, rate: float) -> bool:
    """Whether a trace id falls into a sample of `rate` (0 to 1).

    By a hash: the first half of an id may be a clock, and then neighbours in time would share their fate.
    """
    return int.from_bytes(hashlib.sha256(trace_id.encode()).digest()[:8]) < rate * _RANGE
