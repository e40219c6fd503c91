/* Example Pay for merchants, v1 */
(function () {
  "use strict";
  const origin = "{{ urls.payment }}";

  function answerOf(frame, kinds) {
    return new Promise((resolve) => {
      function listen(event) {
        if (event.origin === origin && event.source === frame.contentWindow && kinds.includes(event.data.kind)) {
          window.removeEventListener("message", listen);
          resolve(event.data);
        }
      }
      window.addEventListener("message", listen);
    });
  }

  async function openSession(payment) {
    const answer = await fetch(`${origin}/v1/sessions`, {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify(payment),
    });
    if (!answer.ok) {
      throw new Error(`Example Pay opened no session (${answer.status})`);
    }
    return answer.json();
  }

  window.ExamplePay = {
    async mount(place, payment) {
      const session = await openSession(payment);
      const frame = document.createElement("iframe");
      frame.title = "Card details";
      frame.src = `${origin}/v1/frame?session=${session.id}`;
      frame.style.cssText = "display:block;width:100%;height:13.5rem;border:0;color-scheme:light dark";
      const ready = answerOf(frame, ["ready"]);
      place.append(frame);
      await ready;
      return {
        async confirm() {
          const answer = answerOf(frame, ["token", "problem"]);
          frame.contentWindow.postMessage({ kind: "confirm" }, origin);
          const { kind, token, problem } = await answer;
          if (kind === "problem") {
            throw new Error(problem);
          }
          return token;
        },
      };
    },
  };
})();
