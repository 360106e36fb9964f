from accounts.models.api_key import ApiKey
from accounts.models.email_change import EmailChange
from accounts.models.invitation import Invitation
from accounts.models.marketplace import Holiday, Marketplace
from accounts.models.membership import Grant, Membership
from accounts.models.merchant import Merchant
from accounts.models.profile import Logo, Profile
from accounts.models.second_factor import RecoveryCode, SecondFactor
from accounts.models.security_question import SecurityQuestion
from accounts.models.session import Session
from accounts.models.user import User

__all__ = [
    "ApiKey",
    "EmailChange",
    "Grant",
    "Holiday",
    "Invitation",
    "Logo",
    "Marketplace",
    "Membership",
    "Merchant",
    "Profile",
    "RecoveryCode",
    "SecondFactor",
    "SecurityQuestion",
    "Session",
    "User",
]
