"""What a report is: a name, one SQL text, the record of its rows. The texts stand in reports/, by topic.

In a text, `$where[column]` stands for the question's filters, with the period on that column; `$where[]` for the
filters alone; `$process`, `$version`, `$department` for how it is grouped, `$interval[column]` for its day or week.
Values are never written into the text: they are query parameters.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import msgspec

from domain.errors import InvalidArgument

MAX_ROWS = 10_000
GROUPS: Mapping[str, tuple[str, str, str]] = {
    "definition": ("bpmn_process_id", "toUInt32(0)", "''"),
    "version": ("bpmn_process_id", "definition_version", "''"),
    "department": ("bpmn_process_id", "toUInt32(0)", "department"),
}
"""by → the expressions of process, version and department."""
INTERVALS: Mapping[str, str] = {
    "day": "toStartOfDay({column}, 'UTC')",
    "week": "toStartOfWeek({column}, 1, 'UTC')",
}
LABELS: Mapping[str, str] = {
    "official": "label = ''",
    "trial": "label = 'trial'",
    "sample": "label = 'sample'",
    "all": "1",
}
NONE = "-"
"""What a filter says to mean "without one"."""
_WHERE = re.compile(r"\$where\[(\w*)\]")
_INTERVAL = re.compile(r"\$interval\[(\w+)\]")


class Question(NamedTuple):
    """What is asked: filters, and how to group. Times in ms since the Unix epoch, 0: open. now: the engine's time.

    tenants: None is all. extra: further parameters of the report at hand, by name.
    """

    now: int
    definition: str = ""
    version: int = 0
    department: str = ""
    since: int = 0
    until: int = 0
    label: str = "official"
    by: str = "definition"
    interval: str = "day"
    calendar: str = "default"
    limit: int = 1_000
    tenants: Sequence[str] | None = None
    extra: Mapping[str, Any] = {}


class Parameter(NamedTuple):
    """A parameter of one report's own. variable: its name in the text. kind: "text", "key", "time" (now, where it is
    not given) or "choice" (among the schema's enum)."""

    variable: str
    kind: str
    schema: Mapping[str, Any]
    required: bool = False


class Report(NamedTuple):
    """A question that can be asked. row: a record whose JSON names are the columns of `sql`, in this order.

    needs_definition: it makes no sense over all definitions. groups, intervals: it knows `by`, `interval`.
    days: how long the period is where none is asked for; 0: all time. drill: parameters of the list of instances behind
    a row → the row's column that each is taken from, or a fixed text after "=".
    """

    name: str
    row: type[msgspec.Struct]
    sql: str
    about: str
    needs_definition: bool = False
    groups: bool = False
    intervals: bool = False
    extra: Mapping[str, Parameter] = {}
    drill: Mapping[str, str] = {}
    days: int = 0

    @property
    def uses_calendar(self) -> bool:
        """Whether it counts working time."""
        return "{calendar:String}" in self.sql


def statement(report: Report, question: Question) -> tuple[str, dict[str, Any]]:
    """The SQL text of a question and its parameters. Raises InvalidArgument."""
    if report.needs_definition and not question.definition:
        raise InvalidArgument(f"'{report.name}' is of one process: say which with 'definitionId'", "definitionId")
    process, version, department = GROUPS[question.by]
    text = _WHERE.sub(lambda found: _conditions(question, found[1]), report.sql)
    text = _INTERVAL.sub(lambda found: INTERVALS[question.interval].replace("{column}", found[1]), text)
    text = text.replace("$process", process).replace("$version", version).replace("$department", department)
    parameters = {
        "now": question.now,
        "since": question.since,
        "until": question.until,
        "definition": question.definition,
        "version": question.version,
        "department": question.department,
        "calendar": question.calendar,
        "limit": question.limit,
        "tenants": list(question.tenants or ()),
        **question.extra,
    }
    return text, {name: value for name, value in parameters.items() if f"{{{name}:" in text}


def _conditions(question: Question, column: str) -> str:
    found = [LABELS[question.label]]
    if question.tenants is not None:
        found.append("tenant IN {tenants:Array(String)}")
    if question.definition:
        found.append("bpmn_process_id = {definition:String}")
    if question.version:
        found.append("definition_version = {version:UInt32}")
    if question.department:
        found.append("department = ''" if question.department == NONE else "department = {department:String}")
    if column and question.since:
        found.append(f"{column} >= fromUnixTimestamp64Milli({{since:Int64}}, 'UTC')")
    if column and question.until:
        found.append(f"{column} < fromUnixTimestamp64Milli({{until:Int64}}, 'UTC')")
    return "(" + " AND ".join(found) + ")"
