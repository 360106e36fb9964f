"""Addresses of the JSON API."""

from django.urls import path

from orders.api import views

urlpatterns = [
    path("orders/", views.Orders.as_view(), name="api_orders"),
    path("orders/<str:number>/", views.OneOrder.as_view(), name="api_order"),
    path("orders/<str:number>/delivery/", views.Delivery.as_view(), name="api_delivery"),
]
