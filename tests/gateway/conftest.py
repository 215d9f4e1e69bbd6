from collections.abc import Iterator
from typing import Any, TypedDict

import pytest

from demo.langfuse import StandInProcess
from demo.plugin_daemon import Front, Runtime
from tests.conftest import Plugin


class Keys(TypedDict):
    public_key: str
    secret_key: str


class Gateway(Plugin):
    """The plugin behind the URL that Dify shows."""

    def front(self, **settings: Any) -> Front:
        return Front(self.runtime, self.settings(**settings))

    def keys(self, secret_key: str | None = None) -> Keys:
        return {"public_key": self.langfuse.public_key, "secret_key": secret_key or self.langfuse.secret_key}


@pytest.fixture
def gateway(local_runtime: Runtime, langfuse: StandInProcess) -> Gateway:
    return Gateway(local_runtime, langfuse)


@pytest.fixture
def front(gateway: Gateway) -> Iterator[Front]:
    with gateway.front() as made:
        yield made
