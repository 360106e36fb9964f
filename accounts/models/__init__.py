from accounts.models.api_key import ApiKey
from accounts.models.marketplace import Holiday, Marketplace
from accounts.models.membership import Grant, Membership
from accounts.models.merchant import Merchant
from accounts.models.password_reset import PasswordReset
from accounts.models.user import User

__all__ = [
    "ApiKey",
    "Grant",
    "Holiday",
    "Marketplace",
    "Membership",
    "Merchant",
    "PasswordReset",
    "User",
]
