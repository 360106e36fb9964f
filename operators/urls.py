"""Addresses of the operator console."""

from django.urls import path

from operators.views import pages

app_name = "operators"
urlpatterns = [
    path("", pages.console, name="console"),
    path("work/", pages.work, name="work"),
    path("work/jobs/<slug:name>/run/", pages.run_job, name="run_job"),
    path("work/messages/<int:message_id>/send-again/", pages.send_again, name="send_again"),
    path("work/messages/<int:message_id>/give-up/", pages.give_up, name="give_up"),
    path("work/operations/<int:operation_id>/ask/", pages.ask_gateway, name="ask_gateway"),
    path("integrity/", pages.integrity, name="integrity"),
    path("integrity/check/", pages.check_now, name="check_now"),
]
