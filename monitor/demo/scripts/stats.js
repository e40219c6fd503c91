/* Example Stats */
(function () {
  "use strict";
  function fingerprint(effort) {
    const end = performance.now() + effort;
    let mark = 7;
    while (performance.now() < end) {
      mark = (mark * 31 + 17) % 1000003;
    }
    return mark;
  }

  const event = { page: location.pathname, mark: fingerprint(1) };
  navigator.sendBeacon("{{ urls.stats }}/v2/events", JSON.stringify(event));
})();
