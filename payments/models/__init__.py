from payments.models.ledger import LedgerLine
from payments.models.payment import Operation, Payment
from payments.models.sandbox import SandboxEntry

__all__ = ["LedgerLine", "Operation", "Payment", "SandboxEntry"]
