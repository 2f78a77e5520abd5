// The dashboard with script: charts that filter, a filter form that knows its attributes, a line that is read as one types.

import { drawCharts } from "./charts.js";
import { copyButtons } from "./copy.js";
import { cascade } from "./filters.js";
import { ask, askOnce, make, patient, whose } from "./rest.js";
import { travel } from "./travel.js";

function readLine() {
  const form = document.getElementById("line");
  const field = document.getElementById("where");
  const says = document.getElementById("line-says");
  let last = 0;
  const look = patient(async () => {
    const number = ++last;
    let said = "";
    let isWrong = false;
    try {
      const found = await ask(form.dataset.explore, { where: field.value, ...whose(form.dataset), limit: 0 });
      said = `${found.passed} of ${found.total} subjects`;
    } catch (error) {
      [said, isWrong] = [error.message, true];
    }
    if (number !== last) return; // an answer that a later question has overtaken
    says.textContent = said;
    says.classList.toggle("wrong", isWrong);
    field.setAttribute("aria-invalid", isWrong);
  }, 250);
  field.addEventListener("input", look);
}

/** The list beside "Add a column" offers those of all categories, once somebody goes there. */
function offerColumns() {
  const field = document.getElementById("add");
  if (!field) return;
  const list = document.getElementById("offered");
  field.addEventListener(
    "focus",
    async () => {
      const { columns } = await askOnce(list.dataset.columns, whose(list.dataset));
      list.replaceChildren(...columns.map((one) => make("option", { value: one.name }, one.header)));
    },
    { once: true },
  );
}

/** What a column means stands below its head, not at the foot of the window. */
function placeMeanings() {
  for (const head of document.querySelectorAll("#subjects thead th")) {
    const about = head.querySelector(".about");
    const show = () => {
      const box = head.getBoundingClientRect();
      about.style.bottom = "auto";
      about.style.top = `${box.bottom + 4}px`;
      about.style.left = `${Math.max(8, Math.min(box.left, window.innerWidth - about.offsetWidth - 8))}px`;
    };
    head.addEventListener("mouseenter", show);
    head.addEventListener("focusin", show);
  }
}

travel(() => {
  readLine();
  cascade(document.getElementById("filter-form"));
  offerColumns();
  placeMeanings();
  copyButtons();
  drawCharts(document.getElementById("charts"));
});
