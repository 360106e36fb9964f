import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

QUESTIONS = [
    ("first_school", "What was the name of your first school?"),
    ("first_street", "In which street did you live when you first went to school?"),
    ("first_town", "In which town did you have your first job?"),
    ("teacher", "What was the family name of a teacher you liked?"),
    ("friend", "What was the first name of your best friend as a child?"),
    ("grandmother", "What was the first name of a grandmother?"),
    ("first_pet", "What was your first pet called?"),
    ("journey", "Where did your first long journey lead?"),
]


class Migration(migrations.Migration):
    dependencies = [("accounts", "0010_second_step_for_everybody")]
    operations = [
        migrations.CreateModel(
            name="SecurityQuestion",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("place", models.PositiveSmallIntegerField()),
                ("question", models.CharField(choices=QUESTIONS, max_length=20)),
                ("answer", models.CharField(max_length=128)),
                ("chosen_at", models.DateTimeField()),
                (
                    "user",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="security_questions",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        fields=("user", "place"), name="two_questions_a_person"
                    ),
                    models.UniqueConstraint(fields=("user", "question"), name="no_question_twice"),
                    models.CheckConstraint(
                        condition=models.Q(("place__in", [1, 2])), name="question_first_or_second"
                    ),
                ],
            },
        ),
    ]
