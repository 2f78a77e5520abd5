// The viewer's page: reads what is to be shown, wires its controls, keeps what is shown and what they say the same.

import { fetchSeries } from "./series.js";
import { drawPlot } from "./plot.js";

const root = document.getElementById("viewer");
const scene = JSON.parse(root.dataset.scene);
const part = (id) => document.getElementById(id);

async function main() {
  const reason = whyStill();
  if (reason) {
    stayStill(reason);
    return;
  }
  part("stage").hidden = false;
  try {
    const { openScene } = await import("./scene.js"); // loads NiiVue, which is long
    const shown = await openScene(part("canvas"), scene);
    wire(shown);
    part("still").hidden = true;
    for (const id of ["controls", "where", "keys"]) part(id).hidden = false;
    root.dataset.state = "drawn";
  } catch (fault) {
    part("stage").hidden = true;
    stayStill(`The viewer could not show this file: ${fault.message}.`);
  }
}

function whyStill() {
  if (!scene.hasNiivue) return "A still picture: this server was installed without NiiVue.";
  if (!document.createElement("canvas").getContext("webgl2")) return "A still picture: this browser has no WebGL2.";
  if (!scene.volume && !scene.surfaces.length) {
    return "A still picture: no surface of this mesh lies beside the file, so there is nothing to show its values on.";
  }
  return "";
}

function stayStill(reason) {
  part("why-still").textContent = reason;
  root.dataset.state = "still";
}

function wire(shown) {
  fill(part("view"), shown.views, shown.view);
  fill(part("map"), shown.maps, shown.map);
  showRange(shown);
  part("opacity-field").hidden = !shown.hasLayer;
  if (shown.opacity) part("opacity").value = shown.opacity;
  part("frame-field").hidden = shown.frames < 2;
  part("frame").max = shown.frames - 1;
  part("go-label").textContent = scene.volume ? "Go to voxel i, j, k" : "Go to vertex";
  part("keys-volume").hidden = !scene.volume;
  part("keys-surface").hidden = Boolean(scene.volume);
  shown.onPlace = (place) => showPlace(place, shown.series);
  part("view").addEventListener("change", () => shown.setView(part("view").value));
  part("map").addEventListener("change", () => shown.setMap(part("map").value));
  for (const id of ["low", "high"]) {
    part(id).addEventListener("change", () => shown.setRange(Number(part("low").value), Number(part("high").value)));
  }
  part("opacity").addEventListener("input", () => shown.setOpacity(Number(part("opacity").value)));
  part("frame").addEventListener("change", () => goToFrame(shown, Number(part("frame").value)));
  part("go").addEventListener("change", () => goTo(shown, part("go").value));
  part("controls").addEventListener("submit", (event) => {
    event.preventDefault();
    if (part("go").value) goTo(shown, part("go").value);
  });
  part("canvas").addEventListener("keydown", (event) => onKey(event, shown), true);
  shown.tell();
}

function fill(select, choices, chosen) {
  for (const [value, words] of choices) select.add(new Option(words, value, false, value === chosen));
}

function showRange(shown) {
  const [low, high] = shown.range();
  part("low").value = Number(low.toPrecision(4));
  part("high").value = Number(high.toPrecision(4));
}

const STEPS = {
  ArrowLeft: [-1, 0, 0],
  ArrowRight: [1, 0, 0],
  ArrowUp: [0, 1, 0],
  ArrowDown: [0, -1, 0],
  PageUp: [0, 0, 1],
  PageDown: [0, 0, -1],
};

// NiiVue has keys of its own; where ours mean something, they count.
function onKey(event, shown) {
  if (event.ctrlKey || event.altKey || event.metaKey) return;
  const step = STEPS[event.key];
  if (step) shown.move(step);
  else if (event.key === "v") part("view").value = shown.nextView();
  else if (event.key === "," || event.key === ".") goToFrame(shown, shown.frame + (event.key === "." ? 1 : -1));
  else return;
  event.preventDefault();
  event.stopImmediatePropagation();
}

async function goToFrame(shown, frame) {
  const wanted = Math.min(Math.max(Math.round(frame) || 0, 0), shown.frames - 1);
  part("frame").value = wanted;
  root.dataset.state = "loading";
  try {
    await shown.setFrame(wanted);
    shown.tell();
  } catch (fault) {
    part("where").textContent = `Frame ${wanted} could not be shown: ${fault.message}.`;
  }
  root.dataset.state = "drawn";
}

function goTo(shown, words) {
  const numbers = words.split(/[ ,;]+/).filter(Boolean).map(Number);
  if (!shown.goTo(numbers)) part("where").textContent = `There is no place ${words} here.`;
}

let last = 0;

async function showPlace(place, source) {
  part("where").textContent = place.words;
  if (!source || !place.asked) return;
  const turn = (last += 1);
  root.dataset.series = "loading";
  await new Promise((resolve) => setTimeout(resolve, 150)); // a mouse that moves asks for many places
  if (turn !== last) return;
  try {
    const series = await fetchSeries(source, place);
    if (turn === last) showSeries(place, series);
  } catch (fault) {
    if (turn === last) part("plot-words").textContent = fault.message;
  }
  if (turn === last) root.dataset.series = "shown";
}

function showSeries(place, series) {
  const known = series.values.filter((value) => value !== null);
  const edge = (value) => Number(value.toPrecision(5));
  const times = series.step_s ? ` over ${edge(series.step_s * series.count)} s` : "";
  part("plot").hidden = false;
  part("plot-words").textContent = known.length
    ? `${place.title}: ${series.count} values${times}, from ${edge(Math.min(...known))} to ${edge(Math.max(...known))}.`
    : `${place.title}: no values.`;
  if (scene.hasPlot) drawPlot(part("plot-here"), series);
}

main();
