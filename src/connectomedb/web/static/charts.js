// A chart per shown measure: numbers as a histogram with a brush, words as bars with boxes to tick. Each is a filter.

import { ask, make, painted, whose } from "./rest.js";
import { go } from "./travel.js";

const AT_ONCE = 2;
const WIDTH = 200;
const HEIGHT = 80;

let standing = new Map();

/** Draw the charts of all columns of the table, a few at a time, once the table is on the screen.

A chart that stood in the view before stands, asleep, until its own numbers have come. */
export async function drawCharts(place) {
  if (!place) return;
  const heads = [...document.querySelectorAll("#subjects thead th[data-column]")];
  const columns = heads.map((head) => head.dataset).filter((one) => one.column !== "Subject");
  const charts = columns.map((one) => standing.get(nameOf(one)) ?? frame(one, place.dataset.dictionary));
  standing = new Map(columns.map((one, number) => [nameOf(one), charts[number]]));
  for (const chart of charts) chart.inert = true;
  place.replaceChildren(...charts);
  place.hidden = !charts.length;
  await painted();
  const waiting = charts.map((chart, number) => [chart, columns[number]]);
  const work = async () => {
    for (let next = waiting.shift(); next; next = waiting.shift()) await fill(place.dataset, ...next);
  };
  await Promise.all(Array.from({ length: AT_ONCE }, work));
  place.dataset.drawn = "true";
}

const nameOf = ({ column, tier }) => `${tier} ${column}`;

/** A chart without numbers. Its head leads to what the dictionary says of the column. */
function frame({ column, tier }, dictionary) {
  const id = `chart-${column}`;
  const anchor = encodeURIComponent(column.trim().split(/\s+/).join("_"));
  const head = make("a", { href: `${dictionary}#${anchor}`, title: "What it means" }, column);
  return make("section", { class: `chart tier-${tier}`, "aria-labelledby": id }, make("h3", { id }, head));
}

async function fill(asked, chart, { column, kind }) {
  const head = chart.firstElementChild;
  try {
    const spread = await ask(`${asked.explore}/distribution`, { column, where: asked.where, ...whose(asked) });
    const draw = spread.kind === "number" ? histogram : bars;
    chart.replaceChildren(head, ...draw({ ...spread, isWhole: kind === "integer" }, column, asked));
  } catch (error) {
    chart.replaceChildren(head, make("p", { class: "dim" }, error.message));
  }
  chart.inert = false;
}

/** Go on to the view that this criterion makes; it takes the place of one of the same kind on the same column. */
async function filter(asked, column, operator, values) {
  const chip = document.querySelector(`.chip[data-column="${CSS.escape(column)}"][data-operator="${operator}"]`);
  const words = { where: asked.where, ...whose(asked), column, operator, value: values };
  if (chip) words.place = chip.dataset.place;
  const { predicate } = await ask(`${asked.explore}/predicate`, words);
  const address = new URL(location.href);
  for (const name of ["page", "edit", "apply", "done", "column", "operator", "value", "upper"]) {
    address.searchParams.delete(name);
  }
  address.searchParams.set("where", predicate);
  address.hash = "";
  await go(address);
}

function histogram(spread, column, asked) {
  const { edges, all, passed } = spread;
  if (!edges.length) return [lacking(spread, column, asked), make("p", { class: "dim" }, "No values.")];
  const count = edges.length - 1;
  const most = Math.max(1, ...all.map((number) => number ?? 0));
  const step = WIDTH / count;
  const picture = make("svg", { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, preserveAspectRatio: "none", role: "img" });
  picture.setAttribute("aria-label", `${column}: ${said(spread)}`);
  for (let bin = 0; bin < count; bin++) {
    if (all[bin] === null) picture.append(box("unsaid", bin * step, HEIGHT * 0.1, step, HEIGHT * 0.9));
    for (const [kind, number] of [["all", all[bin]], ["passed", passed[bin]]]) {
      const height = ((number ?? 0) / most) * HEIGHT;
      if (height) picture.append(box(kind, bin * step + step * 0.05, HEIGHT - height, step * 0.9, height));
    }
  }
  const brush = box("brush", 0, 0, 0, HEIGHT);
  picture.append(brush);
  const chosen = bounds(spread, (from, to) => {
    brush.setAttribute("x", from * step);
    brush.setAttribute("width", from === 0 && to === count ? 0 : (to - from) * step);
  });
  const apply = () => filter(asked, column, "between", chosen.values());
  chosen.keep.addEventListener("click", apply);
  brushing(picture, count, chosen, apply);
  const axis = make("div", { class: "axis", "aria-hidden": "true" }, make("span", {}, edges[0]), make("span", {}, spread.isWhole ? edges[count] - 1 : edges[count]));
  return [picture, axis, chosen.part, lacking(spread, column, asked)];
}

/** Two sliders over the edges, for the keyboard, and a button; the mouse moves the same. */
function bounds({ edges, low, high, isWhole }, show) {
  const count = edges.length - 1;
  const sliders = [["From", 0], ["To", count]].map(([word, value]) => {
    const slider = make("input", { type: "range", min: 0, max: count, step: 1, value });
    return { slider, label: make("label", {}, word, " ", slider) };
  });
  const [from, to] = sliders.map((one) => one.slider);
  const keep = make("button", { type: "button", class: "quiet", disabled: true }, "Keep these");
  const upper = () => {
    const edge = edges[Number(to.value)];
    if (Number(to.value) === count) return high;
    return isWhole ? edge - 1 : edge;
  };
  const lower = () => (Number(from.value) === 0 ? low : edges[Number(from.value)]);
  const set = (first, last) => {
    [from.value, to.value] = [first, last];
    const isAll = first === 0 && last === count;
    keep.disabled = isAll;
    keep.textContent = isAll ? "Keep these" : `Keep ${lower()} to ${upper()}`;
    from.setAttribute("aria-valuetext", `from ${lower()}`);
    to.setAttribute("aria-valuetext", `to ${upper()}`);
    show(first, last);
  };
  from.addEventListener("input", () => set(Math.min(Number(from.value), count - 1), Math.max(Number(to.value), Number(from.value) + 1)));
  to.addEventListener("input", () => set(Math.min(Number(from.value), Math.max(0, Number(to.value) - 1)), Math.max(1, Number(to.value))));
  const part = make("div", {}, make("div", { class: "bounds" }, ...sliders.map((one) => one.label)), keep);
  set(0, count);
  return { part, keep, set, values: () => [lower(), upper()] };
}

function brushing(picture, count, chosen, apply) {
  let start = null;
  const bin = (event) => {
    const box = picture.getBoundingClientRect();
    const share = (event.clientX - box.left) / box.width;
    return Math.max(0, Math.min(count - 1, Math.floor(share * count)));
  };
  picture.addEventListener("pointerdown", (event) => {
    start = bin(event);
    picture.setPointerCapture(event.pointerId);
    chosen.set(start, start + 1);
  });
  picture.addEventListener("pointermove", (event) => {
    if (start === null) return;
    chosen.set(Math.min(start, bin(event)), Math.max(start, bin(event)) + 1);
  });
  picture.addEventListener("pointerup", () => {
    if (start === null) return;
    start = null;
    if (!chosen.keep.disabled) apply();
  });
  picture.addEventListener("pointercancel", () => {
    start = null;
    chosen.set(0, count);
  });
}

function bars(spread, column, asked) {
  const most = Math.max(1, ...spread.values.map((one) => one.all ?? 0));
  const boxes = spread.values.map(({ value, all, passed }) => {
    const tick = make("input", { type: "checkbox", value });
    const picture = make("svg", { viewBox: "0 0 100 10", preserveAspectRatio: "none", "aria-hidden": "true" });
    picture.append(box("all", 0, 0, ((all ?? 0) / most) * 100, 10), box("passed", 0, 0, ((passed ?? 0) / most) * 100, 10));
    const label = make("label", {}, tick, make("span", {}, value), picture, make("span", { class: "dim" }, `${passed ?? "few"}/${all ?? "few"}`));
    return { tick, item: make("li", {}, label) };
  });
  const keep = make("button", { type: "button", class: "quiet", disabled: true }, "Keep these");
  const ticked = () => boxes.filter((one) => one.tick.checked).map((one) => one.tick.value);
  for (const { tick } of boxes) tick.addEventListener("change", () => (keep.disabled = !ticked().length));
  keep.addEventListener("click", () => filter(asked, column, "in", ticked()));
  const parts = [make("ul", { class: "bars" }, ...boxes.map((one) => one.item)), keep];
  if (spread.others.values) parts.push(make("p", { class: "dim" }, `${spread.others.values} other values`));
  return [...parts, lacking(spread, column, asked)];
}

/** How many have no value, and a button that leaves them out. */
function lacking({ missing }, column, asked) {
  if (missing.all === 0) return "";
  const words = `No value: ${missing.passed ?? "few"} here, ${missing.all ?? "few"} in all `;
  if (missing.passed === 0) return make("p", { class: "dim" }, words);
  const drop = make("button", { type: "button", class: "quiet", "aria-label": `Leave out who has no ${column}` }, "Leave out");
  drop.addEventListener("click", () => filter(asked, column, "is not empty", []));
  return make("p", { class: "dim" }, words, drop);
}

function said({ edges, all, passed }) {
  const parts = passed.map((number, bin) => (all[bin] ? `${edges[bin]}: ${number ?? "few"} of ${all[bin] ?? "few"}` : ""));
  return parts.filter(Boolean).join(", ");
}

function box(kind, x, y, width, height) {
  return make("rect", { class: kind, x, y, width, height });
}
