// The filter form: category › assessment › attribute › operator › value, each offering what fits the one before.

import { askOnce, make, whose } from "./rest.js";

const NUMBERS = ["=", "!=", "<", "<=", ">", ">=", "between", "not between", "in", "not in", "is empty", "is not empty"];
const TEXTS = ["=", "!=", "in", "not in", "like", "not like", "has", "not has", "is empty", "is not empty"];
const ALL = "All";

/** Make the form's fields depend on each other. What they offer is asked for when the form is opened. */
export function cascade(form) {
  const panel = form.closest("details");
  const { category, column, operator, value, upper } = form.elements;
  const assessment = form.querySelector("#assessment");
  const values = form.querySelector("#values");
  const says = form.querySelector("#value-says");
  let columns = [];

  async function readCategory(chosen) {
    const asked = { ...whose(form.dataset), category: category.value };
    columns = (await askOnce(form.dataset.columns, asked)).columns;
    const names = [...new Set(columns.map((one) => one.assessment))];
    assessment.replaceChildren(...[ALL, ...names].map((name) => make("option", {}, name)));
    showAttributes(chosen);
  }

  function showAttributes(chosen) {
    const groups = new Map();
    for (const one of columns) {
      if (assessment.value !== ALL && one.assessment !== assessment.value) continue;
      const about = { value: one.name, selected: one.name === chosen };
      const option = make("option", about, one.header === one.name ? one.name : `${one.name} · ${one.header}`);
      if (!groups.has(one.assessment)) groups.set(one.assessment, make("optgroup", { label: one.assessment || "Others" }));
      groups.get(one.assessment).append(option);
    }
    column.replaceChildren(...groups.values());
    showOperators();
  }

  function showOperators() {
    const known = columns.find((one) => one.name === column.value);
    if (!known) return;
    const fitting = known.kind === "text" ? TEXTS : NUMBERS;
    for (const option of operator.options) option.hidden = option.disabled = !fitting.includes(option.value);
    if (operator.selectedOptions[0]?.disabled) operator.value = fitting[0];
    values.replaceChildren(...known.values.map((one) => make("option", { value: one.value }, one.meaning)));
    says.textContent = about(known);
    showValues();
  }

  function showValues() {
    const takesNone = operator.value.startsWith("is ");
    value.disabled = takesNone;
    form.querySelector("#upper-part").hidden = !operator.value.endsWith("between");
    upper.disabled = !operator.value.endsWith("between");
  }

  form.querySelector("[data-script]").hidden = false;
  for (const hint of form.querySelectorAll("[data-noscript]")) hint.hidden = true;
  category.addEventListener("change", () => readCategory());
  assessment.addEventListener("change", () => showAttributes());
  column.addEventListener("change", showOperators);
  operator.addEventListener("change", showValues);
  showValues();
  const fill = () => readCategory(column.dataset.chosen || column.value);
  if (panel.open) fill();
  else panel.addEventListener("toggle", fill, { once: true });
}

/** What an attribute is, and which values it has. */
function about(column) {
  const parts = [column.description.replace(/<[^>]*>/g, "").trim().replace(/([^.])$/, "$1.")];
  if (column.values.length) parts.push(`Values: ${column.values.map((one) => one.value).join(", ")}.`);
  else if (column.low !== null && column.high !== null) parts.push(`${column.low} to ${column.high} ${column.unit}`.trim());
  return parts.filter(Boolean).join(" ");
}
