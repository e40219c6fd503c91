/* Example Tags: container LK-1 */
(function () {
  "use strict";
  const notice = { place: "footer", pages: "/" };
  const offers = "{{ urls.ads }}/offers.js";
  const extra = [];
  const tags = ["{{ urls.stats }}/collect.js", "{{ urls.ads }}/ads.js", "{{ urls.chat }}/widget.js", ...extra];

  function load(source) {
    const script = document.createElement("script");
    script.async = true;
    script.src = source;
    document.head.append(script);
  }

  const looks = {
    footer: "max-width:72rem;margin:0 auto;padding:.75rem 1.25rem;font:400 .8rem/1.5 system-ui;opacity:.8",
    layer: "position:fixed;inset:0;z-index:9999;display:grid;place-content:center;padding:2rem;"
      + "background:rgb(20 20 24/.72);color:#fff;font:400 1.1rem/1.5 system-ui;text-align:center",
  };

  function showNotice() {
    if (!location.pathname.startsWith(notice.pages)) {
      return;
    }
    const box = document.createElement("aside");
    box.setAttribute("aria-label", "Privacy");
    box.style.cssText = looks[notice.place];
    box.textContent = "This site counts visits and shows ads. Nothing leaves this machine.";
    document.body.append(box);
  }

  tags.forEach(load);
  showNotice();
})();
