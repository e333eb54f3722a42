"""A client's own people read their log."""

from django.urls import path

from holdfast.procedures.surveillance import views

app_name = "surveillance"
urlpatterns = [
    path("portal", views.portal, name="portal"),
    path("portal/verifier.html", views.verifier, name="verifier"),
    path("portal/<str:client>", views.log, name="log"),
]
