from reports.models.release import Release
from reports.models.report import Report
from reports.models.settings import ReportSettings, Schedule

__all__ = ["Release", "Report", "ReportSettings", "Schedule"]
