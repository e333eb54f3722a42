"""The desk, and the floor."""

from django.urls import path

from holdfast.procedures.access.api import scim
from holdfast.procedures.access.views import desk, floor

app_name = "access"
urlpatterns = [
    path("floor", floor.floor, name="floor"),
    path("floor/waiting", floor.waiting, name="floor_waiting"),
    path("floor/approvals/<str:ident>", floor.approval, name="approval"),
    path("floor/approvals/<str:ident>/<str:word>", floor.decide, name="decide"),
    path("scim/v2/<path:path>", scim, name="scim"),
    path("desk", desk.desk, name="desk"),
    path("desk/live", desk.live, name="desk_live"),
    path("desk/<str:client>/<str:contact>", desk.contact, name="contact"),
    path("desk/<str:client>/<str:contact>/ask", desk.ask, name="ask"),
    path("desk/<str:client>/<str:contact>/find", desk.find, name="find"),
    path("desk/<str:client>/<str:contact>/verify", desk.verify_caller, name="verify"),
    path("desk/<str:client>/<str:contact>/reason", desk.other_reason, name="reason"),
    path("desk/<str:client>/<str:contact>/change", desk.change, name="change"),
    path("desk/<str:client>/<str:contact>/act", desk.do, name="act"),
    path("desk/<str:client>/<str:contact>/taken", desk.taken, name="taken"),
    path("desk/<str:client>/<str:contact>/show/<str:field>", desk.show, name="show"),
]
