"""What all forms share: how a field is tied to its words."""

from __future__ import annotations

from django import forms


def describe(form: forms.BaseForm) -> None:
    """Tie each control to its hint and its error, for those who cannot see them (IMPL-23).

    Used with ``partials/field.html``, which gives both their ids.
    """
    for name, field in form.fields.items():
        control = form[name].id_for_label
        described = [f"{control}-hint"] if field.help_text else []
        if name in form.errors:
            described.append(f"{control}-error")
            field.widget.attrs["aria-invalid"] = "true"
        if described:
            field.widget.attrs["aria-describedby"] = " ".join(described)
