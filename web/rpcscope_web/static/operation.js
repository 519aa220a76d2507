// The panel beside the picture, told by #call-<unique id>; and what is copied.
import { localTimes } from "./times.js";

const panel = document.querySelector(".panel");
const links = () => [...document.querySelectorAll("a[data-call]")];
const named = (id) => links().find((link) => link.dataset.call === id);
const chosen = () => (location.hash.startsWith("#call-") ? location.hash.slice(6) : "");

function mark() {
  const id = chosen();
  for (const row of document.querySelectorAll(".waterfall tr.chosen")) row.classList.remove("chosen");
  document.getElementById(`call-${id}`)?.classList.add("chosen");
}

function closer() {
  const button = document.createElement("button");
  button.type = "button";
  button.className = "close";
  button.textContent = "Close";
  button.addEventListener("click", () => {
    const link = named(chosen());
    history.replaceState(null, "", location.pathname + location.search);
    show();
    link?.focus();
  });
  return button;
}

function say(text) {
  const line = document.createElement("p");
  line.className = "banner warn";
  line.textContent = text;
  panel.replaceChildren(line);
}

async function show() {
  const id = chosen();
  mark();
  if (!panel) return;
  panel.hidden = !id;
  if (!id) { panel.replaceChildren(); return; }
  const address = named(id)?.href ?? `${location.pathname}/calls/${id}${location.search}`;
  try {
    const response = await fetch(address, { headers: { Accept: "text/html" } });
    if (!response.ok) throw new Error(response.statusText);
    const found = new DOMParser().parseFromString(await response.text(), "text/html").querySelector("[data-panel]");
    if (chosen() !== id) return;
    if (!found) throw new Error("nothing is known of it");
    panel.replaceChildren(closer(), document.importNode(found, true));
    localTimes(panel);
  } catch {
    say("The facts of this call can not be had now: reload the page.");
  }
}

document.addEventListener("click", (event) => {
  const link = event.target.closest("a[data-call]");
  if (!link || !panel || event.ctrlKey || event.metaKey || event.shiftKey || event.button) return;
  event.preventDefault();
  history.pushState(null, "", `#call-${link.dataset.call}`);
  show();
});
// A bar is as good as its name.
document.addEventListener("click", (event) => {
  if (event.target.closest("a, button")) return;
  event.target.closest(".waterfall tr")?.querySelector("a[data-call]")?.click();
});

const status = document.querySelector("[data-copied]");
for (const button of document.querySelectorAll("[data-copy]")) {
  const words = button.textContent;
  button.addEventListener("click", async () => {
    try {
      const response = await fetch(button.dataset.copy);
      if (!response.ok) throw new Error(response.statusText);
      await navigator.clipboard.writeText(await response.text());
      button.textContent = "Copied";
    } catch {
      button.textContent = "Use the download";
    }
    status.textContent = button.textContent;
    setTimeout(() => { button.textContent = words; }, 2000);
  });
}

addEventListener("hashchange", show);
addEventListener("popstate", show);
document.addEventListener("rpcscope:parts", mark);
show();
