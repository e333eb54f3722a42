"""The console over WSGI, as a browser or an attacker meets it."""

from __future__ import annotations

import re
from html.parser import HTMLParser

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.core.wsgi import get_wsgi_application
from django.http import HttpResponse
from django.test import Client
from django.urls import path

from holdfast.pages.permissions import Permission, needs, undeclared


@pytest.fixture
def browser():
    get_wsgi_application()
    return Client(raise_request_exception=False, headers={"host": "localhost:8460"})


class Tags(HTMLParser):
    def __init__(self, page: str) -> None:
        super().__init__()
        self.seen: list[tuple[str, dict[str, str | None]]] = []
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        self.seen.append((tag, dict(attrs)))


def test_the_status_page_opens_for_the_operator_at_this_machine(browser):
    page = browser.get("/status")
    assert page.status_code == 200
    assert "no-store" in page["Cache-Control"]
    text = page.content.decode()
    assert "Holdfast house" in text
    assert "The data plane does not answer" in text or "failed" in text


@pytest.mark.parametrize(
    "extra",
    [
        {"REMOTE_ADDR": "192.0.2.7"},
        {"REMOTE_ADDR": ""},
        {"HTTP_X_FORWARDED_FOR": "192.0.2.7"},
        {"HTTP_FORWARDED": "for=192.0.2.7"},
        {"HTTP_VIA": "1.1 proxy"},
    ],
)
def test_the_status_page_is_closed_to_everybody_else(browser, extra):
    page = browser.get("/status", **extra)
    assert page.status_code == 403
    assert "Checks" not in page.content.decode()


def test_a_name_that_is_not_ours_is_refused(browser):
    assert browser.get("/", headers={"host": "evil.example"}).status_code == 400


def test_what_is_not_there_is_told_in_the_same_words(browser):
    one, other = browser.get("/client/bank-01"), browser.get("/client/none")
    assert one.status_code == other.status_code == 404
    nonce = re.compile(rb'nonce="[^"]+"')
    assert nonce.sub(b"", one.content) == nonce.sub(b"", other.content)


def test_a_page_that_only_reads_takes_nothing(browser):
    own = {"sec-fetch-site": "same-origin"}
    assert browser.post("/status", headers=own).status_code == 405
    assert browser.get("/healthz").json() == {"status": "ok"}


def test_who_is_nobody_yet_is_sent_to_sign_in_and_comes_back(browser):
    assert browser.get("/")["Location"] == "/sign-in"
    assert browser.get("/desk?list")["Location"] == "/sign-in?next=%2Fdesk%3Flist"
    own = {"sec-fetch-site": "same-origin", "referer": "http://localhost:8460/account"}
    sent = browser.post("/account/sessions/end", headers=own)
    assert sent["Location"] == "/sign-in?next=%2Faccount"


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "same-site"},
        {"sec-fetch-site": "none"},
        {"origin": "https://evil.example"},
        {"origin": "null"},
        {"origin": "http://localhost:9999"},
        {"origin": "http://localhost:8460", "sec-fetch-site": "cross-site"},
    ],
)
def test_a_request_that_another_site_forged_is_refused(browser, headers):
    assert browser.post("/sign-out", headers=headers).status_code == 403


@pytest.mark.parametrize(
    "headers", [{"sec-fetch-site": "same-origin"}, {"origin": "http://localhost:8460"}]
)
def test_a_request_from_our_own_page_is_taken(browser, headers):
    assert browser.post("/sign-out", headers=headers)["Location"] == "/sign-in"


@pytest.mark.parametrize("url", ["/", "/sign-in", "/status", "/healthz", "/none"])
def test_every_answer_carries_the_strict_policy(browser, url):
    policy = browser.get(url)["Content-Security-Policy"]
    for part in (
        "default-src 'none'",
        "frame-ancestors 'none'",
        "require-trusted-types-for 'script'",
    ):
        assert part in policy
    assert "unsafe" not in policy


@pytest.mark.parametrize("url", ["/sign-in", "/status", "/none"])
def test_a_page_needs_no_inline_style_or_script_and_can_be_read_aloud(browser, url):
    tags = Tags(browser.get(url).content.decode()).seen
    names = [tag for tag, _ in tags]
    scripts = [given for tag, given in tags if tag == "script"]
    assert scripts
    assert all(one.get("src", "").startswith("/static/") and one.get("nonce") for one in scripts)
    assert "style" not in names
    assert not [a for _, a in tags if "style" in a or any(k.startswith("on") for k in a)]
    assert names.count("h1") == 1
    assert ("html", {"lang": "en"}) in tags
    assert all("alt" in attributes for tag, attributes in tags if tag == "img")
    assert any(attributes.get("href") == "#main" for _, attributes in tags)


def test_the_style_sheet_is_served_from_the_package(browser):
    sheet = browser.get("/static/console/console.css")
    assert sheet.status_code == 200
    assert "text/css" in sheet["Content-Type"]
    body = b"".join(sheet.streaming_content).decode()
    assert "prefers-color-scheme: dark" in body
    assert "url(" not in body


def open_view(request):
    return HttpResponse("open")


def test_a_view_that_declares_no_permission_is_found():
    guarded = needs(Permission.NOTHING_TOLD)(open_view)
    assert list(undeclared([path("a", open_view), path("b", guarded)])) == ["/a"]


def test_a_view_that_declares_no_permission_keeps_the_console_from_starting(monkeypatch):
    from django.apps import apps
    from django.urls import get_resolver

    monkeypatch.setattr(get_resolver(), "url_patterns", [path("a", open_view)])
    with pytest.raises(ImproperlyConfigured, match="/a"):
        apps.get_app_config("console").ready()


@pytest.mark.parametrize("path", ["/demo/be/A0001", "/demo/be/ADM1"])
def test_nobody_is_signed_in_by_a_click_outside_the_demo(browser, path):
    own = {"sec-fetch-site": "same-origin"}
    assert browser.post(path, headers=own).status_code == 404
    assert "Demo" not in browser.get("/sign-in").content.decode()
