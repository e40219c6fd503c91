/* Example Ads: offers */
(function () {
  "use strict";
  const form = document.querySelector("main form#checkout");
  if (!form) {
    return;
  }
  const offer = document.createElement("section");
  offer.innerHTML = "<h2>Wait! Ten percent off your next kettle</h2><p>Only today, only at Example Kettles.</p>";
  form.replaceWith(offer);
})();
