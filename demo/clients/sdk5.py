"""A trace through the client of langfuse 5, in that SDK's own environment.

Reads `{"host", "public_key", "secret_key", "session", "user"}` from standard input; prints `{"trace_id"}`.
"""

import json
import sys

from langfuse import Langfuse, propagate_attributes

given = json.load(sys.stdin)
client = Langfuse(public_key=given["public_key"], secret_key=given["secret_key"], base_url=given["host"])
with client.start_as_current_observation(as_type="agent", name="answer", input={"question": "q"}) as root:
    trace_id = root.trace_id
    with (
        propagate_attributes(session_id=given["session"], user_id=given["user"], tags=["sdk5"]),
        client.start_as_current_observation(as_type="generation", name="call", model="gpt-4o") as call,
    ):
        call.update(output="a", usage_details={"input": 3, "output": 4}, cost_details={"total": 0.5})
    root.update(output="a", metadata={"count": 1})
client.flush()
sys.stdout.write(json.dumps({"trace_id": trace_id, "auth": client.auth_check()}) + "\n")
