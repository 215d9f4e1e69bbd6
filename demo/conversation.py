"""One conversation with a shop's support bot, as Dify stores its trace payloads: all seven types.

First turn: an agent-chat app (moderation, retrieval, a tool call, the answer, suggested questions, the title).
Second turn: a chatflow of fourteen node executions (retry, iteration, agent, handled error) that answers about a return.
"""

from __future__ import annotations

import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

_NAMESPACE = uuid.UUID("6f1d2c3b-0000-4000-8000-000000000000")
_MODEL = "gpt-4o-mini"
_PROVIDER = "langgenius/openai/openai"


class Conversation:
    """The payloads of one conversation that began at `start` (UTC); equal starts give equal payloads."""

    def __init__(self, start: datetime) -> None:
        self._start = start.astimezone(UTC).replace(tzinfo=None)
        self.app_id = self._id("app")
        self.chatflow_id = self._id("chatflow")
        self.conversation_id = self._id("conversation")
        self.message_id = self._id("message")
        self.second_message_id = self._id("second message")
        self.run_id = self._id("run")
        self._tenant_id = self._id("tenant")
        self._user = "customer-4711"

    def envelopes(self) -> list[dict[str, Any]]:
        """All payloads in the order in which Dify would store them."""
        return [
            self.moderation(),
            self.dataset_retrieval(),
            self.tool(),
            self.message(),
            self.generate_name(),
            self.suggested_question(),
            self.workflow(),
        ]

    def message(self) -> dict[str, Any]:
        """The agent's answer."""
        return self._envelope(
            "MessageTraceInfo",
            {
                **self._turn(0.0, 4.2),
                "inputs": self._prompt(),
                "outputs": _ANSWER,
                "conversation_model": "agent-chat",
                "conversation_mode": "agent-chat",
                "message_tokens": 812,
                "answer_tokens": 96,
                "total_tokens": 908,
                "error": "",
                "file_list": [],
                "message_file_data": None,
                "gen_ai_server_time_to_first_token": 0.61,
                "llm_streaming_time_to_generate": 3.4,
                "is_streaming_request": True,
                "metadata": {**self._message_metadata(), "message_id": self.message_id},
            },
        )

    def moderation(self) -> dict[str, Any]:
        """Input moderation of the question: not flagged."""
        verdict = {"action": "direct_output", "preset_response": "Let us keep it friendly.", "query": _QUESTION}
        return self._envelope(
            "ModerationTraceInfo",
            {
                **self._turn(0.02, 0.21),
                "inputs": {"language": "en"},
                "flagged": False,
                **verdict,
                "metadata": {"message_id": self.message_id, **verdict},
            },
        )

    def dataset_retrieval(self) -> dict[str, Any]:
        """Two passages of the shop's handbook."""
        passages = ("Orders ship within two working days.", "A delayed parcel is traced after day five.")
        embedding = {"embedding_model": "text-embedding-3-small", "embedding_model_provider": _PROVIDER}
        return self._envelope(
            "DatasetRetrievalTraceInfo",
            {
                **self._turn(0.25, 0.62),
                "inputs": _QUESTION,
                "documents": [self._document(text, index) for index, text in enumerate(passages)],
                "error": None,
                "metadata": {
                    **self._message_metadata(),
                    "message_id": self.message_id,
                    "embedding_models": {self._id("dataset"): embedding},
                },
            },
        )

    def tool(self) -> dict[str, Any]:
        """The order system's answer."""
        config = {"tool_provider": "orders", "tool_provider_type": "api", "tool_parameters": {}}
        call = {
            "tool_name": "track_order",
            "tool_inputs": {"order": "A-2201"},
            "tool_outputs": '{"status": "in transit", "eta": "2 days"}',
            "tool_config": config,
            "time_cost": 0.83,
            "error": None,
            "tool_parameters": {"order": "A-2201"},
        }
        return self._envelope(
            "ToolTraceInfo",
            {
                **self._turn(1.4, 2.23),
                "inputs": self._prompt(),
                "outputs": _ANSWER,
                **call,
                "message_file_data": None,
                "file_url": "",
                "metadata": {"message_id": self.message_id, **call},
            },
        )

    def suggested_question(self) -> dict[str, Any]:
        """Follow-up questions. The total is the message's: this call's own usage is unknown."""
        return self._envelope(
            "SuggestedQuestionTraceInfo",
            {
                **self._turn(4.4, 5.3),
                "inputs": self._prompt(),
                "outputs": _ANSWER,
                "total_tokens": 908,
                "status": "normal",
                "error": None,
                "from_account_id": None,
                "agent_based": True,
                "from_source": "api",
                "model_provider": _PROVIDER,
                "model_id": _MODEL,
                "suggested_question": ["Can I still change the address?", "How do I return it?"],
                "level": "normal",
                "status_message": None,
                "workflow_run_id": None,
                "metadata": {**self._message_metadata(), "message_id": self.message_id},
            },
        )

    def generate_name(self) -> dict[str, Any]:
        """The conversation's title."""
        return self._envelope(
            "GenerateNameTraceInfo",
            {
                "message_id": None,
                "message_data": None,
                "inputs": f"Give this conversation a short title: {_QUESTION}",
                "outputs": "Where is my parcel?",
                "start_time": self._at(4.25),
                "end_time": self._at(4.9),
                "metadata": {"conversation_id": self.conversation_id, "tenant_id": self._tenant_id},
                "trace_id": None,
                "conversation_id": self.conversation_id,
                "tenant_id": self._tenant_id,
            },
        )

    def workflow(self) -> dict[str, Any]:
        """The second turn: a chatflow run with its node executions."""
        nodes = self.nodes()
        begin, end, elapsed = self._at(60.0), self._at(69.4), 9.4
        tokens = sum(row["metadata"].get("total_tokens", 0) for row in nodes if row["node_type"] != "iteration")
        inputs = {
            "order": "A-2201",
            "sys.query": _RETURN_QUESTION,
            "sys.user_id": self._user,
            "sys.files": [],
            "sys.dialogue_count": 2,
            "sys.workflow_run_id": self.run_id,
        }
        version = "2026-11-01 10:00:00.000000"
        return self._envelope(
            "WorkflowTraceInfo",
            {
                "message_id": self.second_message_id,
                "message_data": None,
                "inputs": None,
                "outputs": None,
                "start_time": begin,
                "end_time": end,
                "metadata": {
                    "workflow_id": self.chatflow_id,
                    "conversation_id": self.conversation_id,
                    "workflow_run_id": self.run_id,
                    "tenant_id": self._tenant_id,
                    "elapsed_time": elapsed,
                    "status": "succeeded",
                    "version": version,
                    "total_tokens": tokens,
                    "file_list": [],
                    "triggered_from": "app-run",
                    "user_id": self._user,
                    "app_id": self.app_id,
                    "app_name": "Shop support",
                    "workspace_name": "Acme",
                },
                "trace_id": None,
                "workflow_data": {
                    "id": self.run_id,
                    "type": "chat",
                    "triggered_from": "app-run",
                    "version": version,
                    "graph": {"nodes": [], "edges": []},
                    "inputs": inputs,
                    "status": "succeeded",
                    "outputs": {"answer": _RETURN_ANSWER},
                    "total_steps": len(nodes),
                    "exceptions_count": 1,
                },
                "conversation_id": self.conversation_id,
                "workflow_app_log_id": None,
                "workflow_id": self.chatflow_id,
                "tenant_id": self._tenant_id,
                "workflow_run_id": self.run_id,
                "workflow_run_elapsed_time": elapsed,
                "workflow_run_status": "succeeded",
                "workflow_run_inputs": inputs,
                "workflow_run_outputs": {"answer": _RETURN_ANSWER},
                "workflow_run_version": version,
                "error": "",
                "total_tokens": tokens,
                "file_list": [],
                "query": _RETURN_QUESTION,
                "invoked_by": f"end_user:{self._user}",
                "workflow_node_executions": nodes,
            },
            app_id=self.app_id,
        )

    def nodes(self) -> list[dict[str, Any]]:
        """The run's node executions, in Dify's own shape."""
        inside = {"iteration_id": "iterate"}
        return [
            self._node("start", "start", "Start", 60.0, 0.01, outputs={"order": "A-2201"}),
            self._llm("classify", "question-classifier", "What is it about?", 60.05, 0.9, (210, 12, "0.0000387"),
                      outputs={"class_name": "return", "class_id": "2"}),
            self._node("switch", "if-else", "Is it a return?", 61.0, 0.02, outputs={"result": True, "selected_case_id": "true"}),
            self._node("knowledge", "knowledge-retrieval", "Return policy", 61.05, 0.45, inputs={"query": _RETURN_QUESTION},
                       outputs={"result": [{"title": "returns.md", "content": "30 days, unworn.", "metadata": {"score": 0.91}}]}),
            self._node("fetch", "http-request", "Fetch order", 61.5, 1.0, status="retry", error="503 Service Unavailable",
                       key="fetch attempt"),
            self._node("fetch", "http-request", "Fetch order", 62.6, 0.7, outputs={"status_code": 200, "body": '{"items": 2}'}),
            self._node("iterate", "iteration", "Each item", 63.4, 2.4, inputs={"iterator_selector": ["coat", "boots"]},
                       outputs={"output": ["returnable", "not returnable"]},
                       metadata={"total_tokens": 366, "total_price": "0.0000801", "currency": "USD",
                                 "iteration_duration_map": {"0": 1.2, "1": 1.2}}),
            self._llm("judge", "llm", "Judge the item", 63.45, 1.1, (160, 22, "0.0000372"), key="judge 0",
                      outputs={"text": "returnable"}, metadata={**inside, "iteration_index": 0}),
            self._llm("judge", "llm", "Judge the item", 64.65, 1.1, (158, 26, "0.0000429"), key="judge 1",
                      outputs={"text": "not returnable"}, metadata={**inside, "iteration_index": 1}),
            self._node("label", "tool", "Print label", 65.9, 0.6, status="exception", error="The label service is closed.",
                       outputs={"text": ""}, metadata={"tool_info": {"provider_type": "api", "provider_id": "labels"},
                                                       "error_strategy": "default-value"}),
            self._agent(),
            self._node("shape", "code", "Put it together", 68.3, 0.05, inputs={"parts": 2}, outputs={"text": "..."}),
            self._llm("write", "llm", "Write the answer", 68.4, 0.9, (402, 88, "0.0001131"), outputs={"text": _RETURN_ANSWER},
                      details={"prompt_tokens_details": {"cached_tokens": 128}, "time_to_first_token": 0.31}),
            self._node("answer", "answer", "Answer", 69.35, 0.02, outputs={"answer": _RETURN_ANSWER}),
        ]  # fmt: skip

    def _agent(self) -> dict[str, Any]:
        """A function-calling agent; its log's clock is a process clock."""

        def entry(key: str, label: str, begin: float, end: float, **more: Any) -> dict[str, Any]:
            clock = {"started_at": 51_000.0 + begin, "finished_at": 51_000.0 + end, "elapsed_time": end - begin}
            return {
                "id": key,
                "parent_id": more.get("parent"),
                "label": label,
                "status": "success",
                "error": None,
                "data": more.get("data", {}),
                "metadata": clock | more.get("metadata", {}),
            }

        spent = {"total_tokens": 310, "total_price": 0.0000615, "currency": "USD", "provider": _PROVIDER}
        call = {
            "output": {
                "tool_call_id": "call_1",
                "tool_call_name": "pickup_slots",
                "tool_call_input": {"zip": "10115"},
                "tool_response": "Thu 9-12, Fri 14-18",
            }
        }
        log = [
            entry("round-1", "ROUND 1", 0.0, 1.6, metadata=spent),
            entry(
                "thought-1", f"{_MODEL} Thought", 0.0, 0.9, parent="round-1", metadata=spent,
                data={"output": "I need the pickup slots.", "tool_name": "pickup_slots"},
            ),
            entry("call-1", "CALL pickup_slots", 0.95, 1.6, parent="round-1", data=call, metadata={"provider": "courier"}),
        ]  # fmt: skip
        return self._node(
            "agent", "agent", "Arrange the pickup", 66.6, 1.65, inputs={"query": "Find a pickup slot"},
            outputs={"text": "Thu 9-12", "usage": {"total_tokens": 310, "total_price": "0.0000615", "currency": "USD"}},
            metadata={"agent_log": log, "total_tokens": 310, "total_price": "0.0000615", "currency": "USD"},
        )  # fmt: skip

    def _llm(
        self, node_id: str, node_type: str, title: str, begin: float, elapsed: float, spent: tuple[int, int, str],
        *, metadata: dict[str, Any] | None = None, details: dict[str, Any] | None = None, **more: Any,
    ) -> dict[str, Any]:  # fmt: skip
        tokens_in, tokens_out, price = spent
        usage = {
            "prompt_tokens": tokens_in,
            "completion_tokens": tokens_out,
            "total_tokens": tokens_in + tokens_out,
            "total_price": price,
            "currency": "USD",
            "latency": elapsed,
            **(details or {}),
        }
        process_data = {
            "model_mode": "chat",
            "prompts": [
                {"role": "system", "text": "You help the customers of a shop.", "files": []},
                {"role": "user", "text": _RETURN_QUESTION, "files": []},
            ],
            "usage": usage,
            "finish_reason": "stop",
            "model_provider": _PROVIDER,
            "model_name": _MODEL,
        }
        totals = {"total_tokens": tokens_in + tokens_out, "total_price": price, "currency": "USD"}
        return self._node(
            node_id, node_type, title, begin, elapsed, inputs={"query": _RETURN_QUESTION}, process_data=process_data,
            metadata={**totals, **(metadata or {})}, **more,
        )  # fmt: skip

    def _node(
        self, node_id: str, node_type: str, title: str, begin: float, elapsed: float, *, key: str | None = None, **more: Any
    ) -> dict[str, Any]:  # fmt: skip
        return {
            "id": self._id(f"node {key or node_id}"),
            "node_execution_id": self._id(f"node {key or node_id}"),
            "workflow_id": self.chatflow_id,
            "workflow_execution_id": self.run_id,
            "index": int(begin * 100) - 5999,
            "node_id": node_id,
            "node_type": node_type,
            "title": title,
            "predecessor_node_id": None,
            "inputs": more.get("inputs"),
            "process_data": more.get("process_data"),
            "outputs": more.get("outputs"),
            "status": more.get("status", "succeeded"),
            "error": more.get("error"),
            "elapsed_time": elapsed,
            "metadata": more.get("metadata", {}),
            "created_at": self._at(begin),
            "finished_at": self._at(begin + elapsed),
        }

    def _turn(self, begin: float, end: float) -> dict[str, Any]:
        return {
            "message_id": self.message_id,
            "message_data": self._message_data(),
            "outputs": None,
            "start_time": self._at(begin),
            "end_time": self._at(end),
            "trace_id": None,
        }

    def _message_data(self) -> dict[str, Any]:
        return {
            "id": self.message_id,
            "app_id": self.app_id,
            "conversation_id": self.conversation_id,
            "model_id": _MODEL,
            "inputs": {"language": "en"},
            "query": _QUESTION,
            "total_price": "0.0001794",
            "message": self._prompt(),
            "answer": _ANSWER,
            "status": "normal",
            "error": None,
            "message_metadata": {
                "usage": {
                    "prompt_tokens": 812,
                    "prompt_price": "0.0001218",
                    "completion_tokens": 96,
                    "completion_price": "0.0000576",
                    "total_tokens": 908,
                    "total_price": "0.0001794",
                    "currency": "USD",
                    "latency": 4.2,
                    "time_to_first_token": 0.61,
                }
            },
            "from_source": "api",
            "from_end_user_id": self._id("end user"),
            "from_account_id": None,
            "created_at": self._at(0.0),
            "updated_at": self._at(4.2),
            "agent_based": True,
            "workflow_run_id": None,
        }

    def _message_metadata(self) -> dict[str, Any]:
        return {
            "conversation_id": self.conversation_id,
            "ls_provider": _PROVIDER,
            "ls_model_name": _MODEL,
            "status": "normal",
            "from_end_user_id": self._id("end user"),
            "from_account_id": None,
            "agent_based": True,
            "workflow_run_id": None,
            "from_source": "api",
            "tenant_id": self._tenant_id,
            "app_id": self.app_id,
            "user_id": self._user,
            "app_name": "Shop support",
            "workspace_name": "Acme",
        }

    def _document(self, text: str, index: int) -> dict[str, Any]:
        metadata = {
            "dataset_id": self._id("dataset"),
            "dataset_name": "Handbook",
            "document_name": "shipping.md",
            "segment_id": self._id(f"segment {index}"),
            "score": 0.83 - index / 10,
        }
        return {"page_content": text, "vector": None, "metadata": metadata, "provider": "dify", "children": None}

    def _prompt(self) -> list[dict[str, Any]]:
        return [
            {"role": "system", "text": "You help the customers of a shop. Be brief.", "files": []},
            {"role": "user", "text": _QUESTION, "files": []},
        ]

    def _envelope(self, trace_info_type: str, trace_info: dict[str, Any], app_id: str | None = None) -> dict[str, Any]:
        return {"app_id": app_id or self.app_id, "trace_info_type": trace_info_type, "trace_info": trace_info}

    def _id(self, name: str) -> str:
        return str(uuid.uuid5(_NAMESPACE, f"{self._start.isoformat()} {name}"))

    def _at(self, seconds: float) -> str:
        """A naive UTC time, as Dify writes it."""
        return (self._start + timedelta(seconds=seconds)).isoformat()


_QUESTION = "Where is my parcel A-2201?"
_ANSWER = "It is in transit and should arrive in two days."
_RETURN_QUESTION = "Can I send the coat and the boots back?"
_RETURN_ANSWER = "The coat yes, the boots no: they were worn. A courier can collect the coat on Thursday, 9 to 12."
