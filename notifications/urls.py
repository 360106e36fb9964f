"""The mail viewer's addresses; only where settings have MAIL_VIEWER."""

from django.urls import path

from notifications.views import mail

app_name = "mail"

urlpatterns = [
    path("", mail.sent, name="list"),
    path("<int:pk>/", mail.letter, name="letter"),
]
