"use strict";

const merchant = "{{ urls.shop }}";
const form = document.querySelector("form");

async function charge() {
  const fields = new FormData(form);
  const answer = await fetch("/v1/tokens", {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ session: form.dataset.session, ...Object.fromEntries(fields) }),
  });
  const body = await answer.json();
  if (!answer.ok) {
    throw new Error(body.error);
  }
  return body.token;
}

function tell(message) {
  window.parent.postMessage(message, merchant);
}

window.addEventListener("message", (event) => {
  if (event.origin !== merchant || event.data.kind !== "confirm") {
    return;
  }
  charge().then(
    (token) => tell({ kind: "token", token }),
    (error) => tell({ kind: "problem", problem: error.message || "The card could not be charged." }),
  );
});
form.addEventListener("submit", (event) => event.preventDefault());
tell({ kind: "ready" });
