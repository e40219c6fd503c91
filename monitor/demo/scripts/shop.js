"use strict";

const api = document.body.dataset.api;
const shelf = document.querySelector("[data-shelf]");

function tin(product) {
  return `<svg class="tin" viewBox="0 0 120 140" aria-hidden="true" style="--tin:${product.tin};--label:${product.label}">
    <use href="#tin"></use></svg>`;
}

function card(product) {
  const item = document.createElement("li");
  item.className = "card";
  item.innerHTML = `
    <a href="/products/${product.slug}" class="card-link">
      ${tin(product)}
      <span class="kind"></span>
      <span class="name"></span>
      <span class="summary"></span>
      <span class="price"></span>
    </a>`;
  const text = {
    ".kind": product.kind,
    ".name": product.name,
    ".summary": product.summary,
    ".price": TinyFormat.money(product.price, product.currency),
  };
  for (const [selector, value] of Object.entries(text)) {
    item.querySelector(selector).textContent = value;
  }
  return item;
}

async function fetchJson(path) {
  const answer = await fetch(api + path);
  if (!answer.ok) {
    throw new Error(`the API answered ${answer.status}`);
  }
  return answer.json();
}

function arrange(products) {
  return products;
}

async function fillShelf() {
  const words = shelf.dataset.words;
  const status = document.querySelector("[data-shelf-status]");
  let found;
  try {
    found = await fetchJson(`/products?q=${encodeURIComponent(words)}`);
  } catch (error) {
    console.error("shelf:", error.message);
    status.textContent = "Sorry, we could not fetch the shelf. Please try again in a moment.";
    status.classList.add("trouble");
    if (error instanceof SyntaxError) {
      throw error; // an answer that cannot be read is a defect, not an outage
    }
    return;
  }
  shelf.replaceChildren(...arrange(found.products).map(card));
  status.textContent = words
    ? `${TinyFormat.count(found.count, "tea", "teas")} for “${words}”`
    : `${TinyFormat.count(found.count, "tea", "teas")} on the shelf`;
}

if (shelf) {
  fillShelf();
}
