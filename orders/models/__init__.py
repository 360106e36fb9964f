from orders.models import contact  # registered here, read by ``domain.contacts`` alone
from orders.models.cancellation import Cancellation
from orders.models.invariant_check import InvariantCheck
from orders.models.note import OrderNote
from orders.models.order import Item, Order
from orders.models.refund import Refund
from orders.models.request import BuyerRequest
from orders.models.shipment import Shipment, ShipmentLine
from orders.models.tally import DayTally

__all__ = [
    "BuyerRequest",
    "Cancellation",
    "DayTally",
    "InvariantCheck",
    "Item",
    "Order",
    "OrderNote",
    "Refund",
    "Shipment",
    "ShipmentLine",
    "contact",
]
