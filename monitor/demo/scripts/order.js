"use strict";

const order = document.querySelector("[data-order]");
const pause = 300;

async function follow() {
  const answer = await fetch(`${document.body.dataset.api}/orders/${order.dataset.order}`);
  if (!answer.ok) {
    throw new Error(`the API answered ${answer.status}`);
  }
  const found = await answer.json();
  if (found.status !== "confirmed") {
    window.setTimeout(watch, pause);
    return;
  }
  order.dataset.status = found.status;
  order.querySelector("h1").textContent = "Your order is confirmed";
  order.querySelector("[data-next]").textContent = "The kettle is on: we pack it today.";
}

function watch() {
  follow().catch((error) => {
    console.error("order:", error.message);
    order.querySelector("[data-next]").textContent = "We cannot say at the moment how your order is doing.";
  });
}

watch();
