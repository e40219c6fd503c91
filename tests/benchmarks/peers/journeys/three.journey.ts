import { journey, step } from "@elastic/synthetics";

journey("three steps", ({ page, params }) => {
  step("open", async () => {
    await page.goto(params.url);
  });
  step("follow", async () => {
    await page.getByRole("link", { name: "Details" }).click();
    await page.getByRole("heading", { name: "Details" }).waitFor();
  });
  step("ask", async () => {
    await page.getByRole("button", { name: "Ask" }).click();
    await page.getByText("The answer is 42").waitFor();
  });
});
