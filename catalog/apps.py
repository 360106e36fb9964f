"""Listings a merchant offers, the titles they were sold under, and their stock."""

from django.apps import AppConfig


class CatalogConfig(AppConfig):
    name = "catalog"
