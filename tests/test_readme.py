"""What the README tells users to send is accepted, as they would send it."""

import re

from marketplace.build import ROOT
from payloads.trace_info import TRACE_TYPES
from tests.conftest import Plugin, find

README = (ROOT / "README.md").read_text()


def example(name: str) -> str:
    found = re.search(rf"```json {name}\n(.*?)```", README, re.DOTALL)
    assert found is not None, name
    return found[1]


def test_the_http_request_nodes_body_is_accepted(plugin: Plugin) -> None:
    # Dify replaces the variables before the node sends the body.
    body = re.sub(r"\{\{#([\w.]+)#\}\}", r"value of \1", example("http-request-node"))
    reply = plugin.post("/traces", body=body.encode())
    assert reply.status == 200, reply.body
    [row] = plugin.langfuse.observations(reply.json()["traces"][0]["trace_id"])
    assert row["userId"] == "value of sys.user_id"
    assert row["output"] == '{"answer":"value of LLM.text"}'
    assert len(reply.json()["warnings"]) == 1


def test_the_curl_body_is_accepted(plugin: Plugin) -> None:
    reply = plugin.post("/traces", body=example("curl").encode())
    rows = plugin.langfuse.observations(reply.json()["traces"][0]["trace_id"])
    assert find(rows, "llm")["costDetails"] == {"total": 0.0000117}
    assert reply.json()["warnings"] == []


def test_every_trace_type_and_every_error_code_is_in_the_readme() -> None:
    assert all(f"`{name}`" in README for name in TRACE_TYPES)
    sources = [
        path.read_text() for room in ("payloads", "provider", "endpoints") for path in (ROOT / room).glob("*.py")
    ]
    calls = r'(?:BodyError|BodyTooLarge|NotATrace|Refused|TryAgain|TooLarge|Problem)\(\s*(?:status, )?"([a-z_]+)"'
    tables = r'\d{3}: \("([a-z_]+)"|^_[A-Z_]+ = \("([a-z_]+)"|"(rate_limited)" if|else "(unavailable)"'
    codes = {code for text in sources for code in re.findall(calls, text)}
    codes |= {code for text in sources for codes in re.findall(tables, text, re.MULTILINE) for code in codes if code}
    assert len(codes) > 15
    assert not [code for code in codes if f"`{code}`" not in README]
