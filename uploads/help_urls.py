"""Addresses of the help around order related files."""

from django.urls import path

from uploads.views import help as helping

app_name = "file_help"
urlpatterns = [
    path("templates/<str:feed>/", helping.template_help, name="template"),
    path("templates/<str:feed>/template.xlsx", helping.template_file, name="template_file"),
    path("error-codes/", helping.error_codes, name="error_codes"),
]
