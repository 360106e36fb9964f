"""Every app's addresses, included once."""

from django.conf import settings
from django.contrib import admin
from django.urls import include, path
from drf_spectacular.views import SpectacularAPIView

from core.views import errors, health, metrics, security
from orders.api import gateway
from orders.views import trail
from orders.views.clock import sandbox_clock
from orders.views.home import home

urlpatterns = [
    path("", include("accounts.urls")),
    path("home/", home, name="home"),
    path("settings/clock/", sandbox_clock, name="sandbox_clock"),
    path("settings/audit-trail/", trail.audit_trail, name="audit_trail"),
    path("settings/audit-trail/export/", trail.export, name="audit_trail_export"),
    path("health/live/", health.live, name="health_live"),
    path("health/ready/", health.ready, name="health_ready"),
    path("metrics/", metrics.metrics, name="metrics"),
    path("csp-report/", security.csp_report, name="csp_report"),
    path("orders/reports/", include("reports.urls")),
    path("orders/uploads/", include("uploads.urls")),
    path("help/", include("uploads.help_urls")),
    path("orders/", include("orders.urls")),
    path("buyer/", include("checkout.urls")),
    path("sellers/", include("checkout.seller_urls")),
    path("operator/", include("operators.urls")),
    path("api/v1/", include("orders.api.urls")),
    path("api/gateway/callback/", gateway.Reports.as_view(), name="gateway_callback"),
    path("api/schema/", SpectacularAPIView.as_view(), name="schema"),
]

if settings.MAIL_VIEWER:
    urlpatterns.append(path("mail/", include("notifications.urls")))
if settings.ADMIN_SITE:
    urlpatterns.append(path("admin/", admin.site.urls))

handler400 = errors.bad_request
handler403 = errors.forbidden
handler404 = errors.not_found
handler500 = errors.server_error
