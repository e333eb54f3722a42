"""Composition root: the console's pages, then those that procedures bring."""

from django.urls import include, path

from holdfast.manifests import pages

urlpatterns = [
    path("", include("holdfast.edges.console.urls")),
    *(path("", include(urls)) for _, urls in pages()),
]
handler400 = "holdfast.edges.console.views.bad_request"
handler403 = "holdfast.edges.console.views.forbidden"
handler404 = "holdfast.edges.console.views.not_found"
handler500 = "holdfast.edges.console.views.internal_error"
