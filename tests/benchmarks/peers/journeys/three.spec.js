const { test } = require("@playwright/test");

test("three steps", async ({ page }) => {
  await page.goto(process.env.SITE_URL);
  await page.getByRole("link", { name: "Details" }).click();
  await page.getByRole("heading", { name: "Details" }).waitFor();
  await page.getByRole("button", { name: "Ask" }).click();
  await page.getByText("The answer is 42").waitFor();
});
