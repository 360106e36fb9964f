"""Questions that only one person should be able to answer (SETTINGS-04)."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _


class SecurityQuestion(models.Model):
    """One of the two questions a person chose, asked besides a link to a new password.

    place: first or second. answer: hashed as passwords are, without capitals and blanks.
    """

    class Question(models.TextChoices):
        SCHOOL = "first_school", _("What was the name of your first school?")
        STREET = "first_street", _("In which street did you live when you first went to school?")
        TOWN = "first_town", _("In which town did you have your first job?")
        TEACHER = "teacher", _("What was the family name of a teacher you liked?")
        FRIEND = "friend", _("What was the first name of your best friend as a child?")
        GRANDMOTHER = "grandmother", _("What was the first name of a grandmother?")
        PET = "first_pet", _("What was your first pet called?")
        JOURNEY = "journey", _("Where did your first long journey lead?")

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="security_questions"
    )
    place = models.PositiveSmallIntegerField()
    question = models.CharField(max_length=20, choices=Question)
    answer = models.CharField(max_length=128)
    chosen_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["user", "place"], name="two_questions_a_person"),
            models.UniqueConstraint(fields=["user", "question"], name="no_question_twice"),
            models.CheckConstraint(name="question_first_or_second", condition=Q(place__in=[1, 2])),
        ]

    def __str__(self) -> str:
        return f"{self.question} of {self.user_id}"
