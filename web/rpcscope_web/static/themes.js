// The button that goes round: as the system, light, dark.
const WORDS = { "": "as the system", light: "light", dark: "dark" };
const SIGNS = { "": "◐", light: "☀", dark: "☾" };
const ORDER = ["", "light", "dark"];

const current = () => document.documentElement.dataset.theme ?? "";

function choose(theme) {
  if (theme) document.documentElement.dataset.theme = theme;
  else delete document.documentElement.dataset.theme;
  try { localStorage.setItem("rpcscope-theme", theme); } catch { /* storage is off: until the next page */ }
  show();
  document.dispatchEvent(new CustomEvent("rpcscope:theme"));
}

function show() {
  const button = document.querySelector("[data-theme-button]");
  button.textContent = SIGNS[current()];
  button.setAttribute("aria-label", `Colours: ${WORDS[current()]}`);
  button.title = `Colours: ${WORDS[current()]}`;
}

export function nextTheme() {
  choose(ORDER[(ORDER.indexOf(current()) + 1) % ORDER.length]);
}

export function listenToTheme() {
  show();
  document.querySelector("[data-theme-button]").addEventListener("click", nextTheme);
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => {
    document.dispatchEvent(new CustomEvent("rpcscope:theme"));
  });
}
