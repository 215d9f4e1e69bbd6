import policy
from mapper.observation import Trace
from policy.options import PolicyOptions

TRACE = Trace(id="0" * 31 + "1", name="workflow", observations=(), tags=("workflow",))


def test_the_endpoints_labels_are_added_and_the_traces_own_stay() -> None:
    labelled = policy.apply(TRACE, PolicyOptions(environment="production", release="7", tags=("beta", "workflow")))
    assert labelled is not None
    assert (labelled.environment, labelled.release, labelled.tags) == ("production", "7", ("workflow", "beta"))


def test_without_labels_the_trace_stays_as_it_is() -> None:
    assert policy.apply(TRACE, PolicyOptions()) == TRACE
