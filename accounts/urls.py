"""Sign-in at the contract's addresses, served by the sign-in library."""

from allauth.account import views as sign_in
from django.urls import path, re_path

from accounts.views import pages

urlpatterns = [
    path("", pages.root, name="root"),
    path("home/", pages.home, name="home"),
    path("account/switch/", pages.switch, name="account_switch"),
    path("login/", sign_in.login, name="account_login"),
    path("logout/", sign_in.logout, name="account_logout"),
    path("password-reset/", sign_in.password_reset, name="account_reset_password"),
    path("password-reset/sent/", sign_in.password_reset_done, name="account_reset_password_done"),
    re_path(
        r"^password-reset/key/(?P<uidb36>[0-9A-Za-z]+)-(?P<key>.+)/$",
        sign_in.password_reset_from_key,
        name="account_reset_password_from_key",
    ),
    path(
        "password-reset/done/",
        sign_in.password_reset_from_key_done,
        name="account_reset_password_from_key_done",
    ),
]
