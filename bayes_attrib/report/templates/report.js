(() => {
  "use strict";
  const numberIn = (text) => {
    const found = text.replace(/,/g, "").match(/-?\d+(\.\d+)?(e[-+]?\d+)?/);
    return found ? Number(found[0]) : -Infinity;
  };
  const sortBy = (table, index, head) => {
    const body = table.tBodies[0];
    const down = head.getAttribute("aria-sort") !== "descending";
    const byName = index === 0;
    const keyed = Array.from(body.rows, (row) => {
      const text = row.cells[index].textContent;
      return [byName ? text : numberIn(text), row];
    });
    const compare = byName
      ? (a, b) => b[0].localeCompare(a[0], undefined, { numeric: true })
      : (a, b) => (a[0] === b[0] ? 0 : b[0] > a[0] ? 1 : -1);
    keyed.sort((a, b) => (down ? compare(a, b) : compare(b, a)));
    body.append(...keyed.map((pair) => pair[1]));
    for (const other of table.tHead.rows[0].cells) other.removeAttribute("aria-sort");
    head.setAttribute("aria-sort", down ? "descending" : "ascending");
  };
  for (const table of document.querySelectorAll("table.sortable")) {
    Array.from(table.tHead.rows[0].cells).forEach((head, index) => {
      const button = document.createElement("button");
      button.type = "button";
      button.append(...head.childNodes);
      button.addEventListener("click", () => sortBy(table, index, head));
      head.append(button);
    });
    if (table.tBodies[0].rows.length < 15) continue;
    const label = document.createElement("label");
    label.className = "filter";
    const input = document.createElement("input");
    input.type = "search";
    label.append("Find a name ", input);
    input.addEventListener("input", () => {
      const wanted = input.value.toLocaleLowerCase();
      for (const row of table.tBodies[0].rows) {
        row.hidden = !row.cells[0].textContent.toLocaleLowerCase().includes(wanted);
      }
    });
    table.closest(".scroll").before(label);
  }
})();
