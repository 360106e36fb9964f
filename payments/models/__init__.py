from payments.models.ledger import LedgerLine
from payments.models.payment import GatewayEvent, Operation, Payment
from payments.models.sandbox import SandboxEntry

__all__ = ["GatewayEvent", "LedgerLine", "Operation", "Payment", "SandboxEntry"]
