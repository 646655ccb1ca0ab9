// The script of every page: the panel for details, and a notice for a request without an answer.
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
// Its content may be out of date when it is opened again.
panel.addEventListener("close", () => panel.replaceChildren());

function notice(text) {
  const box = document.createElement("div");
  box.className = "notice is-failing";
  box.setAttribute("role", "alert");
  box.append(Object.assign(document.createElement("p"), { textContent: text }));
  notices.replaceChildren(box);
}

document.body.addEventListener("htmx:sendError", () => {
  notice("The console does not answer. If it was stopped, start it again, and open its new address.");
});
