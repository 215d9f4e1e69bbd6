"""The real clients of the gateway, each run in an environment of its own."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
ENVIRONMENTS = HERE.parent.parent / ".venv" / "clients"
"""`make clients` builds them: one folder for each line of `requirements/`."""


def python_of(client: str) -> Path:
    """The Python of a client's environment."""
    return ENVIRONMENTS / client / "bin" / "python"


def send_natively(
    client: str,
    *,
    host: str,
    public_key: str,
    secret_key: str,
    envelopes: Sequence[Mapping[str, Any]],
    environ: Mapping[str, str] | None = None,
) -> dict[str, Any]:
    """Has an unmodified Dify's calls made for each envelope; `{"sdk", "events", "errors"}`.

    `client` is `langfuse-2`, `langfuse-3` or `langfuse-4`.
    """
    given = {"host": host, "public_key": public_key, "secret_key": secret_key, "envelopes": list(envelopes)}
    return run(python_of(client), "native.py", given, environ)


def run(python: Path | str, script: str, given: Any, environ: Mapping[str, str] | None = None) -> dict[str, Any]:
    """Runs a client's script; the last line of its output is its JSON result."""
    done = subprocess.run(
        [str(python), str(HERE / script)],
        input=json.dumps(given),
        capture_output=True,
        text=True,
        check=False,
        env={"PATH": "/usr/bin:/bin", "TZ": "UTC", **(environ or {})},
        timeout=120,
    )
    if done.returncode:
        raise RuntimeError(f"{script}: {done.stderr[-2000:]}")
    result: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return result | {"stderr": done.stderr}
