// The queue with script: all subjects are counted, part after part; a zip comes with its progress.

import { copyButtons } from "./copy.js";
import { ask } from "./rest.js";

const PART = 50;

/** `1.3 GB`, as the server's pages write it. */
function inWords(bytes) {
  let number = bytes;
  for (const unit of ["B", "kB", "MB", "GB"]) {
    if (number < 999.5) return `${unit === "B" || number >= 99.5 ? number.toFixed(0) : number.toFixed(1)} ${unit}`;
    number /= 1000;
  }
  return `${number.toFixed(1)} TB`;
}

/** Add sums to those that an element shows. */
function add(element, sums) {
  for (const name of ["subjects", "files", "size"]) {
    const sum = Number(element.dataset[name]) + (sums[name] ?? 0);
    element.dataset[name] = sum;
    element.querySelector(`.${name}`).textContent = name === "size" ? inWords(sum) : sum;
  }
}

async function countAll(form) {
  const totals = document.getElementById("totals");
  const rows = new Map([...form.querySelectorAll("tr[data-package]")].map((row) => [row.dataset.package, row]));
  const asked = new URLSearchParams(location.search);
  const words = { limit: PART };
  for (const name of ["where", "tier", "type", "package", "pattern"]) if (asked.has(name)) words[name] = asked.getAll(name);
  words.tier ??= "open";
  const all = Number(form.dataset.subjects);
  for (let offset = Number(form.dataset.counted); offset < all; offset += PART) {
    const part = await ask(`${form.dataset.explore}/files`, { ...words, offset });
    for (const one of part.packages) add(rows.get(one.id), one);
    add(totals, part.wanted);
    const counted = Math.min(all, offset + PART);
    document.getElementById("counted").textContent = counted;
    document.getElementById("progress").value = counted;
    narrow(form);
    offerZip(form, totals);
  }
  document.getElementById("counting").hidden = true;
  totals.dataset.done = "true";
}

function offerZip(form, totals) {
  const place = document.getElementById("small");
  if (!place) return;
  const { files, size } = totals.dataset;
  const isSmall = Number(files) <= Number(form.dataset.mostFiles) && Number(size) <= Number(form.dataset.mostBytes);
  place.hidden = !Number(files) || !isSmall;
}

/** Show the packages of one session and level; ticked ones stay. */
function narrow(form) {
  const [session, level, only] = ["session", "level", "only"].map((id) => document.getElementById(id));
  for (const part of form.querySelectorAll("tbody")) {
    const fits = (!session.value || part.dataset.session === session.value) && (!level.value || part.dataset.level === level.value);
    let shown = 0;
    for (const row of part.querySelectorAll("tr[data-package]")) {
      const isTicked = row.querySelector("input").checked;
      row.hidden = !isTicked && (!fits || (only.checked && row.dataset.subjects === "0"));
      shown += !row.hidden;
    }
    part.hidden = !shown;
  }
}

/** Fetch the zip here, so that its progress is seen; the browser's own download is what the link does without script. */
function zipWithProgress() {
  const link = document.getElementById("zip");
  if (!link) return;
  const [bar, says, stop] = ["zip-progress", "zip-says", "zip-stop"].map((id) => document.getElementById(id));
  let running = null;
  stop.addEventListener("click", () => running?.abort());
  link.addEventListener("click", async (event) => {
    event.preventDefault();
    if (running) return;
    running = new AbortController();
    document.getElementById("zipping").hidden = false;
    stop.hidden = false;
    says.textContent = "Begun";
    try {
      const blob = await fetchAll(link.href, running.signal, (done, length) => {
        if (length) [bar.max, bar.value] = [length, done];
        says.textContent = `${inWords(done)} of ${inWords(length)}`;
      });
      save(blob, link.download);
      says.textContent = `${inWords(blob.size)} saved as ${link.download}`;
    } catch (error) {
      says.textContent = error.name === "AbortError" ? "Stopped." : error.message;
    } finally {
      stop.hidden = true;
      running = null;
    }
  });
}

async function fetchAll(address, signal, tell) {
  const reply = await fetch(address, { signal });
  if (!reply.ok) throw new Error(await reply.text());
  const length = Number(reply.headers.get("Content-Length"));
  const pieces = [];
  let done = 0;
  for (const reader = reply.body.getReader(); ; ) {
    const { done: isEnd, value } = await reader.read();
    if (isEnd) break;
    pieces.push(new Blob([value])); // the browser may keep these on disk
    done += value.length;
    tell(done, length);
  }
  if (length && done !== length) throw new Error("The zip broke off. Try again, or take the lockfile.");
  return new Blob(pieces, { type: "application/zip" });
}

function save(blob, name) {
  const address = URL.createObjectURL(blob);
  const link = document.createElement("a");
  [link.href, link.download] = [address, name];
  link.click();
  setTimeout(() => URL.revokeObjectURL(address), 60_000);
}

const form = document.getElementById("queue");
copyButtons();
if (form) {
  document.getElementById("narrow").hidden = false;
  for (const id of ["session", "level", "only"]) {
    document.getElementById(id).addEventListener("change", () => narrow(form));
  }
  narrow(form);
  zipWithProgress();
  countAll(form).catch((error) => {
    document.getElementById("counting").textContent = error.message;
  });
}
