"""Words of letters for codes, by language: what the pages of merchants say in another way."""

from __future__ import annotations

from collections.abc import Mapping

from orders.enums import CancelCause, CancelReason, RefundReason, ServiceLevel, SystemRefundReason

Words = Mapping[str, Mapping[str, str]]  # language, code

# Why an order ended, as its buyer is told: N04, N06. Fraud is told like any payment that failed.
CANCELLED: Words = {
    "en": {
        CancelCause.PAYMENT_DECLINED: "The payment could not be secured.",
        CancelCause.FRAUD_SUSPECTED: "The payment could not be secured.",
        CancelCause.ADVANCE_OVERDUE: "The payment did not arrive by its last day.",
        CancelCause.PAYMENT_TIMEOUT: "The payment could not be verified in time.",
        CancelCause.BUYER: "You cancelled the order.",
        CancelCause.NOT_CONFIRMED: "The seller did not confirm a shipment in time.",
        CancelCause.PLATFORM: "The order was cancelled by customer service.",
        CancelCause.CHANNEL: "The order was cancelled on the sales channel.",
        CancelReason.NO_INVENTORY: "The seller does not have the product in stock.",
        CancelReason.BUYER_CANCELLED: "You asked for the cancellation.",
        CancelReason.UNDELIVERABLE: "The carrier cannot deliver to the address in the order.",
        CancelReason.CUSTOMER_EXCHANGE: "You take another product instead.",
        CancelReason.PRICING_ERROR: "The price of the offer was wrong.",
        CancelReason.GENERAL_ADJUSTMENT: "The seller cannot carry out the order.",
    },
    "ja": {
        CancelCause.PAYMENT_DECLINED: "お支払いを確認できませんでした。",
        CancelCause.FRAUD_SUSPECTED: "お支払いを確認できませんでした。",
        CancelCause.ADVANCE_OVERDUE: "お支払い期限までにご入金を確認できませんでした。",
        CancelCause.PAYMENT_TIMEOUT: "期限内にお支払いの確認が完了しませんでした。",
        CancelCause.BUYER: "お客様がご注文をキャンセルされました。",
        CancelCause.NOT_CONFIRMED: "出品者が期限内に出荷を確認しませんでした。",
        CancelCause.PLATFORM: "カスタマーサービスがご注文をキャンセルしました。",
        CancelCause.CHANNEL: "販売チャネルでご注文がキャンセルされました。",
        CancelReason.NO_INVENTORY: "商品の在庫がございませんでした。",
        CancelReason.BUYER_CANCELLED: "お客様からキャンセルのご依頼がありました。",
        CancelReason.UNDELIVERABLE: "ご注文のお届け先へ配送できませんでした。",
        CancelReason.CUSTOMER_EXCHANGE: "別の商品への交換をご希望されました。",
        CancelReason.PRICING_ERROR: "商品の価格表示に誤りがありました。",
        CancelReason.GENERAL_ADJUSTMENT: "出品者の都合により、ご注文を承ることができませんでした。",
    },
}

# Why money comes back: N10.
REFUNDED: Words = {
    "en": {
        RefundReason.NO_INVENTORY: "The product is not in stock",
        RefundReason.CUSTOMER_RETURN: "Customer return",
        RefundReason.GENERAL_ADJUSTMENT: "General adjustment",
        RefundReason.COULD_NOT_SHIP: "The product could not be shipped",
        RefundReason.DIFFERENT_ITEM: "Different item",
        SystemRefundReason.CLAIM_GRANTED: "Claim granted",
        SystemRefundReason.CHARGEBACK_LOST: "Chargeback",
        SystemRefundReason.ADVANCE_RETURNED: "Advance payment returned",
        SystemRefundReason.EXTERNAL: "Refunded on the sales channel",
    },
    "ja": {
        RefundReason.NO_INVENTORY: "在庫切れ",
        RefundReason.CUSTOMER_RETURN: "商品の返品",
        RefundReason.GENERAL_ADJUSTMENT: "金額の調整",
        RefundReason.COULD_NOT_SHIP: "出荷不能",
        RefundReason.DIFFERENT_ITEM: "商品違い",
        SystemRefundReason.CLAIM_GRANTED: "マーケットプレイス保証による返金",
        SystemRefundReason.CHARGEBACK_LOST: "チャージバック",
        SystemRefundReason.ADVANCE_RETURNED: "前払い金の返金",
        SystemRefundReason.EXTERNAL: "販売チャネルでの返金",
    },
}

# What a buyer chose who asks for a cancellation: N20.
REQUEST_REASONS: Words = {
    "en": {
        "OrderedByMistake": "Ordered by mistake",
        "DeliveryTooLate": "Delivery too late",
        "FoundCheaper": "Found cheaper",
        "WrongAddress": "Wrong address",
        "Other": "Other",
    },
    "ja": {
        "OrderedByMistake": "間違えて注文した",
        "DeliveryTooLate": "お届けが遅い",
        "FoundCheaper": "より安い商品を見つけた",
        "WrongAddress": "お届け先を間違えた",
        "Other": "その他",
    },
}

SERVICE: Words = {
    "en": {
        ServiceLevel.STANDARD: "Standard",
        ServiceLevel.EXPEDITED: "Expedited",
        ServiceLevel.SECOND_DAY: "Second Day",
        ServiceLevel.PRIORITY: "Priority",
    },
    "ja": {
        ServiceLevel.STANDARD: "通常配送",
        ServiceLevel.EXPEDITED: "お急ぎ便",
        ServiceLevel.SECOND_DAY: "翌々日配送",
        ServiceLevel.PRIORITY: "優先配送",
    },
}

COMPONENTS: Words = {
    "en": {
        "item_price": "Item price",
        "item_tax": "Item tax",
        "gift_wrap_price": "Gift wrap",
        "gift_wrap_tax": "Gift wrap tax",
        "item_promotion": "Promotion",
        "shipping_price": "Shipping",
        "shipping_tax": "Shipping tax",
        "shipping_promotion": "Shipping promotion",
    },
    "ja": {
        "item_price": "商品代金",
        "item_tax": "商品の税",
        "gift_wrap_price": "ギフト包装",
        "gift_wrap_tax": "ギフト包装の税",
        "item_promotion": "割引",
        "shipping_price": "配送料",
        "shipping_tax": "配送料の税",
        "shipping_promotion": "配送料の割引",
    },
}


def word(words: Words, language: str, code: str) -> str:
    """Return the words for a code; a code that is newer than these words stands for itself."""
    return words[language].get(code, code)
