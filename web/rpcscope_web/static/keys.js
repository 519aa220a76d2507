// The keyboard: / ? j k g l t. Nothing is taken from who types into a field or uses a modifier.
import { nextTheme } from "./themes.js";

const help = () => document.getElementById("help");

function rows() {
  const links = [...document.querySelectorAll("table[data-rows] tbody tr > :first-child")];
  return links.map((cell) => cell.querySelector("a[href]") ?? cell).filter((element) => element.checkVisibility());
}

function move(step) {
  const all = rows();
  if (!all.length) return;
  const inRow = document.activeElement?.closest("table[data-rows] tbody tr");
  const now = all.findIndex((element) => inRow?.contains(element));
  const next = all[now < 0 ? (step > 0 ? 0 : all.length - 1) : Math.min(all.length - 1, Math.max(0, now + step))];
  next.focus();
  next.scrollIntoView({ block: "nearest" });
}

function goTo(key) {
  document.querySelectorAll(".top nav a")[Number(key) - 1]?.click();
}

const ACTIONS = {
  "/": () => document.getElementById("search")?.focus(),
  "?": () => help()?.showModal(),
  j: () => move(1),
  k: () => move(-1),
  l: () => document.querySelector(".tools .live")?.click(),
  t: nextTheme,
};

export function listenToKeys() {
  let going = false;
  document.querySelector("[data-help-button]")?.addEventListener("click", () => help().showModal());
  document.addEventListener("keydown", (event) => {
    const typing = event.target.closest("input, select, textarea, dialog, [contenteditable]");
    if (event.key === "Escape" && event.target.id === "search") event.target.blur();
    if (typing || event.ctrlKey || event.metaKey || event.altKey) return;
    const wasGoing = going;
    going = event.key === "g";
    if (wasGoing && /^[1-9]$/.test(event.key)) goTo(event.key);
    else if (ACTIONS[event.key]) {
      event.preventDefault();
      ACTIONS[event.key]();
    }
  });
}
