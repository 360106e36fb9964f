"""Feeds of order related files; its pages come with their own step."""

from django.apps import AppConfig


class UploadsConfig(AppConfig):
    name = "uploads"
