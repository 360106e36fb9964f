"""What anybody may read about a merchant (requirements section 10)."""

from django.urls import path

from checkout.views import seller

urlpatterns = [
    path("<slug:slug>/", seller.profile, name="seller_profile"),
    path("<slug:slug>/logo/<slug:digest>.png", seller.logo, name="seller_logo"),
]
