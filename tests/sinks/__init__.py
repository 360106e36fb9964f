"""Servers of the outside world that behave as told and remember what they saw."""
