"""Signing in and out, and what becomes of a session."""

from __future__ import annotations

import re

from playwright.sync_api import Page, Route, expect

from tests.fixtures.browser import Shelf, Visitor
from tests.fixtures.instance import ADMIN_PASSWORD, PASSWORD

UNAUTHORIZED = "status of 401"


def fill(page: Page, name: str, password: str) -> None:
    page.get_by_label("User name").fill(name)
    page.get_by_label("Password", exact=True).fill(password)
    page.get_by_role("button", name="Sign in").click()


def test_the_right_password_leads_to_the_cases(visit: Visitor) -> None:
    student = visit()
    student.go("/")
    fill(student.page, "test-student", PASSWORD)
    expect(student.page.get_by_role("heading", name="Cases")).to_be_visible()
    expect(student.page).to_have_url(re.compile(r"/cases$"))


def test_a_wrong_password_says_so_and_keeps_the_name(visit: Visitor) -> None:
    student = visit()
    student.expected.append(UNAUTHORIZED)
    student.go("/sign-in")
    fill(student.page, "test-student", "not the password")
    expect(student.page.get_by_role("alert")).to_contain_text("do not fit together")
    expect(student.page.get_by_label("User name")).to_have_value("test-student")
    expect(student.page.get_by_label("Password", exact=True)).to_have_value("")
    fill(student.page, "test-student", PASSWORD)
    expect(student.page.get_by_role("heading", name="Cases")).to_be_visible()


def test_too_many_tries_say_how_long_to_wait(visit: Visitor) -> None:
    guesser = visit()
    guesser.expected += [UNAUTHORIZED, "status of 429"]
    guesser.go("/sign-in")
    alert = guesser.page.get_by_role("alert")
    for guess in range(12):
        with guesser.page.expect_response("**/api/token/") as answer:
            fill(guesser.page, "somebody-else", f"guess {guess}")
        if answer.value.status == 429:
            break
    expect(alert).to_contain_text(re.compile(r"Too many tries.*Try again in \d+ s"))


def test_the_sign_in_page_says_where_the_first_password_is(visit: Visitor) -> None:
    newcomer = visit()
    newcomer.go("/sign-in")
    newcomer.page.get_by_text("First start of this server?").click()
    expect(newcomer.page.get_by_text("secrets/admin_password")).to_be_visible()


def test_a_reload_keeps_the_session_and_the_token_stays_out_of_storage(visit: Visitor) -> None:
    student = visit()
    student.go("/sign-in")
    fill(student.page, "test-student", PASSWORD)
    expect(student.page.get_by_role("heading", name="Cases")).to_be_visible()
    student.page.reload()
    expect(student.page.get_by_role("heading", name="Cases")).to_be_visible()
    kept = student.page.evaluate("JSON.stringify([{...localStorage}, {...sessionStorage}, document.cookie])")
    assert "eyJ" not in kept, "a token lies where any script can read it"


def test_who_comes_by_a_link_is_led_back_to_it_after_signing_in(visit: Visitor, shelf: Shelf) -> None:
    student = visit()
    student.go(f"/cases/{shelf.ids[3]}")
    fill(student.page, "test-student", PASSWORD)
    expect(student.page.get_by_role("heading", name="Worst headache of her life")).to_be_visible()


def test_an_ended_session_leads_to_the_sign_in_page_and_back(visit: Visitor) -> None:
    admin = visit("admin")
    admin.expected.append(UNAUTHORIZED)
    admin.go("/admin/audit")
    expect(admin.page.get_by_role("heading", name="Audit")).to_be_visible()
    admin.page.context.clear_cookies()
    admin.page.reload()
    expect(admin.page.get_by_role("status")).to_contain_text("Your session has ended")
    fill(admin.page, "admin", ADMIN_PASSWORD)
    expect(admin.page.get_by_role("heading", name="Audit")).to_be_visible()


def test_an_access_token_that_is_refused_is_renewed_without_a_word(visit: Visitor) -> None:
    student = visit("student")
    student.expected.append(UNAUTHORIZED)
    student.go("/cases")
    expect(student.page.get_by_role("heading", name="Cases")).to_be_visible()
    refused: list[str] = []

    def refuse_once(route: Route) -> None:
        if refused:
            route.continue_()
            return
        refused.append(route.request.url)
        route.fulfill(status=401, json={"error": "token_expired", "message": "Expired.", "request_id": "r"})

    student.page.route("**/api/bestof/cases?*", refuse_once)
    student.page.get_by_label("Search number, title or text").fill("headache")
    expect(student.page.get_by_text("1 case found.")).to_be_visible()
    assert refused


def test_signing_out_ends_every_tab(visit: Visitor) -> None:
    student = visit()
    student.go("/sign-in")
    fill(student.page, "test-student", PASSWORD)
    expect(student.page.get_by_role("heading", name="Cases")).to_be_visible()
    other = student.page.context.new_page()
    other.goto(student.url + "/cases")
    expect(other.get_by_role("heading", name="Cases")).to_be_visible()
    student.page.get_by_label("Account of test-student").click()
    student.page.get_by_role("menuitem", name="Sign out").click()
    expect(student.page.get_by_role("heading", name="Sign in")).to_be_visible()
    expect(other.get_by_role("heading", name="Sign in")).to_be_visible()
    student.page.reload()
    expect(student.page.get_by_role("heading", name="Sign in")).to_be_visible()
