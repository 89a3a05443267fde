// Opens report pages in a real browser and prints what it found as JSON.
// Usage: node check_page.mjs CHROMIUM PLAN, where PLAN is a JSON file: [{ "file": ..., "compare": [a, b] }].
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";
import { chromium } from "playwright-core";

const [executablePath, plan] = process.argv.slice(2);
const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const WIDTHS = { phone: 390, desktop: 1280 };

const browser = await chromium.launch({
  executablePath,
  args: [
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
  ],
});

async function open(file, options = {}) {
  const context = await browser.newContext({ viewport: { width: WIDTHS.desktop, height: 900 }, ...options });
  const page = await context.newPage();
  const seen = { requests: [], errors: [] };
  page.on("request", (request) => seen.requests.push(request.url()));
  page.on("pageerror", (error) => seen.errors.push(String(error)));
  page.on("console", (message) => { if (message.type() === "error") seen.errors.push(message.text()); });
  await page.goto(pathToFileURL(file).href, { waitUntil: "load" });
  return { context, page, seen };
}

// Labels of figures that lie on each other, and figures without any mark.
const readFigures = () => {
  const overlaps = [];
  for (const svg of document.querySelectorAll("svg")) {
    const boxes = Array.from(svg.querySelectorAll("text"), (text) => [text.textContent, text.getBoundingClientRect()])
      .filter(([, box]) => box.width > 0);
    boxes.forEach(([a, one], i) => boxes.slice(i + 1).forEach(([b, other]) => {
      const wide = Math.min(one.right, other.right) - Math.max(one.left, other.left);
      const high = Math.min(one.bottom, other.bottom) - Math.max(one.top, other.top);
      if (wide > 1 && high > 3) overlaps.push(`${a} on ${b}`);
    }));
  }
  const marks = "line:not(.grid), circle, rect, use, path:not(.grid), .bar";
  const empty = Array.from(document.querySelectorAll("figure"))
    .filter((figure) => !figure.querySelector(marks))
    .map((figure) => figure.textContent.trim().slice(0, 80));
  return { overlaps, empty };
};

const serious = async (page) => {
  await page.evaluate(axe);
  const { violations } = await page.evaluate(() => globalThis.axe.run(document, { resultTypes: ["violations"] }));
  return violations
    .filter(({ impact }) => impact === "serious" || impact === "critical")
    .map(({ id, nodes }) => `${id}: ${nodes.slice(0, 3).map((node) => node.html.slice(0, 120)).join(" | ")}`);
};

async function checkLooks(file) {
  const found = { overflow: {}, figures: {}, axe: {} };
  for (const [name, width] of Object.entries(WIDTHS)) {
    const { context, page } = await open(file, { viewport: { width, height: 900 } });
    await page.evaluate(() => document.querySelectorAll("details").forEach((details) => { details.open = true; }));
    found.overflow[name] = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
    found.figures[name] = await page.evaluate(readFigures);
    await context.close();
  }
  for (const colorScheme of ["light", "dark"]) {
    const { context, page } = await open(file, { colorScheme });
    await page.evaluate(() => document.querySelectorAll("details").forEach((details) => { details.open = true; }));
    found.axe[colorScheme] = await serious(page);
    await context.close();
  }
  return found;
}

async function checkTables(page) {
  const head = page.locator("#who table.sortable thead th").nth(1);
  const column = () => page.locator("#who table.sortable tbody tr").evaluateAll((rows) => rows.map((row) => row.cells[1].textContent));
  await head.locator("button").click();
  const descending = await column();
  await head.locator("button").focus();
  await page.keyboard.press("Enter");
  const ascending = await column();
  const sort = { descending, ascending, aria: await head.getAttribute("aria-sort") };
  const names = () => page.locator("#who table.sortable tbody tr:visible th").allTextContents();
  const input = page.locator("#who .filter input");
  const all = await names();
  if (!(await input.count())) return { sort, filter: null };
  const wanted = all[all.length - 1];
  await input.fill(wanted);
  const shown = await names();
  await input.fill("");
  return { sort, filter: { wanted, shown, all: all.length, after: (await names()).length } };
}

async function checkTools(page, pair) {
  const found = {};
  if (pair) {
    const form = page.locator("#compare-tool");
    const choose = async (field, name) => {
      const options = await form.locator(`select[name=${field}] option`).allTextContents();
      await form.locator(`select[name=${field}]`).selectOption({ index: options.findIndex((text) => text === name || text.startsWith(`${name} · `)) });
    };
    await choose("first", pair[0]);
    const across = form.locator("input[name=across]");
    if (await across.count()) await across.check();
    await choose("second", pair[1]);
    const read = async () => ({
      probability: Number(await form.getAttribute("data-probability")),
      sentence: await form.locator("[data-part=sentence]").textContent(),
      difference: await form.locator("[data-part=difference]").textContent(),
      ratio: await form.locator("[data-part=ratio]").textContent(),
      interval: await form.locator("[data-part=ratio-interval]").textContent(),
    });
    found.rate = await read();
    await form.locator("select[name=quantity]").selectOption("amount");
    await choose("second", pair[1]);
    found.amount = await read();
  }
  const line = page.locator("#time-tool select");
  if (await line.count()) {
    await line.selectOption({ index: 2 });
    found.chartsShown = await page.locator("#time-charts figure:visible").count();
    await line.selectOption({ index: 0 });
  }
  const which = page.locator("#inside-tool select[name=which]");
  await which.selectOption({ index: 0 });
  found.inside = {
    label: await which.locator("option").first().textContent(),
    title: await page.locator("#inside-table [data-part=title]").textContent(),
    names: await page.locator("#inside-table tbody th").allTextContents(),
    amounts: await page.locator("#inside-table tbody tr td:nth-child(2)").allTextContents(),
  };
  return found;
}

const results = [];
for (const { file, compare } of JSON.parse(readFileSync(plan, "utf8"))) {
  const looks = await checkLooks(file);
  const { context, page, seen } = await open(file);
  const tables = await checkTables(page);
  const tools = await checkTools(page, compare);
  const skip = await page.evaluate(() => document.querySelector("a.skip").getAttribute("href"));
  await page.keyboard.press("Home");
  const pdf = await page.pdf({ format: "A4", margin: { top: "12mm", bottom: "12mm", left: "10mm", right: "10mm" } });
  const title = await page.title();
  const opens = await page.evaluate(() => performance.getEntriesByType("navigation")[0].loadEventEnd);
  const bare = await open(file, { javaScriptEnabled: false });
  const hiddenTools = await bare.page.locator("form.tool:visible").count();
  await bare.context.close();
  results.push({
    file, ...looks, ...tables, tools, skip, title, opens, hiddenTools,
    language: await page.getAttribute("html", "lang"),
    requests: seen.requests.filter((url) => url !== pathToFileURL(file).href && !url.startsWith("data:")),
    errors: seen.errors,
    pdfPages: (pdf.toString("latin1").match(/\/Type\s*\/Page\b(?!s)/g) ?? []).length,
  });
  await context.close();
}
await browser.close();
process.stdout.write(JSON.stringify(results));
