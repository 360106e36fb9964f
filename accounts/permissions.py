"""The matrix of requirements section 9: functions, levels and presets, as data."""

from __future__ import annotations

from collections.abc import Mapping

from django.db import models
from django.utils.translation import gettext_lazy as _

from core.actor import EDIT, NONE, VIEW


class Level(models.IntegerChoices):
    NONE = NONE, _("None")
    VIEW = VIEW, _("View")
    EDIT = EDIT, _("View & Edit")


class Function(models.TextChoices):
    MANAGE_ORDERS = "manage_orders", _("Manage Orders")
    CONFIRM_SHIPMENTS = "confirm_shipments", _("Confirm shipments")
    PACKING_SLIPS = "packing_slips", _("Packing slips")
    CANCEL_ORDERS = "cancel_orders", _("Cancel orders")
    REFUND_ORDERS = "refund_orders", _("Refund orders")
    RMA = "rma", _("RMA")
    ORDER_REPORTS = "order_reports", _("Order Reports")
    UPLOADS = "uploads", _("Upload Order Related Files")
    MESSAGES = "messages", _("Messages")
    CLAIMS = "claims", _("Claims and chargebacks")
    SELLER_PERFORMANCE = "seller_performance", _("Seller Performance")
    SITE_METRICS = "site_metrics", _("Site Metrics & Reports")
    PAYMENTS = "payments", _("Payments")
    FEEDBACK = "feedback", _("Feedback")
    INVENTORY = "inventory", _("Manage Inventory")
    CHANNELS = "channels", _("Channels")
    INTEGRATION = "integration", _("Integration pages")
    ACCESS_KEY = "access_key", _("Access Key")
    ACCOUNT_INFO = "account_info", _("Account Info")
    BANK_INFORMATION = "bank_information", _("Bank information")
    LOGIN_SETTINGS = "login_settings", _("Login Settings")
    SHIPPING_SETTINGS = "shipping_settings", _("Shipping Settings")
    PROMOTIONS = "promotions", _("Manage Promotions")
    TAXES = "taxes", _("Manage Taxes")
    USER_PERMISSIONS = "user_permissions", _("User Permissions")
    POLICIES = "policies", _("Your Info & Policies")
    PIPELINE = "pipeline", _("Order Pipeline Settings")
    AUDIT_TRAIL = "audit_trail", _("Audit trail")


class Preset(models.TextChoices):
    MANAGER = "manager", _("Manager")
    FULFILMENT = "fulfilment", _("Fulfilment")
    CUSTOMER_SERVICE = "customer_service", _("Customer service")
    FINANCE = "finance", _("Finance")
    READ_ONLY = "read_only", _("Read-only")


F = Function
# One line a function: Manager, Fulfilment, Customer service, Finance, Read-only.
_TABLE: Mapping[Function, str] = {
    F.MANAGE_ORDERS: "EEEVV",
    F.CONFIRM_SHIPMENTS: "EENNN",
    F.PACKING_SLIPS: "VVVNV",
    F.CANCEL_ORDERS: "ENENN",
    F.REFUND_ORDERS: "ENEEN",
    F.RMA: "EEEVV",
    F.ORDER_REPORTS: "EEVEV",
    F.UPLOADS: "EEVNV",
    F.MESSAGES: "EVENV",
    F.CLAIMS: "ENEVV",
    F.SELLER_PERFORMANCE: "VVVVV",
    F.SITE_METRICS: "VNNVV",
    F.PAYMENTS: "VNNVN",
    F.FEEDBACK: "EVENV",
    F.INVENTORY: "EEVNV",
    F.CHANNELS: "EVNNN",
    F.INTEGRATION: "ENNNN",
    F.ACCESS_KEY: "NNNNN",
    F.ACCOUNT_INFO: "ENNVN",
    F.BANK_INFORMATION: "NNNVN",
    F.LOGIN_SETTINGS: "EEEEE",
    F.SHIPPING_SETTINGS: "EVVVV",
    F.PROMOTIONS: "EVVVV",
    F.TAXES: "EVVVV",
    F.USER_PERMISSIONS: "ENNNN",
    F.POLICIES: "ENVNV",
    F.PIPELINE: "ENVNV",
    F.AUDIT_TRAIL: "VNNNN",
}
_LETTERS = {"N": Level.NONE, "V": Level.VIEW, "E": Level.EDIT}

PRESETS: Mapping[Preset, Mapping[Function, Level]] = {
    preset: {function: _LETTERS[letters[column]] for function, letters in _TABLE.items()}
    for column, preset in enumerate(Preset)
}

# The highest level there is; an owner alone has the Access Key and changes Bank information.
MOST: Mapping[Function, Level] = {
    **dict.fromkeys(Function, Level.EDIT),
    F.PACKING_SLIPS: Level.VIEW,
    F.SELLER_PERFORMANCE: Level.VIEW,
    F.SITE_METRICS: Level.VIEW,
    F.PAYMENTS: Level.VIEW,
    F.AUDIT_TRAIL: Level.VIEW,
    F.BANK_INFORMATION: Level.VIEW,
    F.ACCESS_KEY: Level.NONE,
}

# What a key of a shop may do unless told otherwise: every order function (MWS-13).
ORDER_FUNCTIONS: Mapping[Function, Level] = {
    F.MANAGE_ORDERS: Level.EDIT,
    F.CONFIRM_SHIPMENTS: Level.EDIT,
    F.PACKING_SLIPS: Level.VIEW,
    F.CANCEL_ORDERS: Level.EDIT,
    F.REFUND_ORDERS: Level.EDIT,
    F.ORDER_REPORTS: Level.EDIT,
    F.UPLOADS: Level.EDIT,
}
