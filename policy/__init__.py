"""What the endpoint's owner wants done to every trace before it leaves: pure `Trace -> Trace | None` steps.

A step that returns None drops the trace. The order of the chain is the order of `CHAIN`.
"""

from __future__ import annotations

from collections.abc import Callable

from mapper.observation import Trace
from policy.content import withhold
from policy.fit import fit
from policy.labels import label
from policy.masking import mask
from policy.options import PolicyOptions
from policy.sampling import sample

CHAIN: tuple[Callable[[Trace, PolicyOptions], Trace | None], ...] = (
    sample,
    withhold,
    mask,
    label,
    fit,
)


def apply(trace: Trace, options: PolicyOptions) -> Trace | None:
    """`trace` after every step, or None where a step dropped it."""
    current: Trace | None = trace
    for step in CHAIN:
        if current is None:
            return None
        current = step(current, options)
    return current
