"""Who is let in, with a real browser and its cookies."""

from __future__ import annotations

import re
from pathlib import Path

from playwright.sync_api import Browser, expect

from tests.support.dashboard import dashboard, visit

PASSWORD = "correct horse battery"


def test_a_person_logs_in_arrives_where_they_wanted_to_go_and_logs_out(
    browser: Browser, recorded: str, tmp_path: Path
) -> None:
    file = tmp_path / "password"
    file.write_text(f"{PASSWORD}\n")
    file.chmod(0o600)
    with (
        dashboard(tmp_path, recorded, "--password-file", str(file)) as address,
        visit(browser, address) as person,
    ):
        page = person.page()
        person.allowed = ["401"]
        page.goto("/operations?kind=delete")
        page.get_by_label("Password").fill("wrong")
        page.get_by_role("button", name="Log in").click()
        expect(page.get_by_role("alert")).to_have_text("This is not the password.")
        page.get_by_label("Password").fill(PASSWORD)
        page.get_by_role("button", name="Log in").click()
        expect(page).to_have_url(re.compile(r"/operations\?kind=delete$"))
        (cookie,) = person.context.cookies()
        assert (cookie["httpOnly"], cookie["sameSite"], PASSWORD in cookie["value"]) == (True, "Lax", False)
        page.get_by_role("button", name="Log out").click()
        expect(page.get_by_label("Password")).to_be_visible()
        page.goto("/operations")
        expect(page).to_have_url(re.compile("/login"))
