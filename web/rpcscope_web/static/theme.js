// Before anything is painted: the colours that were chosen here earlier. No module, since modules wait for the page.
{
  let chosen = "";
  try { chosen = localStorage.getItem("rpcscope-theme") ?? ""; } catch { /* storage is off: as the system */ }
  if (chosen === "light" || chosen === "dark") document.documentElement.dataset.theme = chosen;
}
