"""What journey code is given: the page, and what a monitor needs beside it."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Literal

from playwright.async_api import Error as PlaywrightError
from playwright.async_api import Locator, Page, Response
from playwright.async_api import TimeoutError as PlaywrightTimeoutError

from monitor.domain.evidence import ProberFault
from monitor.domain.secret import Redactor, Secret
from monitor.probes.browser.wording import described
from monitor.probes.session import ExpectationFailed, ProberError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from monitor.probes.browser.journal import PageJournal

_ERROR_STATUS = 400
_EXPECT_SECONDS = 10.0
_LOOK_SECONDS = 1.0
_EXCERPT = 200


class PageRefused(ExpectationFailed):
    """The site answered a page with an error status."""

    def __init__(self, message: str, url: str) -> None:
        super().__init__(message)
        self.url = url


class Browser:
    """A customer's browser on one journey.

    ``page`` is Playwright's page with everything it can do; the methods here open pages of the target, type secrets
    without leaking them, and state expectations that say what was seen instead.
    """

    def __init__(
        self,
        *,
        page: Page,
        base_url: str,
        values: Mapping[str, str | Secret],
        redactor: Redactor,
        journal: PageJournal,
        remaining: Callable[[], float],
    ) -> None:
        self.page = page
        self._base_url = base_url.rstrip("/")
        self._values = values
        self._redactor = redactor
        self._journal = journal
        self._remaining = remaining
        self._typed: list[Locator] = []

    @property
    def base_url(self) -> str:
        """Return the address of the target, without a slash at its end."""
        return self._base_url

    @property
    def secret_typed(self) -> bool:
        """Say whether a secret was typed, so that pictures and traces must be handled with care."""
        return bool(self._typed)

    @property
    def typed_into(self) -> tuple[Locator, ...]:
        """Return the fields that a secret was typed into."""
        return tuple(self._typed)

    async def open(
        self,
        path: str = "/",
        *,
        wait_until: Literal["commit", "domcontentloaded", "load", "networkidle"] = "domcontentloaded",
    ) -> Response | None:
        """Go to a path of the target; an answer of 400 or above fails the step."""
        url = path if path.startswith(("http://", "https://")) else f"{self._base_url}/{path.lstrip('/')}"
        response = await self.page.goto(url, wait_until=wait_until)
        if response is not None and response.status >= _ERROR_STATUS:
            message = f"{path} answered {response.status} {response.status_text}".rstrip()
            raise PageRefused(message, response.url)
        return response

    def value(self, name: str) -> str:
        """Return a value that the check hands to the journey."""
        found = self._values.get(name)
        if found is None:
            message = f"The check gives no value {name!r}: add it under `values`."
            raise ProberError(ProberFault.SECRET_MISSING, message)
        if isinstance(found, Secret):
            message = f"The value {name!r} is a secret: use browser.secret({name!r})."
            raise TypeError(message)
        return found

    def secret(self, name: str) -> Secret:
        """Return a secret that the check hands to the journey."""
        found = self._values.get(name)
        if found is None:
            message = f"The check gives no secret {name!r}: add it under `values`."
            raise ProberError(ProberFault.SECRET_MISSING, message)
        return found if isinstance(found, Secret) else Secret(name, found)

    async def fill_secret(self, field: str | Locator, secret: Secret | str) -> None:
        """Type a secret, given itself or by its name, into a field; no error text ever holds it."""
        known = self.secret(secret) if isinstance(secret, str) else secret
        locator = self.page.locator(field) if isinstance(field, str) else field
        self._typed.append(locator)
        failure: PlaywrightError
        try:
            await locator.fill(known.reveal())
        except PlaywrightError as error:
            text = Redactor((known,)).mask(str(error))
            # An author's short secret is no form the redactor looks for, but here it is known to be one.
            text = text.replace(known.reveal(), "•••") if known.reveal() else text
            failure = (
                PlaywrightTimeoutError(text) if isinstance(error, PlaywrightTimeoutError) else PlaywrightError(text)
            )
        else:
            return
        # Raised outside of the handler, so that the original does not travel along as its context.
        raise failure

    def answer_dialogs(self, *, accept: bool = True, text: str | None = None) -> None:
        """Accept (or dismiss) the page's dialogs from now on; without this they are dismissed."""
        self._journal.answer_dialogs(accept=accept, text=text)

    async def expect_text(self, text: str, *, within: float = _EXPECT_SECONDS) -> None:
        """Expect a visible element with this text."""
        await self._expect(self.page.get_by_text(text).first, "visible", f"the text {text!r}", within)

    async def expect_no_text(self, text: str, *, within: float = _EXPECT_SECONDS) -> None:
        """Expect no visible element with this text."""
        await self._expect(self.page.get_by_text(text).first, "hidden", f"no text {text!r}", within)

    async def expect_visible(self, target: str | Locator, *, within: float = _EXPECT_SECONDS) -> None:
        """Expect an element to be visible."""
        locator = self.page.locator(target) if isinstance(target, str) else target
        await self._expect(locator, "visible", f"{described(target)} to be visible", within)

    async def expect_path(self, path: str, *, within: float = _EXPECT_SECONDS) -> None:
        """Expect the page's address to be this path of the target, whatever its query says."""
        wanted = f"{self._base_url}/{path.lstrip('/')}"
        failed = False
        try:
            await self.page.wait_for_url(
                lambda url: url.partition("?")[0].partition("#")[0].rstrip("/") == wanted.rstrip("/"),
                timeout=self._milliseconds(within),
                wait_until="commit",
            )
        except PlaywrightTimeoutError:
            failed = True
        if failed:
            message = f"expected the page {path}, but the browser is at {self.page.url}"
            raise ExpectationFailed(self._redactor.mask(message))

    async def _expect(self, locator: Locator, state: Literal["visible", "hidden"], what: str, within: float) -> None:
        failed, patience = False, self._milliseconds(within)
        try:
            await locator.wait_for(state=state, timeout=patience)
        except PlaywrightTimeoutError:
            failed = True
        if failed:
            message = f"expected {what} within {patience / 1000:.3g} s, but {await self._seen()}"
            raise ExpectationFailed(self._redactor.mask(message))

    async def _seen(self) -> str:
        with contextlib.suppress(PlaywrightError):
            text = await self.page.locator("body").inner_text(timeout=_LOOK_SECONDS * 1000)
            words = " ".join(text[: 10 * _EXCERPT].split())
            return f"{self._path()} shows {self._redactor.mask(words)[:_EXCERPT]!r}"
        return f"{self._path()} shows nothing that can be read"

    def _path(self) -> str:
        return self.page.url.removeprefix(self._base_url) or "/"

    def _milliseconds(self, within: float) -> float:
        return max(0.1, min(within, self._remaining())) * 1000
