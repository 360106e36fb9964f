"""Load the three policies of requirements section 3; operators edit the rows afterwards."""

from typing import Any

from django.db import migrations

COMMON: dict[str, Any] = {
    "handling_business_days": 2,
    "page_warning_lead_days": 7,
    "buyer_edit_window_minutes": 5,
    "buyer_cancel_response_hours": 48,
    "dispute_response_business_days": 5,
    "cancel_rate_threshold": "5.00",
    "business_weekdays": [0, 1, 2, 3, 4],
    "commission_percent": "15.00",
    "settlement_days": 14,
    "paper_size": "a4",
}
JAPAN: dict[str, Any] = {
    **COMMON,
    "country": "JP",
    "language": "ja",
    "time_zone": "Asia/Tokyo",
    "currency": "JPY",
    "email_warning_lead_days": 7,
    "pending_in_default_list": True,
    "buyer_email_mode": "relay",
    "buyer_phone_mode": "relay",
    "payment_methods": ["card", "convenience_store", "points"],
    "advance_payment_days": 6,
    "pending_timeout_days": 14,
}
POLICIES: dict[str, dict[str, Any]] = {
    "UK_CHECKOUT": {
        **COMMON,
        "name": "United Kingdom",
        "country": "GB",
        "language": "en-gb",
        "time_zone": "Europe/London",
        "currency": "GBP",
        "deadline_basis": "purchase",
        "deadline_days": 30,
        "email_warning_lead_days": 5,
        "pending_in_default_list": False,
        "buyer_email_mode": "direct",
        "buyer_phone_mode": "direct",
        "redirect_by_message": False,
        "payment_methods": ["card"],
        "advance_payment_days": None,
        "pending_timeout_days": 7,
    },
    "JP_2019": {
        **JAPAN,
        "name": "Japan (2019)",
        "deadline_basis": "purchase",
        "deadline_days": 30,
        "redirect_by_message": True,
    },
    "JP_2022": {
        **JAPAN,
        "name": "Japan (2022)",
        "deadline_basis": "expected_ship_date",
        "deadline_days": 7,
        "redirect_by_message": False,
    },
}


def load(apps: Any, schema_editor: Any) -> None:
    marketplaces = apps.get_model("accounts", "Marketplace").objects
    for code, policy in POLICIES.items():
        marketplaces.get_or_create(code=code, defaults=policy)


class Migration(migrations.Migration):
    dependencies = [("accounts", "0001_initial")]
    operations = [migrations.RunPython(load, migrations.RunPython.noop)]
