/* TinyFormat 2.1.0 */
(function (root) {
  "use strict";
  root.TinyFormat = {
    money(cents, currency) {
      return new Intl.NumberFormat("en-IE", { style: "currency", currency }).format(cents / 100);
    },
    count(number, one, many) {
      return `${number} ${number === 1 ? one : many}`;
    },
  };
})(window);
