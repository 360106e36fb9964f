"""Addresses of the order reports (requirements section 10)."""

from django.urls import path

from reports.views import orders, reading, settings

app_name = "reports"

urlpatterns = [
    path("", orders.order_reports, name="orders"),
    path("request/", orders.request_report, name="request"),
    path("unshipped/", orders.unshipped_orders, name="unshipped"),
    path("schedule/", settings.scheduled_reports, name="schedule"),
    path("columns/", settings.report_columns, name="columns"),
    path("<int:number>/", reading.report_view, name="view"),
    path("<int:number>/download/", reading.download, name="download"),
    path("<int:number>/again/", orders.request_again, name="again"),
]
