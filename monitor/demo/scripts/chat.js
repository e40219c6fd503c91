/* Example Chat */
(function () {
  "use strict";
  async function start() {
    const answer = await fetch("{{ urls.chat }}/status");
    const { agents } = await answer.json();
    const button = document.createElement("button");
    button.type = "button";
    button.title = `Chat: ${agents} people are here`;
    button.setAttribute("aria-label", "Open chat");
    button.textContent = "…";
    button.style.cssText = "position:fixed;right:1rem;bottom:1rem;width:3rem;height:3rem;border:0;border-radius:50%;"
      + "background:#2b6a5b;color:#fff;font:700 1.4rem/1 system-ui;padding-bottom:.6rem;cursor:pointer;"
      + "box-shadow:0 2px 10px rgb(0 0 0/.25)";
    document.body.append(button);
  }

  start().catch(() => {});
})();
