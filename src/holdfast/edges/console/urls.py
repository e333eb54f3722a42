"""The console's own pages."""

from django.urls import path

from holdfast.edges.console import account, codes, confirm, demo, people, personnel, signin, views

app_name = "console"
urlpatterns = [
    path("", views.home, name="home"),
    path("status", views.status, name="status"),
    path("healthz", views.healthz, name="healthz"),
    path("sign-in", signin.sign_in, name="sign_in"),
    path("sign-in/passkey", signin.passkey_sign_in, name="passkey_sign_in"),
    path("sign-in/code", codes.code_sign_in, name="code_sign_in"),
    path("sign-out", signin.sign_out, name="sign_out"),
    path("enrol/<str:secret>", signin.enrol, name="enrol"),
    path("demo/confirm", demo.confirm, name="demo_confirm"),
    path("demo/be/<str:staff_id>", demo.be, name="demo_be"),
    path("confirm", confirm.confirm, name="confirm"),
    path("people", people.roster, name="people"),
    path("people/add", people.add, name="person_add"),
    path("people/badges/<str:person>", people.badge, name="badge"),
    path("people/import", personnel.follow, name="people_import"),
    path("people/<str:person>", people.person, name="person"),
    path("people/<str:person>/invite", people.invite, name="person_invite"),
    path("people/<str:person>/<str:what>", people.act, name="person_act"),
    path("account", account.account, name="account"),
    path("account/codes/add", codes.add_app, name="add_app"),
    path("account/passkeys/add", account.add_passkey, name="add_passkey"),
    path("account/factors/<int:factor>/rename", account.rename_factor, name="rename_factor"),
    path("account/factors/<int:factor>/remove", account.remove_factor, name="remove_factor"),
    path("account/sessions/<str:session>/end", account.end_session, name="end_session"),
    path("account/sessions/end", account.end_others, name="end_others"),
]
