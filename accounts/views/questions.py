"""Choosing the two security questions, and asking none any more (SETTINGS-04)."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods

from accounts.access import needs_self
from accounts.domain import security_questions
from accounts.forms.login import CurrentForm, QuestionsForm
from accounts.views import proving
from accounts.views.login_settings import page
from core.http import MerchantRequest


@require_http_methods(["GET", "HEAD", "POST"])
@needs_self
@sensitive_post_parameters("current", "answer1", "answer2")
def choose(request: MerchantRequest) -> HttpResponse:
    """Choose two questions of the list, or two others."""
    chosen = security_questions.chosen_by(request.user)
    initial = {f"question{each.place}": each.question for each in chosen}
    form = QuestionsForm(request.POST or None, auto_id="%s", initial=initial)
    template = "settings/login_questions.html"
    if request.method != "POST" or not form.is_valid():
        return page(request, template, form, chosen=chosen)
    if wait := proving.password(request, form):
        return page(request, template, form, wait=wait, chosen=chosen)
    if form.errors:
        return page(request, template, form, chosen=chosen)
    security_questions.choose(user=request.user, answers=form.answers)
    messages.success(request, _("Security questions saved"))
    return redirect("settings:login")


@require_http_methods(["GET", "HEAD", "POST"])
@needs_self
@sensitive_post_parameters("current")
def drop(request: MerchantRequest) -> HttpResponse:
    """Ask no questions any more."""
    if not security_questions.chosen_by(request.user):
        return redirect("settings:login")
    form = CurrentForm(request.POST or None, auto_id="%s")
    template = "settings/login_questions_off.html"
    if request.method != "POST" or not form.is_valid():
        return page(request, template, form)
    if wait := proving.password(request, form):
        return page(request, template, form, wait=wait)
    if form.errors:
        return page(request, template, form)
    security_questions.drop(user=request.user)
    messages.success(request, _("Security questions removed"))
    return redirect("settings:login")
