"""Settings of the account, and of one's own sign-in."""

from django.urls import path

from accounts.forms.account import BLOCKS
from accounts.views import account_info, login_settings, people, policies, questions, two_step

app_name = "settings"
urlpatterns = [
    path("account/", account_info.account, name="account"),
    *(
        path(f"account/{key}/", account_info.edit_block, {"block": key}, name=f"account_{key}")
        for key in BLOCKS
    ),
    path("login/", login_settings.login_settings, name="login"),
    path("login/name/", login_settings.name, name="login_name"),
    path("login/email/", login_settings.email, name="login_email"),
    path("login/email/confirm/", login_settings.confirm_email, name="confirm_email"),
    path("login/password/", login_settings.password, name="login_password"),
    path("login/questions/", questions.choose, name="questions"),
    path("login/questions/off/", questions.drop, name="questions_off"),
    path("login/sign-ins/", login_settings.end_sign_ins, name="end_sign_ins"),
    path("login/two-step/", two_step.set_up, name="two_step"),
    path("login/two-step/recovery-codes/", two_step.recovery_codes, name="recovery_codes"),
    path("login/two-step/off/", two_step.turn_off, name="two_step_off"),
    path("permissions/", people.people, name="permissions"),
    path("permissions/change/", people.change, name="change_permissions"),
    path("permissions/remove/", people.remove, name="remove_person"),
    path("permissions/invite/", people.invite, name="invite"),
    path("permissions/invitations/", people.answer_invitation, name="answer_invitation"),
    path("policies/", policies.policies, name="policies"),
    path("policies/texts/", policies.edit_texts, name="policies_texts"),
    path("policies/logo/", policies.edit_logo, name="policies_logo"),
]
