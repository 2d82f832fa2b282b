"""All reports: each has one SQL text and the record of its rows."""

from collections.abc import Mapping

from projections.monitoring.report import Report
from projections.monitoring.reports import board, durations, elements, flow, instances, quality, weekly

REPORTS: Mapping[str, Report] = {
    report.name: report
    for report in (
        *board.REPORTS,
        *durations.REPORTS,
        *elements.REPORTS,
        *quality.REPORTS,
        *flow.REPORTS,
        *weekly.REPORTS,
        *instances.REPORTS,
    )
}
