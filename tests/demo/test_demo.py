import subprocess
import sys

import httpx

from demo.conversation import Conversation
from demo.plugin_daemon import ROOT
from tests.conftest import Plugin


def test_the_demo_shows_the_seven_types_as_trees() -> None:
    done = subprocess.run([sys.executable, "-m", "demo"], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    for part in ("moderation", "dataset_retrieval", "track_order", "suggested_question", "generate_conversation_name"):
        assert part in done.stdout
    assert "21 observations, 1388 tokens" in done.stdout
    assert "      iteration 2" in done.stdout
    assert "WARNING The label service is closed." in done.stdout


def test_the_pages_show_a_trace(plugin: Plugin, conversation: Conversation) -> None:
    [trace] = plugin.post("/traces", conversation.workflow()).json()["traces"]
    page = httpx.get(trace["url"])
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    for text in ("Write the answer", "1,388", "$0.000293", "The label service is closed."):
        assert text in page.text
    assert trace["trace_id"] in httpx.get(f"{plugin.langfuse.host}/project/demo/traces").text
