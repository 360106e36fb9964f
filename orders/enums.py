"""Codes of the order desk and the words on screen for them."""

from __future__ import annotations

from collections.abc import Mapping

from django.db import models
from django.utils.translation import gettext_lazy as _

# The eight amounts of an item (requirements section 6); each is a total for the line's quantity.
ITEM_COST = ("item_price", "item_tax", "gift_wrap_price", "gift_wrap_tax", "item_promotion")
DELIVERY = ("shipping_price", "shipping_tax", "shipping_promotion")
COMPONENTS = (*ITEM_COST, *DELIVERY)
PROMOTIONS = frozenset({"item_promotion", "shipping_promotion"})  # discounts lower what is paid
BOXES: Mapping[str, tuple[str, ...]] = {"item_cost": ITEM_COST, "delivery": DELIVERY}

COMPONENT_LABELS = {
    "item_price": _("Item price"),
    "item_tax": _("Item tax"),
    "gift_wrap_price": _("Gift wrap"),
    "gift_wrap_tax": _("Gift wrap tax"),
    "item_promotion": _("Promotion"),
    "shipping_price": _("Shipping"),
    "shipping_tax": _("Shipping tax"),
    "shipping_promotion": _("Shipping promotion"),
}


class OrderStatus(models.TextChoices):
    PENDING = "pending", _("Pending")
    UNSHIPPED = "unshipped", _("Unshipped")
    PARTIALLY_SHIPPED = "partially_shipped", _("Partially shipped")
    SHIPPED = "shipped", _("Shipped")
    CANCELLED = "cancelled", _("Cancelled")


# The order in which lists sort by status (LIST-09); the column ``status_rank`` holds it.
STATUS_RANK: Mapping[OrderStatus, int] = {status: rank for rank, status in enumerate(OrderStatus)}


class PaymentState(models.TextChoices):
    UNVERIFIED = "unverified", _("Being verified")
    AWAITING_PAYMENT = "awaiting_payment", _("Awaiting payment")
    AUTHORISED = "authorised", _("Authorised")
    PAID_IN_ADVANCE = "paid_in_advance", _("Paid in advance")
    CAPTURED = "captured", _("Charged")
    CAPTURE_FAILED = "capture_failed", _("Charge failed")
    DECLINED = "declined", _("Declined")
    VOIDED = "voided", _("Not charged")
    EXTERNAL = "external", _("Charged by the channel")


class Act(models.TextChoices):
    """What can be asked of an order; the tables in ``domain`` say who may and when."""

    VERIFY = "verify", _("Verify payment")
    DECLINE = "decline", _("Decline payment")
    CONFIRM = "confirm", _("Confirm Shipment")
    CANCEL = "cancel", _("Cancel Order")
    BUYER_CANCEL = "buyer_cancel", _("Cancel by the buyer")
    AUTO_CANCEL = "auto_cancel", _("Cancel at the deadline")
    OPERATOR_CANCEL = "operator_cancel", _("Cancel by the platform")
    REFUND = "refund", _("Refund Order")
    REFUND_IN_FULL = "refund_in_full", _("Full Refund")
    PRINT = "print", _("Print order packing slip")
    CORRECT = "correct", _("Correct shipment")
    BUYER_EDIT = "buyer_edit", _("Change by the buyer")
    FILE_REQUEST = "file_request", _("Request cancellation")
    ESCALATE_REQUEST = "escalate_request", _("Pass to customer service")
    ACCEPT_REQUEST = "accept_request", _("Accept cancellation request")
    DECLINE_REQUEST = "decline_request", _("Decline cancellation request")
    DELIVER = "deliver", _("Mark as delivered")
    WARN = "warn", _("Warn of the deadline")
    REVISE_DATES = "revise_dates", _("Revise dates")


class OrderEvent(models.TextChoices):
    """What happened to an order, in the past tense; one line of the history each."""

    PLACED = "order.placed", _("Order placed")
    VERIFIED = "order.verified", _("Payment verified")
    VERIFICATION_DELAYED = "order.verification_delayed", _("Payment verification takes longer")
    PAYMENT_REFUSED = "order.payment_refused", _("Cancelled: payment not secured")
    SHIPMENT_CONFIRMED = "order.shipment_confirmed", _("Shipment confirmed")
    SHIPMENT_CORRECTED = "order.shipment_corrected", _("Shipment corrected")
    CAPTURE_FAILED = "order.capture_failed", _("Charge failed")
    CONFIRMATION_LAPSED = "order.confirmation_lapsed", _("Confirmation did not come through")
    CONFIRMATION_WARNED = "order.confirmation_warned", _("Warned: not confirmed yet")
    DELIVERED = "order.delivered", _("Delivery complete")
    CANCELLED = "order.cancelled", _("Cancelled by the merchant")
    BUYER_CANCELLED = "order.buyer_cancelled", _("Cancelled by the buyer")
    AUTO_CANCELLED = "order.auto_cancelled", _("Cancelled by the system: not confirmed in time")
    OPERATOR_CANCELLED = "order.operator_cancelled", _("Cancelled by the platform")
    VOIDED = "order.voided", _("Authorisation released")
    REFUND_SUBMITTED = "order.refund_submitted", _("Refund submitted")
    REFUND_COMPLETED = "order.refund_completed", _("Refund completed")
    REFUND_FAILED = "order.refund_failed", _("Refund failed")
    SLIP_PRINTED = "order.slip_printed", _("Packing slip printed")
    DATES_REVISED = "order.dates_revised", _("Estimated dates revised")
    NOTE_ADDED = "order.note_added", _("Order note added")
    BUYER_EDITED = "order.buyer_edited", _("Changed by the buyer")
    INSTRUCTIONS_RESENT = "order.instructions_resent", _("Payment instructions sent again")
    REQUEST_FILED = "order.request_filed", _("Buyer requested cancellation")
    REQUEST_OVERDUE = "order.request_overdue", _("Cancellation request not answered in time")
    REQUEST_ESCALATED = (
        "order.request_escalated",
        _("Cancellation request passed to customer service"),
    )
    REQUEST_DECLINED = "order.request_declined", _("Cancellation request declined")
    REQUEST_CLOSED = "order.request_closed", _("Cancellation request closed: shipped already")
    CONTACT_BLANKED = "order.contact_blanked", _("Address and phone removed for their age")


# What is remembered of an order that stays as it was: its version is the same afterwards.
LEAVES_AS_IT_IS = frozenset(
    {
        OrderEvent.SLIP_PRINTED,
        OrderEvent.NOTE_ADDED,
        OrderEvent.VOIDED,
        OrderEvent.VERIFICATION_DELAYED,
        OrderEvent.CONFIRMATION_WARNED,
        OrderEvent.CONTACT_BLANKED,
        OrderEvent.INSTRUCTIONS_RESENT,
        OrderEvent.REQUEST_ESCALATED,
        OrderEvent.REQUEST_OVERDUE,
    }
)


class ServiceLevel(models.TextChoices):
    STANDARD = "standard", _("Standard")
    EXPEDITED = "expedited", _("Expedited")
    SECOND_DAY = "second-day", _("Second Day")
    PRIORITY = "priority", _("Priority")


class SubType(models.TextChoices):
    """Derived from an order's properties (ORDERTYPE-01); values as in list parameters."""

    STANDARD = "standard", "Standard"
    PRIME = "prime", "Prime"
    BUSINESS = "business", "Business"
    BUSINESS_PRIME = "business-prime", "Business Prime"
    SECOND_DAY = "second-day", "Second_Day"


class FulfilmentChannel(models.TextChoices):
    MERCHANT = "merchant", _("Merchant")
    PLATFORM = "platform", _("Platform")


class CancelReason(models.TextChoices):
    """Reasons a merchant gives (requirements 7.2); all count but an official buyer request."""

    NO_INVENTORY = "NoInventory", _("No inventory")
    BUYER_CANCELLED = "BuyerCancelled", _("Buyer cancelled")
    UNDELIVERABLE = "ShippingAddressUndeliverable", _("Undeliverable shipping address")
    CUSTOMER_EXCHANGE = "CustomerExchange", _("Customer exchange")
    PRICING_ERROR = "PricingError", _("Pricing error")
    GENERAL_ADJUSTMENT = "GeneralAdjustment", _("General adjustment")


class CancelCause(models.TextChoices):
    """Causes set by system, buyer or operator (requirements 7.3)."""

    PAYMENT_DECLINED = "PaymentDeclined", _("Payment declined")
    FRAUD_SUSPECTED = "FraudSuspected", _("Payment not secured")
    ADVANCE_OVERDUE = "AdvancePaymentOverdue", _("Not paid in time")
    PAYMENT_TIMEOUT = "PaymentTimeout", _("Payment not verified in time")
    BUYER = "BuyerSelfCancelled", _("Cancelled by the buyer")
    NOT_CONFIRMED = "NotConfirmedInTime", _("Not confirmed in time")
    PLATFORM = "PlatformCancelled", _("Cancelled by the platform")
    CHANNEL = "CancelledOnChannel", _("Cancelled on the sales channel")


class RequestReason(models.TextChoices):
    """Why a buyer asks for a cancellation (requirements 7.4)."""

    BY_MISTAKE = "OrderedByMistake", _("Ordered by mistake")
    TOO_LATE = "DeliveryTooLate", _("Delivery too late")
    CHEAPER = "FoundCheaper", _("Found cheaper")
    WRONG_ADDRESS = "WrongAddress", _("Wrong address")
    OTHER = "Other", _("Other")


class RequestState(models.TextChoices):
    """Where a buyer's cancellation request stands; the first two are open."""

    OPEN = "open", _("Waiting for the seller")
    ESCALATED = "escalated", _("With customer service")
    ACCEPTED = "accepted", _("Accepted")
    DECLINED = "declined", _("Declined")
    SHIPPED = "shipped", _("Shipped already")
    ENDED = "ended", _("Order cancelled otherwise")


OPEN_REQUESTS = (RequestState.OPEN, RequestState.ESCALATED)


class RefundReason(models.TextChoices):
    """Reasons a merchant gives (requirements 7.1)."""

    NO_INVENTORY = "NoInventory", _("No inventory")
    CUSTOMER_RETURN = "CustomerReturn", _("Customer return")
    GENERAL_ADJUSTMENT = "GeneralAdjustment", _("General adjustment")
    COULD_NOT_SHIP = "CouldNotShip", _("Could not ship")
    DIFFERENT_ITEM = "DifferentItem", _("Different item")


REFUND_REASON_HELP: Mapping[RefundReason, object] = {
    RefundReason.NO_INVENTORY: _("The product is not in stock."),
    RefundReason.CUSTOMER_RETURN: _("The buyer returns or has returned the product."),
    RefundReason.GENERAL_ADJUSTMENT: _("Any case that fits no other reason."),
    RefundReason.COULD_NOT_SHIP: _("In stock but could not be sent, e.g. wrong address given."),
    RefundReason.DIFFERENT_ITEM: _(
        "The product did not match listing or expectation; exchanged for a cheaper one."
    ),
}


class SystemRefundReason(models.TextChoices):
    CLAIM_GRANTED = "ClaimGranted", _("Claim granted")
    CHARGEBACK_LOST = "ChargebackLost", _("Chargeback lost")
    ADVANCE_RETURNED = "AdvancePaymentReturned", _("Advance payment returned")
    EXTERNAL = "ExternalChannel", _("Refunded on the sales channel")


class RefundState(models.TextChoices):
    SUBMITTED = "submitted", _("Submitted")
    COMPLETED = "completed", _("Completed")
    FAILED = "failed", _("Failed")
