"""The desk."""

from django.urls import path

from holdfast.procedures.access import views
from holdfast.procedures.access.api.scim import scim

app_name = "access"
urlpatterns = [
    path("scim/v2/<path:path>", scim, name="scim"),
    path("desk", views.desk, name="desk"),
    path("desk/live", views.live, name="desk_live"),
    path("desk/<str:client>/<str:contact>", views.contact, name="contact"),
    path("desk/<str:client>/<str:contact>/find", views.find, name="find"),
    path("desk/<str:client>/<str:contact>/verify", views.verify_caller, name="verify"),
    path("desk/<str:client>/<str:contact>/reason", views.other_reason, name="reason"),
    path("desk/<str:client>/<str:contact>/change", views.change, name="change"),
    path("desk/<str:client>/<str:contact>/act", views.do, name="act"),
    path("desk/<str:client>/<str:contact>/taken", views.taken, name="taken"),
    path("desk/<str:client>/<str:contact>/show/<str:field>", views.show, name="show"),
]
