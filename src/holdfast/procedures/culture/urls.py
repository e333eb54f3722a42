"""Reporting something odd, and answering it."""

from django.urls import path

from holdfast.procedures.culture import views

app_name = "culture"
urlpatterns = [
    path("report", views.make, name="report"),
    path("reports", views.inbox, name="reports"),
    path("reports/<str:report>/answer", views.answer, name="answer"),
]
