// The REST API, asked with the session of the page.

/** JSON of an address with parameters. Throws an Error with the server's sentence. */
export async function ask(address, parameters = {}) {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(parameters)) {
    for (const one of [value].flat()) query.append(name, one);
  }
  const reply = await fetch(`${address}?${query}`, { headers: { Accept: "application/json" } });
  const text = await reply.text();
  if (!reply.ok) throw new Error(sentence(text, reply.status));
  return JSON.parse(text);
}

const kept = new Map();

/** The same, asked once as long as the page stands: for what does not change, such as lists of attributes. */
export function askOnce(address, parameters = {}) {
  const key = JSON.stringify([address, parameters]);
  if (!kept.has(key)) {
    const answer = ask(address, parameters);
    kept.set(key, answer);
    answer.catch(() => kept.delete(key));
  }
  return kept.get(key);
}

/** When what has been changed up to now is on the screen. */
export const painted = () => new Promise((done) => requestAnimationFrame(() => setTimeout(done)));

function sentence(text, status) {
  try {
    return JSON.parse(text).message;
  } catch {
    return text.length && text.length < 1000 ? text : `The server answered with status ${status}.`;
  }
}

/** What an element's `data-*` say of whose measures are meant, as parameters. */
export function whose({ tier, type }) {
  return type ? { tier, type } : { tier };
}

/** An element with attributes, properties of `dataset` among them, and children. */
export function make(tag, attributes = {}, ...children) {
  const svg = ["svg", "rect", "line"].includes(tag);
  const made = svg ? document.createElementNS("http://www.w3.org/2000/svg", tag) : document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === true) made.setAttribute(name, "");
    else if (value !== false && value !== null && value !== undefined) made.setAttribute(name, value);
  }
  made.append(...children);
  return made;
}

/** A function that waits until nobody called it for so long, in milliseconds. */
export function patient(action, wait) {
  let timer = 0;
  return (...words) => {
    clearTimeout(timer);
    timer = setTimeout(() => action(...words), wait);
  };
}
