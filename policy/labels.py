"""The endpoint's own labels: environment, release, and tags beside the trace's."""

from __future__ import annotations

from dataclasses import replace

from mapper.observation import Trace
from policy.options import PolicyOptions


def label(trace: Trace, options: PolicyOptions) -> Trace:
    """`trace` with the endpoint's environment and release, where set, and its tags added, each tag once."""
    return replace(
        trace,
        environment=options.environment or trace.environment,
        release=options.release or trace.release,
        tags=tuple(dict.fromkeys((*trace.tags, *options.tags))),
    )
