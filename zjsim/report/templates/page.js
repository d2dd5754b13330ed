"use strict";
(function () {
  var tip = document.getElementById("tip");
  function show(event) {
    var mark = event.target.closest ? event.target.closest("[data-tip]") : null;
    if (!mark) { tip.hidden = true; return; }
    tip.textContent = mark.getAttribute("data-tip");
    tip.hidden = false;
    var box = mark.getBoundingClientRect();
    var x = event.clientX || box.left + box.width / 2, y = event.clientY || box.top;
    tip.style.left = Math.max(4, Math.min(x + 12, window.innerWidth - tip.offsetWidth - 6)) + "px";
    tip.style.top = (y + 18 + tip.offsetHeight > window.innerHeight ? y - tip.offsetHeight - 10 : y + 18) + "px";
  }
  ["mousemove", "click", "focusin"].forEach(function (name) { document.addEventListener(name, show); });
  document.addEventListener("focusout", function () { tip.hidden = true; });
  window.addEventListener("scroll", function () { tip.hidden = true; }, { passive: true });

  function number(value) {
    var plain = value.replace(/[,\s%<>]/g, "").replace("−", "-");
    return plain !== "" && isFinite(plain) ? Number(plain) : null;
  }
  function sort(head) {
    var table = head.closest("table"), body = table.tBodies[0], at = head.cellIndex;
    var down = head.getAttribute("aria-sort") === "ascending";
    table.querySelectorAll("th").forEach(function (other) { other.removeAttribute("aria-sort"); });
    head.setAttribute("aria-sort", down ? "descending" : "ascending");
    var rows = Array.from(body.rows).map(function (row, i) {
      var said = row.cells[at].textContent;
      return { row: row, said: said, number: number(said), i: i };
    });
    rows.sort(function (a, b) {
      var order;
      if (a.number !== null && b.number !== null) { order = a.number - b.number; }
      else if (a.number !== null || b.number !== null) { order = a.number !== null ? -1 : 1; }
      else { order = a.said.localeCompare(b.said, document.documentElement.lang); }
      return (down ? -order : order) || a.i - b.i;
    });
    rows.forEach(function (one) { body.appendChild(one.row); });
  }
  document.querySelectorAll("th").forEach(function (head) {
    head.addEventListener("click", function () { sort(head); });
    head.addEventListener("keydown", function (event) { if (event.key === "Enter") { sort(head); } });
  });
  document.querySelectorAll(".table-head select").forEach(function (select) {
    select.addEventListener("change", function () {
      var heads = select.closest(".table").querySelectorAll("th");
      if (select.value !== "") { heads[Number(select.value)].removeAttribute("aria-sort"); sort(heads[Number(select.value)]); }
    });
  });
  document.querySelectorAll("input[type=search]").forEach(function (input) {
    input.addEventListener("input", function () {
      var wanted = input.value.trim().toLowerCase();
      input.closest(".table").querySelectorAll("tbody tr").forEach(function (row) {
        row.hidden = wanted !== "" && row.textContent.toLowerCase().indexOf(wanted) < 0;
      });
    });
  });
  document.querySelectorAll(".choose button").forEach(function (button) {
    button.addEventListener("click", function () {
      var figure = button.closest(".figure"), year = button.getAttribute("data-year");
      figure.querySelectorAll("button").forEach(function (b) { b.setAttribute("aria-pressed", String(b === button)); });
      figure.querySelectorAll(".map").forEach(function (map) {
        map.classList.toggle("later", map.getAttribute("data-year") !== year);
      });
    });
  });
})();
