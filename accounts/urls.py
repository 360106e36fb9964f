"""Sign-in at the contract's addresses, served by the sign-in library."""

from allauth.account import views as library
from django.urls import include, path, re_path

from accounts.views import joining, pages, signing_in, two_step

urlpatterns = [
    path("", pages.root, name="root"),
    path("account/switch/", pages.switch, name="account_switch"),
    path("help/shortcuts/", pages.shortcuts, name="shortcuts"),
    path("login/", signing_in.SignIn.as_view(), name="account_login"),
    path("login/second-step/", two_step.second_step, name="account_second_step"),
    path("invitation/<str:key>/", joining.invitation, name="invitation"),
    path("settings/", include("accounts.settings_urls")),
    path("logout/", library.logout, name="account_logout"),
    path("password-reset/", signing_in.forgotten, name="account_reset_password"),
    path("password-reset/sent/", library.password_reset_done, name="account_reset_password_done"),
    re_path(
        r"^password-reset/key/(?P<uidb36>[0-9A-Za-z]+)-(?P<key>.+)/$",
        signing_in.NewPassword.as_view(),
        name="account_reset_password_from_key",
    ),
    path(
        "password-reset/done/",
        library.password_reset_from_key_done,
        name="account_reset_password_from_key_done",
    ),
]
