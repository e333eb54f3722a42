"""The console's own pages."""

from django.urls import path

from holdfast.edges.console import views

app_name = "console"
urlpatterns = [
    path("", views.status, name="status"),
    path("healthz", views.healthz, name="healthz"),
]
