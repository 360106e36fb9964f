"""How each guard of the database is offended: one raw statement, and the name that refuses it.

Where a second guard would answer first, ``lead`` takes that one away in the same transaction.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from django.db import IntegrityError, connection, transaction

from core.money import LARGEST
from orders.enums import COMPONENTS
from orders.models import Order

NUMBER = "'999-0000000-0000001'"
TOO_MUCH = str(LARGEST + 1)


@dataclass(frozen=True)
class Copy:
    """Insert a copy of a row with other values; ``row`` names one of the world's."""

    table: str
    row: str
    changes: dict[str, str] = field(default_factory=dict)

    def sql(self) -> str:
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT column_name FROM information_schema.columns WHERE table_name = %s"
                " AND is_generated = 'NEVER' AND is_identity = 'NO' ORDER BY ordinal_position",
                [self.table],
            )
            columns = [name for (name,) in cursor.fetchall() if name != "xid"]
        values = [self.changes.get(name, name) for name in columns]
        return (
            f"INSERT INTO {self.table} ({', '.join(columns)}) SELECT {', '.join(values)}"
            f" FROM {self.table} WHERE id = {{{self.row}}}"
        )


@dataclass(frozen=True)
class Case:
    """guard: the name it refuses under. lead: what is taken away or done before."""

    guard: str
    offence: str | Copy
    lead: tuple[str | Copy, ...] = ()
    about: str = ""


def copy(table: str, row: str, **changes: str) -> Copy:
    return Copy(table, row, changes)


def order_copy(**changes: str) -> Copy:
    return copy("orders_order", "order", number=NUMBER, merchant_order_number="''", **changes)


def item_copy(**changes: str) -> Copy:
    return copy("orders_item", "item", number=NUMBER, **changes)


# Refunds of one component above what was paid for it, while its box as a whole would allow them.
ABOVE = {
    "item_price": {"refunded_item_price": "101"},
    "item_tax": {"refunded_item_tax": "21"},
    "gift_wrap_price": {"refunded_gift_wrap_price": "6"},
    "gift_wrap_tax": {"refunded_gift_wrap_tax": "2"},
    "item_promotion": {"refunded_item_promotion": "11", "refunded_item_price": "50"},
    "shipping_price": {"refunded_shipping_price": "8.50"},
    "shipping_tax": {"refunded_shipping_tax": "2"},
    "shipping_promotion": {"refunded_shipping_promotion": "2", "refunded_shipping_price": "5"},
}

ACCOUNTS = [
    Case("one_user_per_email", copy("accounts_user", "user", email="upper(email)")),
    Case(
        "only_a_sandbox_clock_runs_ahead",
        "UPDATE accounts_merchant SET clock_ahead = '1 day' WHERE id = {merchant}",
    ),
    Case(
        "a_sandbox_clock_stays_within_ten_years",
        "UPDATE accounts_merchant SET clock_ahead = '3661 days' WHERE is_sandbox",
    ),
    Case(
        "merchant_state_known",
        "UPDATE accounts_merchant SET state = 'happy' WHERE id = {merchant}",
    ),
    Case(
        "marketplace_warns_within_the_deadline",
        "UPDATE accounts_marketplace SET page_warning_lead_days = deadline_days + 1",
    ),
    Case(
        "marketplace_commission_is_a_percentage",
        "UPDATE accounts_marketplace SET commission_percent = 101",
    ),
    Case("one_holiday_a_day", copy("accounts_holiday", "holiday")),
    Case("one_membership_per_person", copy("accounts_membership", "membership")),
    Case("membership_page_size_offered", "UPDATE accounts_membership SET list_page_size = 1000"),
    Case(
        "merchant_page_size_offered",
        "UPDATE accounts_merchant SET list_page_size = 1000 WHERE id = {merchant}",
    ),
    Case(
        "merchant_handles_within_thirty_days",
        "UPDATE accounts_merchant SET handling_business_days = 31 WHERE id = {merchant}",
    ),
    Case(
        "merchant_is_told_at_ten_addresses",
        "UPDATE accounts_merchant SET notification_emails = array_fill('a@b.example'::text, '{{11}}')"
        " WHERE id = {merchant}",
    ),
    Case(
        "a_logo_stays_within_its_frame",
        "INSERT INTO accounts_logo (merchant_id, digest, width, height, picture)"
        " VALUES ({merchant}, 'd', 601, 200, '')",
    ),
    Case(
        "one_open_invitation_an_address",
        copy("accounts_invitation", "invitation", email="upper(email)"),
    ),
    Case(
        "an_invitation_ends_one_way",
        "UPDATE accounts_invitation SET accepted_at = now(), withdrawn_at = now()",
    ),
    Case(
        "two_questions_a_person",
        copy("accounts_securityquestion", "question", question="'teacher'"),
    ),
    Case("no_question_twice", copy("accounts_securityquestion", "question", place="2")),
    Case("question_first_or_second", "UPDATE accounts_securityquestion SET place = 3"),
    Case(
        "one_restore_is_open",
        "INSERT INTO core_restore (marked_at) VALUES (now()), (now() + interval '1 second')",
    ),
    Case("invitation_preset_known", "UPDATE accounts_invitation SET preset = 'owner'"),
    Case("one_open_change_of_address", copy("accounts_emailchange", "change")),
    Case(
        "a_change_of_address_ends_one_way",
        "UPDATE accounts_emailchange SET confirmed_at = now(), replaced_at = now()",
    ),
    Case(
        "only_a_persons_letter_has_no_merchant",
        "UPDATE notifications_outbox SET merchant_id = NULL WHERE id = {letter}",
    ),
    Case(
        "an_operator_belongs_to_no_merchant",
        "UPDATE accounts_user SET is_operator = true WHERE id = {user}",
        about="a member becomes an operator",
    ),
    Case(
        "an_operator_belongs_to_no_merchant",
        "INSERT INTO accounts_membership (user_id, merchant_id, is_owner, preset, list_density,"
        " last_carrier, paper_size, version)"
        " SELECT id, {other}, false, 'finance', 'standard', '', '', 1 FROM accounts_user"
        " WHERE is_operator",
        (
            "INSERT INTO accounts_user (email, name, password, is_operator, is_superuser, is_staff,"
            " is_active, date_joined) VALUES ('op@platform.example', 'Op', '', true, false, false,"
            " true, now())",
        ),
        about="an operator becomes a member",
    ),
    Case("one_level_per_function", copy("accounts_grant", "grant")),
    Case("grant_level_known", "UPDATE accounts_grant SET level = 3"),
]
CATALOGUE = [
    Case("one_listing_per_sku", copy("catalog_listing", "listing", sku="lower(sku)")),
    Case(
        "one_listing_per_listing_id",
        copy("catalog_listing", "listing", sku="'other'", listing_id="lower(listing_id)"),
    ),
    Case("stock_is_never_below_zero", "UPDATE catalog_listing SET quantity_available = -1"),
    Case("listing_price_is_money", "UPDATE catalog_listing SET price = 'NaN'"),
    Case("a_title_is_kept_once", copy("catalog_listingtitle", "title")),
    Case("stock_cause_known", copy("catalog_stockchange", "stock", cause="'theft'")),
]
CORE = [
    Case(
        "operators_say_why",
        "INSERT INTO audit_operatorentry (happened_at, user_id, operator, act, subject, note)"
        " VALUES (now(), {user}, 'Op', 'job.run', 'expiry', '')",
    ),
    Case(
        "a_job_ends_after_it_began",
        "INSERT INTO core_jobrun (job, started_at, lease_until, finished_at, counts, error)"
        " VALUES ('tea', now(), now(), now() - interval '1 second', '{{}}', '')",
    ),
    Case(
        "one_count_a_minute",
        "INSERT INTO core_eventcount (event, minute, number)"
        " SELECT 'tea', date_trunc('hour', now()), 1 FROM generate_series(1, 2)",
    ),
    Case(
        "a_job_never_overlaps_with_itself",
        "INSERT INTO core_jobrun (job, started_at, lease_until, counts, error)"
        " SELECT 'tea', now(), now(), '{{}}', '' FROM generate_series(1, 2)",
    ),
]
ORDERS = [
    Case(
        "one_tally_per_day_and_status",
        "INSERT INTO orders_daytally (merchant_id, day, status_rank, orders)"
        " SELECT merchant_id, day, status_rank, 0 FROM orders_daytally",
    ),
    Case("tally_is_never_below_zero", "UPDATE orders_daytally SET orders = -1"),
    Case("tally_status_known", "UPDATE orders_daytally SET status_rank = 9"),
    Case("a_shop_order_comes_in_once", copy("orders_order", "order", number=NUMBER), about="order"),
    Case(
        "order_status_follows_from_the_facts",
        "UPDATE orders_order SET verified_at = NULL WHERE id = {order}",
    ),
    Case("order_payment_state_known", "UPDATE orders_order SET payment_state = 'magic'"),
    Case(
        "order_number_is_3_7_7",
        copy("orders_order", "order", number="'12345'", merchant_order_number="''"),
    ),
    Case(
        "order_confirms_no_more_than_purchased",
        "UPDATE orders_order SET quantity_confirmed = quantity_purchased + 1 WHERE id = {shipped}",
    ),
    Case("order_total_is_money", order_copy(total=TOO_MUCH)),
    Case(
        "order_refunds_no_more_than_paid",
        "UPDATE orders_order SET refunded_total = total + 0.01 WHERE id = {shipped}",
    ),
    Case(
        "cancelled_is_never_charged",
        "UPDATE orders_order SET charged_at = now() WHERE id = {cancelled}",
    ),
    Case(
        "nothing_ships_unpaid",
        "UPDATE orders_order SET quantity_confirmed = 1 WHERE id = {order}",
    ),
    Case(
        "only_what_has_shipped_is_delivered",
        "UPDATE orders_order SET delivered_at = now() WHERE id = {order}",
    ),
    Case(
        "a_check_ends_after_it_began",
        copy("orders_invariantcheck", "check", finished_at="'-infinity'"),
    ),
    Case("order_service_level_known", "UPDATE orders_order SET ship_service_level = 'rocket'"),
    Case("revised_dates_stand_together", order_copy(revised_ship_date="'2026-12-10'")),
    Case(
        "revised_dates_stand_together",
        order_copy(
            revised_ship_date="'2026-12-10'",
            revised_deliver_from_date="'2026-12-14'",
            revised_deliver_to_date="'2026-12-13'",
        ),
        about="backwards",
    ),
    Case("order_currency_known", order_copy(currency="'XXX'")),
]
ITEMS = [
    Case(
        "item_never_ships_more_than_purchased",
        "UPDATE orders_item SET quantity_shipped = quantity_purchased, quantity_not_sent = 1",
    ),
    Case(
        "item_number_is_3_7_7", copy("orders_item", "item", number="'12345'"), about="item number"
    ),
    *(Case(f"{c}_is_money", item_copy(**{c: TOO_MUCH})) for c in COMPONENTS if "promo" not in c),
    Case(
        "item_promotion_is_money",
        item_copy(item_promotion=TOO_MUCH),
        ("ALTER TABLE orders_item DROP CONSTRAINT item_promotion_within_item_cost",),
    ),
    Case(
        "shipping_promotion_is_money",
        item_copy(shipping_promotion=TOO_MUCH),
        ("ALTER TABLE orders_item DROP CONSTRAINT net_refund_within_delivery",),
    ),
    *(Case(f"refund_within_{c}", item_copy(**ABOVE[c])) for c in COMPONENTS),
    Case("item_promotion_within_item_cost", item_copy(item_promotion="126.01")),
    Case(
        "shipping_promotion_within_delivery",
        item_copy(shipping_promotion="9.61"),
        ("ALTER TABLE orders_item DROP CONSTRAINT net_refund_within_delivery",),
    ),
    Case(
        "net_refund_within_item_cost",
        item_copy(refunded_item_price="100", refunded_item_tax="16.01"),
    ),
    Case(
        "net_refund_within_delivery",
        item_copy(refunded_shipping_price="8", refunded_shipping_tax="0.61"),
    ),
]
CHILDREN = [
    Case("refunds_are_counted", copy("orders_refund", "refund")),
    Case(
        "a_refund_of_nothing_is_none",
        "UPDATE orders_refund SET total = 0, item_cost = 0, delivery = 0",
    ),
    Case("refund_is_the_sum_of_its_boxes", "UPDATE orders_refund SET total = total + 1"),
    Case("refund_state_known", copy("orders_refund", "refund", number="9", state="'lost'")),
    Case("refund_reason_known", "UPDATE orders_refund SET reason = 'Because'"),
    Case("cancellation_reason_known", "UPDATE orders_cancellation SET reason = 'Because'"),
    Case("packages_are_counted", copy("orders_shipment", "shipment")),
    Case(
        "no_shipment_of_a_cancelled_order",
        copy("orders_shipment", "shipment", order_id="{cancelled}", order_cancelled="true"),
    ),
    Case("shipment_line_has_units", "UPDATE orders_shipmentline SET quantity = 0"),
    Case("an_item_stands_once_in_a_package", copy("orders_shipmentline", "shipment_line")),
    Case("one_open_request_per_order", copy("orders_buyerrequest", "request")),
    Case("request_state_known", "UPDATE orders_buyerrequest SET state = 'lost', closed_at = now()"),
    Case("request_reason_known", "UPDATE orders_buyerrequest SET reason = 'Because'"),
    Case("a_closed_request_says_when", "UPDATE orders_buyerrequest SET state = 'accepted'"),
    Case(
        "a_closed_request_says_when",
        "UPDATE orders_buyerrequest SET closed_at = now()",
        about="an open one does not",
    ),
    Case(
        "a_declined_request_has_an_answer",
        "UPDATE orders_buyerrequest SET state = 'declined', closed_at = now()",
    ),
    Case(
        "an_escalated_request_says_since_when",
        "UPDATE orders_buyerrequest SET state = 'escalated'",
    ),
]
PAYMENTS = [
    Case(
        "payment_method_known",
        "UPDATE payments_payment SET method = 'barter'",
    ),
    Case("a_payment_number_is_given_once", "UPDATE payments_payment SET number = '1'"),
    Case(
        "one_operation_per_purpose_and_sequence",
        copy("payments_operation", "refunding", key="gen_random_uuid()"),
    ),
    Case(
        "one_capture_per_order",
        copy("payments_operation", "capture", key="gen_random_uuid()", sequence="2"),
    ),
    Case(
        "operation_state_known",
        copy("payments_operation", "refunding", key="gen_random_uuid()", sequence="9", state="'x'"),
    ),
    Case("operation_purpose_known", "UPDATE payments_operation SET purpose = 'gift'"),
    Case("operation_amount_is_money", "UPDATE payments_operation SET amount = 'NaN'"),
    Case("ledger_amount_is_money", copy("payments_ledgerline", "charge", amount="'NaN'")),
    Case("ledger_kind_known", copy("payments_ledgerline", "charge", kind="'tip'")),
    Case(
        "ledger_line_of_a_refund_names_it",
        copy("payments_ledgerline", "charge", kind="'refund'"),
    ),
]
HISTORY = [
    Case("history_has_one_line_a_number", copy("audit_entry", "entry")),
    *(
        Case(
            "told_of_an_order_once",
            copy("audit_entry", "entry", number="number + 9000", event=f"'{event}'"),
            (copy("audit_entry", "entry", number="number + 8000", event=f"'{event}'"),),
            about=event,
        )
        for event in ("order.confirmation_warned", "order.verification_delayed")
    ),
    Case("history_door_known", copy("audit_entry", "entry", number="999", door="'window'")),
    Case("a_submission_happens_once", copy("audit_submission", "submission")),
    Case("outbox_state_known", "UPDATE notifications_outbox SET state = 'odd'"),
    Case("history_is_digested_once", copy("audit_historydigest", "digest")),
    Case(
        "a_digest_covers_entries",
        copy("audit_historydigest", "digest", first="last + 1"),
    ),
]

# Guards written in migrations: keys that name the merchant or the order a second time, ...
KEYS = [
    *(
        Case(f"{word}_of_an_order_of_its_merchant", offence)
        for word, offence in {
            "item": "UPDATE orders_item SET merchant_id = {other}",
            "contact": "UPDATE orders_contact SET merchant_id = {other}",
            "shipment": "UPDATE orders_shipment SET merchant_id = {other}",
            "cancellation": "UPDATE orders_cancellation SET merchant_id = {other}",
            "refund": "UPDATE orders_refund SET merchant_id = {other}",
            "note": "UPDATE orders_ordernote SET merchant_id = {other}",
            "request": "UPDATE orders_buyerrequest SET merchant_id = {other}",
            "operation": "UPDATE payments_operation SET merchant_id = {other}",
            "ledger": copy("payments_ledgerline", "charge", merchant_id="{other}"),
            "history": copy("audit_entry", "entry", merchant_id="{other}", number="1"),
            "outbox": "UPDATE notifications_outbox SET merchant_id = {other}",
            "gateway_event": "UPDATE payments_gatewayevent SET merchant_id = {other}",
        }.items()
    ),
    Case(
        "shipment_line_names_an_item_of_its_order",
        copy("orders_shipmentline", "shipment_line", item_id="{item}"),
    ),
    Case(
        "ledger_line_names_an_item_of_its_order",
        copy("payments_ledgerline", "charge", item_id="{item}"),
    ),
    Case(
        "shipment_needs_a_live_order",
        copy("orders_shipment", "shipment", order_id="{cancelled}"),
        about="a cancelled order ships",
    ),
    Case(
        "shipment_needs_a_live_order",
        "UPDATE orders_order SET status = 'cancelled', cancelled_at = now(), version = version + 1"
        " WHERE id = {shipped}",
        (
            "ALTER TABLE orders_order DISABLE TRIGGER order_moves",
            "ALTER TABLE orders_order DROP CONSTRAINT cancelled_is_never_charged",
        ),
        about="an order with a shipment is cancelled",
    ),
]
# Stands for the line of history that a change by the buyer writes.
EDITED = (
    "INSERT INTO audit_entry (merchant_id, number, order_id, event, happened_at, door, actor,"
    " before, after) VALUES ({{merchant}}, 1000000, {{{}}}, 'order.buyer_edited', now(), 'buyer',"
    " 'the buyer', '{{{{}}}}', '{{{{}}}}')"
)
# ... and triggers, by their own names.
OPERATED = (
    "INSERT INTO audit_operatorentry (happened_at, user_id, operator, act, subject, note)"
    " VALUES (now(), {user}, 'Op', 'job.run', 'expiry', 'It is late')"
)
TRIGGERS = {
    "an_account_keeps_an_owner": [
        Case(
            "an_account_keeps_an_owner",
            "UPDATE accounts_membership SET removed_at = now() WHERE is_owner",
            about="removed",
        ),
        Case(
            "an_account_keeps_an_owner",
            "UPDATE accounts_membership SET is_owner = false WHERE is_owner",
            about="reduced",
        ),
        Case(
            "an_account_keeps_an_owner",
            "DELETE FROM accounts_membership WHERE is_owner",
            about="deleted",
        ),
    ],
    "order_moves": [
        Case(
            "order_moves_as_the_table_says",
            "UPDATE orders_order SET status = 'unshipped', version = version + 1"
            " WHERE id = {shipped}",
        ),
        Case(
            "order_moves_with_its_version",
            "UPDATE orders_order SET status = 'cancelled', cancelled_at = now() WHERE id = {order}",
        ),
    ],
    "order_is_audited": [
        Case(
            "order_is_audited",
            "UPDATE orders_order SET status = 'cancelled', cancelled_at = now(),"
            " version = version + 1 WHERE id = {order}",
            about="status",
        ),
        Case(
            "order_is_audited",
            "UPDATE orders_order SET refunded_total = 1 WHERE id = {shipped}",
            about="refunded total",
        ),
    ],
    "new_order_is_audited": [Case("order_is_audited", order_copy(), about="new order")],
    "order_stays": [
        Case("what_was_bought_stays", f"UPDATE orders_order SET {change}", about=change)
        for change in (
            "merchant_id = {other}",
            f"number = {NUMBER}",
            "purchased_at = purchased_at + interval '1 second'",
            "currency = 'EUR'",
        )
    ],
    "order_changes_by_its_buyer": [
        Case(
            "what_was_bought_stays",
            f"UPDATE orders_order SET {change} WHERE id = {{order}}",
            about=change,
        )
        for change in ("total = total + 1", "quantity_purchased = quantity_purchased + 1")
    ]
    + [
        Case(
            "what_was_bought_stays",
            "UPDATE orders_order SET total = total + 1 WHERE id = {shipped}",
            (EDITED.format("shipped"),),
            about="what was charged",
        ),
        Case(
            "order_costs_what_its_items_cost",
            "UPDATE orders_order SET total = total + 1 WHERE id = {order}",
            (EDITED.format("order"),),
            about="its sum",
        ),
    ],
    "item_changes_by_its_buyer": [
        Case(
            "what_was_bought_stays", f"UPDATE orders_item SET {name} = {name} + 1", about=f"{name}"
        )
        for name in ("quantity_purchased", *COMPONENTS)
    ]
    + [
        Case(
            "order_costs_what_its_items_cost",
            "UPDATE orders_item SET item_price = item_price + 1 WHERE order_id = {order}",
            (EDITED.format("order"),),
            about="one of its items",
        ),
    ],
    "order_leaves_no_request": [
        Case(
            "only_an_unshipped_order_has_a_request",
            "UPDATE orders_order SET status = 'cancelled', cancelled_at = now(),"
            " version = version + 1 WHERE id = {asked}",
            (EDITED.format("asked"),),
        ),
    ],
    "request_needs_an_unshipped_order": [
        Case(
            "only_an_unshipped_order_has_a_request",
            copy("orders_buyerrequest", "request", order_id="{shipped}"),
            about="shipped",
        ),
        Case(
            "only_an_unshipped_order_has_a_request",
            "UPDATE orders_buyerrequest SET order_id = {cancelled} WHERE id = {request}",
            about="cancelled",
        ),
    ],
    "item_stays": [
        Case(
            "what_was_bought_stays",
            "UPDATE orders_item SET order_id = {order} WHERE order_id = {shipped}",
            about="item's order",
        ),
        Case(
            "what_was_bought_stays",
            f"UPDATE orders_item SET number = {NUMBER} WHERE id = {{item}}",
            about="item's number",
        ),
    ],
    "item_refunds_match": [
        Case(
            "refunds_match_the_ledger",
            f"UPDATE orders_item SET refunded_{c} = refunded_{c} + 0.01 WHERE order_id = {{shipped}}",
            ("ALTER TABLE orders_item DROP CONSTRAINT net_refund_within_delivery",)
            if c == "shipping_promotion"
            else ("ALTER TABLE orders_item DROP CONSTRAINT net_refund_within_item_cost",),
            about=f"counter of {c}",
        )
        for c in COMPONENTS
    ],
    "ledger_refunds_match": [
        Case(
            "refunds_match_the_ledger",
            copy("payments_ledgerline", "refund_line"),
            about="a line without its counter",
        )
    ],
    "operation_outcome_is_final": [
        Case(
            "outcomes_are_final",
            "UPDATE payments_operation SET state = 'failed' WHERE id = {capture}",
            about="capture",
        )
    ],
    "refund_outcome_is_final": [
        Case(
            "outcomes_are_final",
            "UPDATE orders_refund SET state = 'submitted' WHERE id = {refund}",
            about="refund",
        )
    ],
    "operators_are_append_only": [
        Case(
            "audit_operatorentry_is_append_only",
            "UPDATE audit_operatorentry SET note = 'nothing'",
            (OPERATED,),
        ),
    ],
    "operators_are_not_truncated": [
        Case(
            "audit_operatorentry_is_append_only",
            "TRUNCATE audit_operatorentry",
            ("ALTER TABLE audit_operatorentry ENABLE TRIGGER operators_are_not_truncated",),
            about="truncate",
        )
    ],
    "audit_entry_is_append_only": [
        Case("audit_entry_is_append_only", "UPDATE audit_entry SET actor = 'nobody'"),
        Case("audit_entry_is_append_only", "DELETE FROM audit_entry", about="delete"),
    ],
    "audit_entry_is_not_truncated": [
        Case(
            "audit_entry_is_append_only",
            "TRUNCATE audit_entry",
            ("ALTER TABLE audit_entry ENABLE TRIGGER audit_entry_is_not_truncated",),
            about="truncate",
        )
    ],
    "digests_are_append_only": [
        Case("audit_historydigest_is_append_only", "UPDATE audit_historydigest SET digest = ''"),
        Case(
            "audit_historydigest_is_append_only", "DELETE FROM audit_historydigest", about="delete"
        ),
    ],
    "digests_are_not_truncated": [
        Case(
            "audit_historydigest_is_append_only",
            "TRUNCATE audit_historydigest",
            ("ALTER TABLE audit_historydigest ENABLE TRIGGER digests_are_not_truncated",),
            about="truncate",
        )
    ],
    "ledger_is_append_only": [
        Case("payments_ledgerline_is_append_only", "UPDATE payments_ledgerline SET amount = 1"),
        Case(
            "payments_ledgerline_is_append_only", "DELETE FROM payments_ledgerline", about="delete"
        ),
    ],
    "ledger_is_not_truncated": [
        Case(
            "payments_ledgerline_is_append_only",
            "TRUNCATE payments_ledgerline",
            ("ALTER TABLE payments_ledgerline ENABLE TRIGGER ledger_is_not_truncated",),
            about="truncate",
        )
    ],
    "stock_journal_is_append_only": [
        Case("catalog_stockchange_is_append_only", "UPDATE catalog_stockchange SET after = 0"),
        Case(
            "catalog_stockchange_is_append_only", "DELETE FROM catalog_stockchange", about="delete"
        ),
    ],
    "stock_journal_is_not_truncated": [
        Case(
            "catalog_stockchange_is_append_only",
            "TRUNCATE catalog_stockchange",
            ("ALTER TABLE catalog_stockchange ENABLE TRIGGER stock_journal_is_not_truncated",),
            about="truncate",
        )
    ],
    "sandbox_clock_runs_forward": [
        Case(
            "clock_runs_forward",
            "UPDATE accounts_merchant SET clock_ahead = '1 hour' WHERE id = {sandbox}",
        )
    ],
}
GROUPS = {
    "accounts": ACCOUNTS,
    "core": CORE,
    "catalogue": CATALOGUE,
    "orders": ORDERS,
    "items": ITEMS,
    "children": CHILDREN,
    "payments": PAYMENTS,
    "history": HISTORY,
    "keys": KEYS,
    **TRIGGERS,
}
CASES = [case for cases in GROUPS.values() for case in cases]


def named(case: Case) -> str:
    return f"{case.guard} ({case.about})" if case.about else case.guard


def offend(case: Case, world: dict[str, Any]) -> str:
    """Run an offence and what is checked at commit; return the name it was refused under."""
    offence = _sql(case.offence, world)
    lead = [_sql(statement, world) for statement in case.lead]
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            for statement in lead:
                cursor.execute(statement)
            cursor.execute(offence)
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
            transaction.set_rollback(True)
    except IntegrityError as refused:
        return str(refused.__cause__.diag.constraint_name)
    return "nothing"


def _sql(statement: str | Copy, world: dict[str, Any]) -> str:
    text = statement.sql() if isinstance(statement, Copy) else statement
    return text.format(**world)


def offend_all(cases: Sequence[Case], world: dict[str, Any]) -> dict[str, str]:
    """Return, by case, the name each offence was refused under."""
    return {named(case): offend(case, world) for case in cases}


@contextmanager
def failing(table: str, order: Order) -> Iterator[None]:
    """Let the database refuse every new row of a table that names an order."""
    with connection.cursor() as cursor:
        cursor.execute(
            "CREATE FUNCTION fail() RETURNS trigger LANGUAGE plpgsql AS"
            " $$ BEGIN RAISE EXCEPTION 'out of order'; END $$;"
            f" CREATE TRIGGER fails BEFORE INSERT ON {table} FOR EACH ROW"
            f" WHEN (NEW.order_id = {order.pk}) EXECUTE FUNCTION fail()"
        )
        yield
        cursor.execute(f"DROP TRIGGER fails ON {table}; DROP FUNCTION fail()")
