"""Addresses of order related files (requirements section 10)."""

from django.urls import path

from uploads.enums import NAMES
from uploads.views import files, pages, results

app_name = "uploads"

urlpatterns = [
    path("", pages.first, name="first"),
    *(
        path(f"{feed.value}/", pages.upload_files, {"feed": feed}, name=name)
        for feed, name in NAMES.items()
    ),
    *(
        path(f"{feed.value}/history/", pages.history, {"feed": feed}, name=f"{name}_history")
        for feed, name in NAMES.items()
    ),
    path("<int:number>/", results.upload_results, name="results"),
    path("<int:number>/row/", pages.row, name="row"),
    path("<int:number>/apply/", results.apply_checked, name="apply"),
    path("<int:number>/processing-report.txt", files.processing_report, name="report"),
    path("<int:number>/failed-records.txt", files.failed_records, name="failed"),
    path("<int:number>/original/", files.original, name="original"),
]
