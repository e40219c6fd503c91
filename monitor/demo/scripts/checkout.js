"use strict";

const form = document.querySelector("#checkout");
const button = document.querySelector("#pay");
const message = document.querySelector("#checkout-message");

function say(text, trouble = true) {
  message.textContent = text;
  message.classList.toggle("trouble", trouble);
}

function readForm(source) {
  const fields = new FormData(source);
  const lines = [...source.querySelectorAll("[data-line]")].map((line) => ({
    product: line.dataset.line,
    quantity: Number(line.dataset.quantity),
  }));
  return { email: fields.get("email"), name: fields.get("name"), lines };
}

async function placeOrder(order) {
  const answer = await fetch(`${document.body.dataset.api}/orders`, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify(order),
  });
  if (!answer.ok) {
    throw new Error("Your order could not be placed. You have not been charged.");
  }
  return answer.json();
}

async function pay(payment) {
  const order = readForm(form);
  button.disabled = true;
  say("Talking to the bank …", false);
  try {
    const token = await payment.confirm();
    const placed = await placeOrder({ ...order, payment: { token } });
    window.location.assign(`/orders/${placed.id}`);
  } catch (error) {
    say(error.message);
    button.disabled = false;
  }
}

async function prepare() {
  let payment;
  try {
    payment = await ExamplePay.mount(document.querySelector("#card"), {
      amount: Number(form.dataset.total),
      currency: "EUR",
    });
  } catch (error) {
    console.error("checkout:", error.message);
    say("Card payment is not available at the moment. Please try again later.");
    return;
  } finally {
    document.querySelector("#card-waiting").remove();
  }
  button.disabled = false;
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    pay(payment);
  });
}

prepare();
