// Buttons that copy a text, and texts that are fetched when they are first looked at.

/** Show the buttons; each copies the element whose id it names. */
export function copyButtons() {
  for (const button of document.querySelectorAll("[data-copy]")) {
    const text = document.getElementById(button.dataset.copy);
    button.hidden = false;
    button.addEventListener("click", async () => {
      await load(text);
      const label = button.textContent;
      button.textContent = (await copy(text)) ? "Copied" : "Press Ctrl+C";
      setTimeout(() => (button.textContent = label), 2000);
    });
  }
}

async function load(text) {
  const { address } = text.dataset;
  if (!address) return;
  const reply = await fetch(address);
  text.textContent = await reply.text();
  text.hidden = false;
  if (reply.ok) delete text.dataset.address;
}

/** Whether it is copied; else it is selected, for pages that are not served over TLS may not copy. */
async function copy(text) {
  try {
    await navigator.clipboard.writeText(text.textContent);
    return true;
  } catch {
    getSelection().selectAllChildren(text);
    return document.execCommand("copy");
  }
}
