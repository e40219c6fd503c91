"""Somebody signs in with Example ID and sees their account."""

from __future__ import annotations

from monitor.journeys import Browser, Journey, Secret, step


@step("Open the sign-in page", budget="3s")
async def open_login(browser: Browser) -> None:
    """The shop offers Example ID."""
    await browser.open("/login")
    await browser.expect_visible(browser.page.get_by_role("link", name="Sign in with Example ID"))


@step("Go to the identity provider", capability="identity", budget="3s")
async def go_to_provider(browser: Browser) -> None:
    """The provider asks who it is."""
    await browser.page.get_by_role("link", name="Sign in with Example ID").click()
    await browser.expect_visible(browser.page.get_by_label("Password"))


@step("Sign in", capability="identity", budget="3s", sensitive=True)
async def sign_in(browser: Browser, *, email: str, password: Secret) -> None:
    """The provider knows the account and leads back to the shop."""
    await browser.page.get_by_label("Email").fill(email)
    await browser.fill_secret(browser.page.get_by_label("Password"), password)
    await browser.page.get_by_role("button", name="Sign in").click()
    await browser.expect_path("/account")


@step("See the account", capability="identity", budget="2s")
async def see_account(browser: Browser, *, email: str) -> None:
    """The account is the right one."""
    await browser.expect_text(f"You are signed in as {email}.")


journey = Journey(
    name="login",
    title="Sign in",
    description="A customer with an account comes in by way of the identity provider.",
    budget="10s",
    parameters=("email", "password"),
    steps=(open_login, go_to_provider, sign_in, see_account),
)
