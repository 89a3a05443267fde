(() => {
  "use strict";
  const dataOf = (id) => {
    const found = document.getElementById(id);
    return found ? JSON.parse(found.textContent) : null;
  };
  const words = dataOf("page-words");
  const fill = (text, values) => text.replace(/\{(\w+)\}/g, (_, key) => values[key]);
  const formats = new Map();
  const fixed = (value, decimals) => {
    if (!Number.isFinite(value)) return words.missing;
    if (!formats.has(decimals)) {
      const digits = { minimumFractionDigits: decimals, maximumFractionDigits: decimals };
      formats.set(decimals, new Intl.NumberFormat(words.locale, digits));
    }
    return formats.get(decimals).format(value).replace("-", "−");
  };
  const significant = (value) => {
    if (!Number.isFinite(value)) return words.missing;
    if (value === Math.round(value)) return fixed(value, 0);
    return fixed(value, Math.min(12, Math.max(0, 2 - Math.floor(Math.log10(Math.abs(value))))));
  };
  const between = (lower, upper, write) =>
    Number.isFinite(lower) && Number.isFinite(upper)
      ? fill(words.between, { lower: write(lower), upper: write(upper) })
      : words.missing;
  const option = (value, text) => {
    const made = document.createElement("option");
    made.value = value;
    made.textContent = text;
    return made;
  };
  const element = (tag, text) => {
    const made = document.createElement(tag);
    made.textContent = text;
    return made;
  };

  // Tables: sorted by the numbers in data-value, whatever the language writes; filtered by name.
  const FIRST_ROWS = 200; // as in the style sheet
  const collator = new Intl.Collator(words.locale, { numeric: true });
  const sortBy = (table, index, head) => {
    const body = table.tBodies[0];
    const down = head.getAttribute("aria-sort") !== "descending";
    const keyed = Array.from(body.rows, (row) => {
      const cell = row.cells[index];
      const value = cell.dataset.value;
      if (value === undefined) return [cell.textContent, row];
      return [value === "" ? null : Number(value), row];
    });
    const order = (a, b) => (typeof a === "string" ? collator.compare(a, b) : a - b);
    keyed.sort(([a], [b]) => {
      if (a === null || b === null) return (a === null) - (b === null);
      return down ? order(b, a) : order(a, b);
    });
    body.remove(); // moving thousands of rows is fast where nothing is laid out
    body.append(...keyed.map((pair) => pair[1]));
    table.tHead.after(body);
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
    const rows = Array.from(table.tBodies[0].rows);
    if (rows.length < 15) continue;
    const label = document.createElement("label");
    label.className = "filter";
    const input = document.createElement("input");
    input.type = "search";
    const count = document.createElement("span");
    count.setAttribute("role", "status");
    label.append(words.find, " ", input, " ", count);
    const names = rows.map((row) => row.cells[0].textContent.toLocaleLowerCase());
    input.addEventListener("input", () => {
      const wanted = input.value.trim().toLocaleLowerCase();
      let shown = 0;
      rows.forEach((row, i) => {
        row.hidden = !names[i].includes(wanted);
        shown += !row.hidden;
      });
      const counts = { n: fixed(shown, 0), all: fixed(rows.length, 0) };
      count.textContent = wanted ? fill(words.shown, counts) : "";
    });
    table.closest(".scroll").before(label);
    if (!table.classList.contains("long")) continue;
    // Only the first rows of a long table are laid out, until all are asked for.
    const rest = document.createElement("p");
    rest.className = "rest";
    const button = element("button", words.show_all);
    button.type = "button";
    rest.append(fill(words.first_rows, { n: fixed(FIRST_ROWS, 0), all: fixed(rows.length, 0) }), " ", button);
    table.closest(".scroll").after(rest);
    let opened = false;
    const lay = () => {
      table.classList.toggle("all", opened || input.value.trim() !== "");
      rest.hidden = table.classList.contains("all");
    };
    input.addEventListener("input", lay);
    button.addEventListener("click", () => { opened = true; lay(); });
  }

  // Hover: what a mark says, as words. Escape hides it.
  const tip = document.createElement("div");
  tip.className = "tip";
  tip.setAttribute("aria-hidden", "true");
  tip.hidden = true;
  document.body.append(tip);
  const showTip = (text, x, y) => {
    tip.textContent = text;
    tip.hidden = false;
    const box = tip.getBoundingClientRect();
    const left = Math.min(Math.max(8, x - box.width / 2), document.documentElement.clientWidth - box.width - 8);
    tip.style.left = `${left}px`;
    tip.style.top = `${y - box.height - 14 > 0 ? y - box.height - 14 : y + 18}px`;
  };
  const hideTip = () => { tip.hidden = true; };
  const periodAt = (svg, event) => {
    const table = document.getElementById("time-table");
    const box = svg.getBoundingClientRect();
    const rows = table.tBodies[0].rows;
    const place = Math.round(((event.clientX - box.left) / box.width) * (rows.length - 1));
    const row = rows[Math.min(rows.length - 1, Math.max(0, place))];
    const column = Array.from(svg.closest(".charts").children).indexOf(svg.closest("figure")) + 1;
    return `${row.cells[0].textContent}: ${row.cells[column].textContent}`;
  };
  document.addEventListener("pointermove", (event) => {
    if (!(event.target instanceof Element)) return;
    const curve = event.target.closest(".charts svg.curve");
    const marked = event.target.closest("[data-tip]");
    const row = event.target.closest(".forest svg[role=img], .parameters svg[role=img]");
    const named = event.target.closest("bdi");
    const isCut = named && named.scrollHeight > named.clientHeight + 2;
    if (isCut) showTip(named.textContent, event.clientX, event.clientY);
    else if (curve) showTip(periodAt(curve, event), event.clientX, event.clientY);
    else if (marked) showTip(marked.dataset.tip, event.clientX, event.clientY);
    else if (row) showTip(row.getAttribute("aria-label"), event.clientX, event.clientY);
    else hideTip();
  });
  document.addEventListener("keydown", (event) => { if (event.key === "Escape") hideTip(); });
  document.addEventListener("scroll", hideTip, { passive: true });
  document.documentElement.addEventListener("pointerleave", hideTip);

  // Two entities, compared over the draws in the page.
  const unpack = (packed, n) => {
    const bytes = Uint8Array.from(atob(packed.draws), (sign) => sign.charCodeAt(0));
    const view = new DataView(bytes.buffer);
    return (row) => {
      const values = new Float64Array(n);
      for (let i = 0; i < n; i += 1) {
        const value = packed.low[row] + packed.step[row] * view.getUint16(2 * (row * n + i), true);
        values[i] = packed.log ? Math.exp(value) : value;
      }
      return values;
    };
  };
  const quantile = (ordered, level) => {
    const place = level * (ordered.length - 1);
    const below = Math.floor(place);
    const above = Math.min(ordered.length - 1, below + 1);
    return ordered[below] + (place - below) * (ordered[above] - ordered[below]);
  };
  const intervalOf = (ordered, { kind, prob }) => {
    if (kind === "eti") return [quantile(ordered, (1 - prob) / 2), quantile(ordered, (1 + prob) / 2)];
    const steps = Math.floor(prob * ordered.length);
    let best = 0;
    for (let i = 0; i + steps < ordered.length; i += 1) {
      if (ordered[i + steps] - ordered[i] < ordered[best + steps] - ordered[best]) best = i;
    }
    return [ordered[best], ordered[best + steps]];
  };
  const compareTool = (data, form) => {
    const read = { rate: unpack(data.rate, data.n), amount: unpack(data.amount, data.n) };
    const { first, second, quantity, across } = form.elements;
    const part = (name) => form.querySelector(`[data-part="${name}"]`);
    const label = (i) => {
      const level = data.levels[data.channels[i]];
      return level ? `${data.names[i]} · ${level}` : data.names[i];
    };
    data.names.forEach((_, i) => first.append(option(i, label(i))));
    const partners = (a) =>
      data.names.map((_, i) => i).filter((i) => {
        if (i === a) return false;
        if (quantity.value === "amount" || (across && across.checked)) return true;
        return data.channels[a] >= 0 && data.channels[i] === data.channels[a];
      });
    const offer = () => {
      const before = second.value;
      const offered = partners(Number(first.value));
      second.replaceChildren(...offered.map((i) => option(i, label(i))));
      if (offered.includes(Number(before))) second.value = before;
      show();
    };
    const show = () => {
      const pair = form.querySelector(".pair");
      pair.hidden = second.value === "";
      if (second.value === "") {
        part("sentence").textContent = words.alone;
        return;
      }
      const a = read[quantity.value](Number(first.value));
      const b = read[quantity.value](Number(second.value));
      let more = 0;
      for (let i = 0; i < a.length; i += 1) more += a[i] > b[i] ? 1 : a[i] === b[i] ? 0.5 : 0;
      const difference = a.map((x, i) => x - b[i]).sort();
      const ratio = b.every((x) => x > 0) ? a.map((x, i) => x / b[i]).sort() : null;
      const percent = new Intl.NumberFormat(words.locale, { style: "percent", maximumFractionDigits: 1 });
      part("sentence").textContent = fill(words[`${quantity.value}_more`], {
        a: data.names[Number(first.value)],
        b: data.names[Number(second.value)],
        p: percent.format(more / a.length),
      });
      form.dataset.probability = more / a.length;
      const mean = difference.reduce((sum, x) => sum + x, 0) / difference.length;
      part("difference").textContent = significant(mean);
      part("difference-interval").textContent = between(...intervalOf(difference, data.interval), significant);
      part("ratio").textContent = ratio ? significant(quantile(ratio, 0.5)) : words.missing;
      part("ratio-interval").textContent = ratio
        ? between(...intervalOf(ratio, data.interval), significant)
        : words.missing;
    };
    form.addEventListener("submit", (event) => event.preventDefault());
    for (const field of [first, quantity, across]) if (field) field.addEventListener("change", offer);
    second.addEventListener("change", show);
    form.hidden = false;
    offer();
  };
  const compareData = dataOf("compare-data");
  if (compareData) compareTool(compareData, document.getElementById("compare-tool"));

  // One chart over time, large, or all of them, small.
  const charts = document.getElementById("time-charts");
  if (charts) {
    const form = document.getElementById("time-tool");
    const select = form.elements.line;
    select.append(option("", words.all_charts));
    Array.from(charts.children).forEach((figure, i) => {
      const caption = figure.querySelector("figcaption").lastChild;
      select.append(option(i, caption.textContent.trim()));
    });
    select.addEventListener("change", () => {
      charts.classList.toggle("single", select.value !== "");
      Array.from(charts.children).forEach((figure, i) => {
        figure.hidden = select.value !== "" && Number(select.value) !== i;
      });
    });
    form.addEventListener("submit", (event) => event.preventDefault());
    form.hidden = false;
  }

  // Inside one aggregate or period.
  const inside = dataOf("inside-data");
  if (inside) {
    const form = document.getElementById("inside-tool");
    const table = document.getElementById("inside-table");
    const { kind, which } = form.elements;
    const [meanDecimals, boundDecimals, shareDecimals] = inside.decimals;
    const more = document.querySelector('[data-part="more"]');
    const FIRST = 12;
    let all = false;
    const block = () => inside[kind ? kind.value : "aggregate"];
    const show = () => {
      const found = block();
      const at = Number(which.value);
      const [start, end] = [found.start[at], found.start[at + 1]];
      const last = all ? end : Math.min(end, start + FIRST);
      const rows = [];
      for (let i = start; i < last; i += 1) {
        const row = document.createElement("tr");
        const head = document.createElement("th");
        head.scope = "row";
        head.append(element("bdi", inside.names[found.entity[i]]));
        const cells = [
          fixed(found.amount_mean[i] ?? NaN, meanDecimals),
          between(found.amount_lower[i] ?? NaN, found.amount_upper[i] ?? NaN, (x) => fixed(x, boundDecimals)),
          fixed(100 * (found.share_mean[i] ?? NaN), shareDecimals),
          between(100 * (found.share_lower[i] ?? NaN), 100 * (found.share_upper[i] ?? NaN), (x) => fixed(x, shareDecimals)),
        ];
        row.append(head, ...cells.map((text) => element("td", text)));
        rows.push(row);
      }
      table.tBodies[0].replaceChildren(...rows);
      table.querySelector('[data-part="title"]').textContent = found.labels[at];
      table.querySelector('[data-part="total"]').textContent =
        fill(inside.total, { total: fixed(found.totals[at], meanDecimals) });
      const left = end - start - FIRST;
      more.replaceChildren();
      if (left > 0) {
        const button = document.createElement("button");
        button.type = "button";
        button.textContent = all ? words.fewer_rows : fill(words.more_rows, { n: fixed(left, 0) });
        button.addEventListener("click", () => {
          all = !all;
          show();
          more.querySelector("button").focus();
        });
        more.append(button);
      }
    };
    const offer = () => {
      which.replaceChildren(...block().labels.map((label, i) => option(i, label)));
      show();
    };
    if (kind) kind.addEventListener("change", () => { all = false; offer(); });
    which.addEventListener("change", () => { all = false; show(); });
    form.addEventListener("submit", (event) => event.preventDefault());
    form.hidden = false;
    which.replaceChildren(...block().labels.map((label, i) => option(i, label)));
    which.value = String(inside.first);
    show();
  }

  // On paper everything is open.
  const closed = [];
  window.addEventListener("beforeprint", () => {
    for (const details of document.querySelectorAll("details:not([open])")) {
      closed.push(details);
      details.open = true;
    }
  });
  window.addEventListener("afterprint", () => {
    while (closed.length) closed.pop().open = false;
  });
})();
