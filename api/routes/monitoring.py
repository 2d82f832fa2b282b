"""Monitoring: the reports over what is recorded (projections/monitoring/reports/), each at its own address, as JSON for
programs and as CSV, XLSX or Parquet for people. Every answer says which position and time it reflects.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import msgspec
from starlette.responses import Response, StreamingResponse

from api.call import POSITION, Call, answer
from api.exports import CONTENT_TYPES, LINES, as_csv, as_xlsx
from api.monitoring_questions import PATH, drill_link, format_of, parameters, question_of, reflected
from api.operations import PREFIX, Handler, Operation
from api.reads import behind, demanded
from projections.monitoring.ports import columns_of
from projections.monitoring.report import Question, Report
from projections.monitoring.reports import REPORTS
from projections.time import iso

TAG = "Monitoring"


async def get_monitoring_reports(call: Call) -> Response:
    """The reports that there are: what each says, its columns, its parameters; and how far the store is."""
    fresh = await call.services.monitoring.freshness()
    items = [
        {
            "name": report.name,
            "about": report.about,
            "address": f"{PREFIX}{PATH}/{report.name}",
            "columns": list(columns_of(report.row)),
            "parameters": parameters(report),
        }
        for report in REPORTS.values()
    ]
    return answer({"items": items, "reflects": reflected(fresh.position, fresh.reflects_at)}, fresh.position)


def handler_of(report: Report) -> Handler:
    """The handler of one report."""

    async def get_monitoring(call: Call) -> Response:
        question = question_of(call, report)
        await _settle(call)
        wanted = format_of(call)
        return await (_rows(call, report, question) if wanted == "json" else _file(call, report, question, wanted))

    get_monitoring.__name__ = "get_monitoring_" + report.name.replace("-", "_")
    get_monitoring.__doc__ = report.about
    return get_monitoring


async def _settle(call: Call) -> None:
    """Wait until the store has reached what the request demands."""
    position, settings, monitoring = demanded(call), call.services.settings, call.services.monitoring
    if position and not await monitoring.wait_for(position, settings.min_position_wait):
        raise behind("the monitoring store has", (await monitoring.freshness()).position, position, settings)


async def _rows(call: Call, report: Report, question: Question) -> Response:
    found = await call.services.monitoring.ask(report, question)
    items: list[dict[str, Any]] = []
    for row in found.rows:
        item: dict[str, Any] = msgspec.to_builtins(row)
        link = drill_link(report, question, item)
        if link is not None:
            item["instances"] = link
        items.append(item)
    fresh = found.freshness
    content = {
        "report": report.name,
        "items": items,
        "truncated": len(items) == question.limit,
        "period": {
            "since": iso(question.since) if question.since else None,
            "until": iso(question.until) if question.until else None,
        },
        "reflects": reflected(fresh.position, fresh.reflects_at),
    }
    return answer(content, fresh.position)


async def _file(call: Call, report: Report, question: Question, wanted: str) -> Response:
    fresh, pieces = await call.services.monitoring.export(report, question, "Parquet" if wanted == "parquet" else LINES)
    header = list(columns_of(report.row))
    body: AsyncIterator[bytes] = pieces
    if wanted == "csv":
        body = as_csv(header, pieces)
    elif wanted == "xlsx":
        body = as_xlsx(report.name, header, pieces)
    headers = {
        POSITION: str(fresh.position),
        "Content-Disposition": f'attachment; filename="{report.name}.{wanted}"',
        "Flowledger-Reflects-At": iso(fresh.reflects_at) if fresh.reflects_at else "",
    }
    return StreamingResponse(body, headers=headers, media_type=CONTENT_TYPES[wanted])


def _answer_schema(report: Report) -> dict[str, Any]:
    row = {
        "type": "object",
        "properties": {
            **{name: {} for name in columns_of(report.row)},
            "instances": {"type": "string", "description": "The address of the instances behind this row."},
        },
    }
    return {
        "type": "object",
        "properties": {
            "report": {"type": "string"},
            "items": {"type": "array", "items": row},
            "truncated": {"type": "boolean", "description": "There may be more rows than the limit."},
            "period": {"type": "object"},
            "reflects": {"type": "object", "description": "The log position and time that the answer reflects."},
        },
    }


OPERATIONS = (
    Operation("GET", PATH, get_monitoring_reports, TAG, answer={"type": "object"}, errors=(503,)),
    *(
        Operation(
            "GET",
            f"{PATH}/{report.name}",
            handler_of(report),
            TAG,
            answer=_answer_schema(report),
            reads=True,
            query=parameters(report),
            errors=(503,),
        )
        for report in REPORTS.values()
    ),
)
