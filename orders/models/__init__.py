from orders.models.cancellation import Cancellation
from orders.models.contact import Contact
from orders.models.note import OrderNote
from orders.models.order import Item, Order
from orders.models.refund import Refund
from orders.models.shipment import Shipment, ShipmentLine

__all__ = [
    "Cancellation",
    "Contact",
    "Item",
    "Order",
    "OrderNote",
    "Refund",
    "Shipment",
    "ShipmentLine",
]
