// From one view of the dashboard to the next without loading the whole page anew: the server's answer is the same page,
// of which the main part takes the place of the one before. What is not a view of the dashboard is loaded as ever.

const HOME = location.pathname;
let last = 0;
let wire = () => {};

/** Follow links and forms to other views; `wired` gives the page's main part its life, now and after each step. */
export function travel(wired) {
  wire = wired;
  wire();
  document.addEventListener("click", (event) => {
    const link = event.target.closest?.("main a[href]");
    if (!link || event.defaultPrevented || event.button || event.ctrlKey || event.metaKey || event.shiftKey || event.altKey) return;
    if (link.hasAttribute("download") || link.target || !isView(new URL(link.href))) return;
    event.preventDefault();
    go(link.href);
  });
  document.addEventListener("submit", (event) => {
    const form = event.target;
    const address = new URL(form.action);
    if (form.method !== "get" || !isView(address)) return;
    event.preventDefault();
    address.search = new URLSearchParams(new FormData(form, event.submitter));
    go(address);
  });
  addEventListener("popstate", () => {
    if (isView(location)) go(location.href, true);
  });
}

/** Show the view of an address; `isKnown` says that the browser's history has it already. */
export async function go(address, isKnown = false) {
  const turn = (last += 1);
  const main = document.getElementById("main");
  main.setAttribute("aria-busy", "true");
  let reply, text;
  try {
    reply = await fetch(address, { headers: { Accept: "text/html", Prefer: "return=minimal" } });
    text = await reply.text();
  } catch {
    location.assign(address); // the browser tells what is wrong
    return;
  }
  if (turn !== last) return; // somebody went on elsewhere
  const page = new DOMParser().parseFromString(text, "text/html");
  const next = page.getElementById("main");
  const arrived = new URL(reply.url);
  if (!next?.querySelector("#filters") || !isView(arrived)) {
    location.assign(address);
    return;
  }
  arrived.hash = new URL(address, location.href).hash;
  if (!isKnown) history.pushState(null, "", arrived);
  const focused = sameOf(document.activeElement);
  const across = document.querySelector(".table")?.scrollLeft ?? 0;
  document.title = page.title;
  document.body.dataset.tier = page.body.dataset.tier;
  main.replaceWith(document.adoptNode(next));
  wire(); // all that changes the page comes before what needs to know where things lie
  (focused() ?? next).focus({ preventScroll: true });
  if (next.querySelector(".table")) next.querySelector(".table").scrollLeft = across;
  if (arrived.hash === "#filter") document.getElementById("filter").scrollIntoView({ block: "nearest" });
}

const isView = (address) => address.origin === location.origin && address.pathname === HOME;

/** What finds, in the next view, the element that is like this one: the keyboard goes on where it was. */
function sameOf(element) {
  const head = element?.closest?.("th[data-column]")?.dataset.column;
  if (head) return () => document.querySelector(`th[data-column="${CSS.escape(head)}"] a`);
  const id = element?.id;
  return () => (id ? document.getElementById(id) : null);
}
