"""The stand-in's web pages: projects, traces, and one trace as a tree with a timeline."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime
from html import escape
from typing import Any

from demo.tree import cost, seconds, tokens, walk

_STYLE = """
:root { --ink:#1b2a30; --soft:#6b7b82; --line:#e2e6e4; --paper:#fbfaf7; --err:#c2321f; --warn:#a86a00; }
* { box-sizing:border-box } body { font:15px/1.45 system-ui,sans-serif; color:var(--ink); background:var(--paper);
margin:0 auto; max-width:1180px; padding:28px 24px 80px } a { color:#1d4f5f } h1 { font-size:22px; margin:4px 0 2px }
.sub { color:var(--soft); margin:0 0 18px } .crumbs { color:var(--soft); font-size:13px }
table { width:100%; border-collapse:collapse; background:#fff; border:1px solid var(--line); border-radius:8px }
th { text-align:left; font-size:12px; color:var(--soft); font-weight:600 } th,td { padding:8px 12px;
border-bottom:1px solid var(--line); vertical-align:top } td.n,th.n { text-align:right;
font-variant-numeric:tabular-nums; white-space:nowrap } .type { display:inline-block; font-size:11px; border-radius:4px;
padding:1px 6px; margin-right:7px; background:#e8eef0; color:#29505c } .type.generation { background:#fbe6da; color:#98410f }
.type.tool { background:#e3efe9; color:#1f6350 } .type.retriever { background:#e9e6f5; color:#4b3f8f }
.type.agent { background:#f6e3ee; color:#8a2f63 } .type.guardrail { background:#f3ecd2; color:#735900 }
.ERROR { color:var(--err) } .WARNING { color:var(--warn) } .bar { position:relative; height:10px; background:#f0f1ee;
border-radius:5px; min-width:180px; margin-top:6px } .bar i { position:absolute; top:0; bottom:0; min-width:3px;
border-radius:5px; background:#3f8f7b } .bar i.generation { background:#d9662b } .bar i.bad { background:var(--err) }
details { margin-top:6px } summary { cursor:pointer; color:var(--soft); font-size:12px } pre { white-space:pre-wrap;
overflow-wrap:anywhere; background:#f6f6f2; padding:8px 10px; border-radius:6px; margin:4px 0 8px; font-size:12.5px;
max-height:320px; overflow:auto } .tag { font-size:12px; background:#eceeea; border-radius:10px; padding:1px 8px; margin-right:4px }
"""


def projects(known: Sequence[tuple[str, str]]) -> str:
    """The front page."""
    items = "".join(
        f'<tr><td><a href="/project/{escape(key)}/traces">{escape(name)}</a></td></tr>' for key, name in known
    )
    return _page("Langfuse stand-in", "", f"<table>{items}</table>")


def traces(project_id: str, rows: Sequence[dict[str, Any]]) -> str:
    """A project's traces, the newest first."""
    by_trace: dict[str, list[dict[str, Any]]] = {}
    for row in rows:
        by_trace.setdefault(row["traceId"], []).append(row)
    lines = []
    for trace_id, own in sorted(by_trace.items(), key=lambda item: item[1][0]["startTime"], reverse=True):
        summary = _Summary(own)
        href = f"/project/{escape(project_id)}/traces/{escape(trace_id)}"
        lines.append(
            f'<tr><td>{escape(summary.start)}</td><td><a href="{href}">{escape(summary.name)}</a> {summary.tags}</td>'
            f"<td>{escape(summary.session)}</td><td>{escape(summary.user)}</td>"
            f'<td class="n">{len(own)}</td><td class="n">{_number(summary.tokens)}</td>'
            f'<td class="n">{_money(summary.cost)}</td><td class="{summary.level}">{summary.level}</td></tr>'
        )
    head = (
        "<tr><th>Start</th><th>Trace</th><th>Session</th><th>User</th><th class=n>Observations</th>"
        "<th class=n>Tokens</th><th class=n>Cost</th><th>Level</th></tr>"
    )
    return _page("Traces", '<a href="/">Projects</a>', f"<table>{head}{''.join(lines)}</table>")


def trace(rows: Sequence[dict[str, Any]]) -> str:
    """One trace: each observation with its place in time, and what it holds."""
    if not rows:
        return _page("No such trace", "", "<p>Nothing has arrived under this id.</p>")
    summary = _Summary(rows)
    begin = min(_time(row["startTime"]) for row in rows)
    whole = max(max(_time(row["endTime"]) for row in rows) - begin, 0.001)
    lines = "".join(_row(depth, row, begin, whole) for depth, row in walk(rows))
    head = (
        "<tr><th>Observation</th><th>Timeline</th><th class=n>Duration</th><th class=n>Tokens</th>"
        "<th class=n>Cost</th><th>Level</th></tr>"
    )
    total = (
        f"<tr><th>{len(rows)} observations</th><th></th><th class=n>{whole:.2f} s</th>"
        f"<th class=n>{_number(summary.tokens)}</th><th class=n>{_money(summary.cost)}</th><th></th></tr>"
    )
    sub = f"{summary.tags} user {escape(summary.user)} &middot; session {escape(summary.session)} &middot; {escape(summary.start)}"
    return _page(summary.name, '<a href="../traces">Traces</a>', f"<table>{head}{lines}{total}</table>", sub)


class _Summary:
    """A trace's own attributes, from its observations: v4 has no trace object."""

    def __init__(self, rows: Sequence[dict[str, Any]]) -> None:
        root = next((row for row in rows if row["parentObservationId"] is None), rows[0])
        self.name = next((row["traceName"] for row in rows if row["traceName"]), root["name"])
        self.start = root["startTime"]
        self.user = next((row["userId"] for row in rows if row["userId"]), "-")
        self.session = next((row["sessionId"] for row in rows if row["sessionId"]), "-")
        self.level = root["level"]
        self.tokens = sum(tokens(row) or 0 for row in rows)
        self.cost = sum(cost(row) or 0.0 for row in rows)
        tags = dict.fromkeys(tag for row in rows for tag in row["tags"])
        self.tags = "".join(f'<span class="tag">{escape(tag)}</span>' for tag in tags)


def _row(depth: int, row: dict[str, Any], begin: float, whole: float) -> str:
    left = (_time(row["startTime"]) - begin) / whole * 100
    width = seconds(row) / whole * 100
    bad = " bad" if row["level"] == "ERROR" else ""
    message = f'<div class="{row["level"]}">{escape(row["statusMessage"])}</div>' if row["statusMessage"] else ""
    model = f' <span class="sub">{escape(row["model"])}</span>' if row["model"] else ""
    fields = ("input", "output", "metadata", "usageDetails", "costDetails", "modelParameters", "completionStartTime")
    held = "".join(f"<b>{name}</b><pre>{escape(_text(row[name]))}</pre>" for name in fields if row[name])
    return (
        f'<tr><td style="padding-left:{12 + depth * 24}px"><span class="type {row["type"]}">{row["type"]}</span>'
        f"<b>{escape(row['name'])}</b>{model}{message}<details><summary>content</summary>{held}</details></td>"
        f'<td><div class="bar"><i class="{row["type"]}{bad}" style="left:{left:.2f}%;width:{width:.2f}%"></i></div></td>'
        f'<td class="n">{seconds(row):.2f} s</td><td class="n">{_number(tokens(row))}</td>'
        f'<td class="n">{_money(cost(row))}</td><td class="{row["level"]}">{row["level"]}</td></tr>'
    )


def _text(value: Any) -> str:
    if isinstance(value, str):
        try:
            value = json.loads(value)
        except ValueError:
            return str(value)
    return value if isinstance(value, str) else json.dumps(value, indent=2, ensure_ascii=False)


def _time(text: str) -> float:
    return datetime.fromisoformat(text).timestamp()


def _number(value: int | None) -> str:
    return "" if value is None else f"{value:,}"


def _money(value: float | None) -> str:
    return "" if value is None else f"${value:.6f}"


def _page(title: str, crumbs: str, content: str, sub: str = "") -> str:
    return (
        f'<!doctype html><html lang="en"><meta charset="utf-8"><title>{escape(title)}</title><style>{_STYLE}</style>'
        f'<div class="crumbs">{crumbs}</div><h1>{escape(title)}</h1><p class="sub">{sub}</p>{content}</html>'
    )
