// What every page does: a panel for details, and what is reported of a request that got no answer.
"use strict";

const panel = document.getElementById("panel");
const notices = document.getElementById("notices");

// Whatever htmx puts into the panel opens it.
document.body.addEventListener("htmx:afterSwap", (event) => {
  if (event.detail.target === panel && !panel.open) panel.showModal();
});

panel.addEventListener("click", (event) => {
  if (event.target === panel || event.target.closest("[data-close]")) panel.close();
});
// What it held may be old when it is opened again.
panel.addEventListener("close", () => panel.replaceChildren());

function notice(text) {
  const box = document.createElement("div");
  box.className = "notice is-failing";
  box.setAttribute("role", "alert");
  box.append(Object.assign(document.createElement("p"), { textContent: text }));
  notices.replaceChildren(box);
}

document.body.addEventListener("htmx:sendError", () => {
  notice("The console does not answer: was it stopped? Start it again, and open its new address.");
});
