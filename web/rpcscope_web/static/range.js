// The form of the range: shown and typed in the viewer's zone, sent in UTC.
import { zoneName } from "./times.js";

const pad = (number) => String(number).padStart(2, "0");

function local(iso) {
  const at = new Date(iso);
  const days = `${at.getFullYear()}-${pad(at.getMonth() + 1)}-${pad(at.getDate())}`;
  return `${days}T${pad(at.getHours())}:${pad(at.getMinutes())}:${pad(at.getSeconds())}`;
}

export function fillRangeForm() {
  const form = document.querySelector("form[data-range-form]");
  if (!form) return;
  const inputs = [...form.querySelectorAll("input[data-iso]")];
  for (const input of inputs) if (input.dataset.iso) input.value = local(input.dataset.iso);
  form.querySelector("[data-zone]").textContent = `Times are in your zone, ${zoneName(new Date())}.`;
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const sent = new URLSearchParams(new FormData(form));
    for (const input of inputs) sent.set(input.name, new Date(input.value).toISOString());
    location.assign(`${form.action.split("?")[0]}?${sent}`);
  });
  const menu = form.closest("details");
  document.addEventListener("click", (event) => { if (!menu.contains(event.target)) menu.open = false; });
  menu.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    menu.open = false;
    menu.querySelector("summary").focus();
  });
}
