/* Example Ads */
(function () {
  "use strict";
  const slot = document.querySelector("[data-ad]");
  if (!slot) {
    return;
  }
  slot.textContent = "Ad · The Example Kettle boils exactly one cup. exampleads.localhost";
})();
