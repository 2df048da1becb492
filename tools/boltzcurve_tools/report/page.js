"use strict";
(() => {
  const root = document.documentElement, button = document.getElementById("theme"), themes = ["auto", "light", "dark"];
  const remembered = (name) => { try { return name === undefined ? localStorage.getItem("theme") : localStorage.setItem("theme", name); } catch { return null; } };
  const show = (name) => {
    if (name === "auto") root.removeAttribute("data-theme"); else root.dataset.theme = name;
    button.textContent = "theme: " + name;
  };
  let now = themes.includes(remembered()) ? remembered() : "auto";
  show(now);
  button.addEventListener("click", () => { now = themes[(themes.indexOf(now) + 1) % themes.length]; remembered(now); show(now); });
  for (const table of document.querySelectorAll("table.sortable")) {
    const heads = [...table.tHead.rows[0].cells];
    heads.forEach((head, k) => head.addEventListener("click", () => {
      const up = head.getAttribute("aria-sort") !== "ascending";
      heads.forEach((other) => other.removeAttribute("aria-sort"));
      head.setAttribute("aria-sort", up ? "ascending" : "descending");
      const key = (row) => row.cells[k].dataset.value ?? row.cells[k].textContent;
      const rows = [...table.tBodies[0].rows].sort((a, b) => {
        const x = key(a), y = key(b), numbers = x !== "" && y !== "" && !isNaN(x) && !isNaN(y);
        const order = numbers ? x - y : x.localeCompare(y, undefined, { numeric: true });
        return up ? order : -order;
      });
      table.tBodies[0].append(...rows);
    }));
  }
})();
