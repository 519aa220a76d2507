// Times in the viewer's zone; UTC stays in the title.
const day = new Intl.DateTimeFormat("sv-SE", { dateStyle: "short" });
const clock = new Intl.DateTimeFormat("sv-SE", { timeStyle: "medium" });
const zone = new Intl.DateTimeFormat("en", { timeZoneName: "short" });

export function zoneName(date) {
  return zone.formatToParts(date).find((part) => part.type === "timeZoneName")?.value ?? "";
}

export function localTime(iso, unit = "ms") {
  const date = new Date(iso);
  const millis = unit === "ms" ? `.${String(date.getMilliseconds()).padStart(3, "0")}` : "";
  const today = day.format(date) === day.format(new Date()) ? "" : `${day.format(date)} `;
  return `${today}${clock.format(date)}${millis}`;
}

export function localTimes(root) {
  for (const element of root.querySelectorAll("time[data-when]")) {
    const text = localTime(element.dateTime, element.dataset.when);
    element.textContent = text;
    element.title = `${element.title.replace(/ \(.*/, "")} (shown in ${zoneName(new Date(element.dateTime))})`;
  }
}
