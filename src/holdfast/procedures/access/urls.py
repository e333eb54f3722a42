"""The desk."""

from django.urls import path

from holdfast.procedures.access import views

app_name = "access"
urlpatterns = [
    path("desk", views.desk, name="desk"),
    path("desk/live", views.live, name="desk_live"),
    path("desk/<str:client>/<str:contact>", views.contact, name="contact"),
    path("desk/<str:client>/<str:contact>/find", views.find, name="find"),
    path("desk/<str:client>/<str:contact>/verify", views.verify_caller, name="verify"),
    path("desk/<str:client>/<str:contact>/show/<str:field>", views.show, name="show"),
]
