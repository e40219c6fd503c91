// Keeps the page fresh without a reload, so that focus and scroll position stay. When the server does not answer, the page says so and fades:
// what was true a minute ago must not look like now. In the background it goes on, more slowly: the tab's title tells what needs somebody.
"use strict";
const seconds = Number(document.body.dataset.refresh || 0);
const stale = () => {
  document.getElementById("content").style.opacity = "0.45";
  document.getElementById("age").textContent = "No answer from the monitor: what you see is old.";
};
const hidden_seconds = 60;
let asked_at = Date.now();
const refresh = async () => {
  asked_at = Date.now();
  try {
    const answer = await fetch(location.href, { headers: { Accept: "text/html" }, signal: AbortSignal.timeout(10000) });
    if (!answer.ok) return stale();
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    const focused = document.activeElement && document.activeElement.id;
    document.getElementById("content").replaceWith(page.getElementById("content"));
    document.title = page.title;
    document.getElementById("age").textContent = page.getElementById("age").textContent;
    if (focused) document.getElementById(focused)?.focus();
  } catch {
    stale();
  }
};
// Only where the browser lets a page write to the clipboard: over HTTPS, and from this machine itself.
for (const text of navigator.clipboard ? document.querySelectorAll("pre[data-copy]") : []) {
  const command = text.textContent;
  const button = document.createElement("button");
  button.type = "button";
  button.className = "copy";
  button.textContent = "Copy";
  button.addEventListener("click", async () => {
    try {
      await navigator.clipboard.writeText(command);
      button.textContent = "Copied";
    } catch {
      button.textContent = "Not copied";
    }
  });
  text.append(button);
}
if (seconds) {
  setInterval(() => {
    if (!document.hidden || Date.now() - asked_at >= hidden_seconds * 1000) refresh();
  }, seconds * 1000);
  document.addEventListener("visibilitychange", () => {
    if (!document.hidden) refresh();
  });
}
