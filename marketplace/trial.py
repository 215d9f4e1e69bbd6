"""A package installed as Dify's daemon does it, and one trace through it."""

from __future__ import annotations

import base64
import json
import os
import subprocess
import sys
import venv
import zipfile
from datetime import UTC, datetime
from pathlib import Path

from demo.conversation import Conversation
from demo.langfuse import stand_in
from demo.plugin_daemon import Local, Runtime, Serverless


def install(package: Path, target: Path) -> Path:
    """Unpacks the package into `target` and makes its environment there; the path of its Python."""
    with zipfile.ZipFile(package) as archive:
        archive.extractall(target)
    environment = target / ".venv"
    venv.create(environment, with_pip=True)
    python = environment / ("Scripts" if os.name == "nt" else "bin") / Path(sys.executable).name
    pip = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    subprocess.run([*pip, "-r", "requirements.txt"], cwd=target, check=True)
    return python


def run_one_trace(plugin: Path, python: Path, kind: type[Runtime] = Local) -> int:
    """Sends a chatflow run through the installed plugin; how many of its observations arrived."""
    with stand_in() as langfuse, kind(langfuse.settings(), python=str(python), plugin=plugin) as runtime:
        keys = base64.b64encode(f"{langfuse.public_key}:{langfuse.secret_key}".encode()).decode()
        body = json.dumps(Conversation(datetime.now(UTC)).workflow()).encode()
        reply = runtime.request("POST", "/traces", headers={"Authorization": f"Basic {keys}"}, body=body)
        return len(langfuse.observations(reply.json()["traces"][0]["trace_id"]))


RUNTIMES: tuple[type[Runtime], ...] = (Local, Serverless)
"""Dify's own daemon, and what the marketplace's install test starts."""
