// The map, live: brings the page up to date with what is seen, and draws the cables between the cards.

import { draw } from "/static/cables.js";

const map = document.getElementById("map");
const live = document.getElementById("live");
const news = document.getElementById("news");
const all = (selector, from = document) => [...from.querySelectorAll(selector)];
const cables = draw(map, JSON.parse(map.dataset.cables));

// What is known of each consumer by its name: from the page at first, and then from what is seen.
const states = new Map();
for (const card of all(".consumer", map)) {
  show(card, { fill: card.dataset.fill, letters: Number(card.dataset.letters) });
  states.set(card.dataset.consumer, [...card.classList].find((name) => name.startsWith("is-")).slice(3));
}

function show(card, { fill, letters }) {
  card.style.setProperty("--fill", fill);
  const tray = card.querySelector(".tray");
  const drawn = tray.querySelector(".letters");
  const wasHidden = tray.hidden;
  tray.hidden = !letters;
  while (drawn.childElementCount > letters) drawn.lastElementChild.remove();
  while (drawn.childElementCount < letters) {
    const letter = document.createElement("span");
    letter.className = states.size ? "letter drips" : "letter";
    drawn.append(letter);
  }
  if (wasHidden !== tray.hidden) cables.place();
}

function write(holder, texts) {
  for (const place of all("[data-field]", holder)) {
    const text = texts[place.dataset.field];
    if (text === undefined || place.textContent === text) continue;
    place.textContent = text;
    // What is not known takes no room on a card.
    if (place.matches(".unit dd")) place.parentElement.hidden = text === "—";
  }
}

function update(seen) {
  // Something was plugged in or out: then the page is drawn anew, by the server.
  if (seen.shape !== map.dataset.shape) return location.reload();
  here(`live, ${seen.at}`);
  for (const [name, consumer] of Object.entries(seen.consumers)) {
    const state = `is-${consumer.state}`;
    for (const holder of all(`[data-consumer="${CSS.escape(name)}"]`)) {
      write(holder, consumer.text);
      if (holder.classList.contains("consumer")) {
        show(holder, consumer);
        holder.className = `consumer ${state}`;
      }
    }
    if (states.get(name) !== consumer.state) {
      states.set(name, consumer.state);
      news.textContent = `${name}: ${consumer.text.state}`;
    }
    cables.mark(name, consumer.state);
  }
  for (const [name, source] of Object.entries(seen.sources)) {
    for (const holder of all(`[data-source="${CSS.escape(name)}"]`)) write(holder, source);
  }
  cables.run(seen.paces);
  pass(seen.passing);
}

// The newest events: those that are there stay where they are, so that who reads is not disturbed.
const ticker = document.getElementById("ticker");
const LINES = 12;

function pass(events) {
  const known = new Set(all("li", ticker).map((line) => line.dataset.key));
  for (const event of events.toReversed()) {
    const key = `${event.at} ${event.type} ${event.journey}`;
    if (!known.has(key)) ticker.prepend(line(key, event));
  }
  while (ticker.childElementCount > LINES) ticker.lastElementChild.remove();
  document.getElementById("quiet").hidden = ticker.childElementCount > 0;
}

function line(key, event) {
  const made = Object.assign(document.createElement("li"), { className: `hue-${event.hue}` });
  made.dataset.key = key;
  const part = (name, className, text) => Object.assign(document.createElement(name), { className, textContent: text });
  const link = part("a", "journey", event.journey);
  link.href = `/journeys?id=${encodeURIComponent(event.journey)}`;
  made.append(part("time", "", event.at), part("b", "type", event.type), link);
  return made;
}

function here(text) {
  map.classList.remove("is-gone");
  live.classList.remove("is-gone");
  live.querySelector("[data-live]").textContent = text;
}

function gone(text) {
  map.classList.add("is-gone");
  live.classList.add("is-gone");
  live.querySelector("[data-live]").textContent = text;
  cables.run({});
}

// Up and down, to the consumer before and after; what is chosen shows its own cables only.
map.addEventListener("keydown", (event) => {
  const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
  const stops = all(".producer, .unit a", map);
  const at = stops.indexOf(document.activeElement);
  if (!step || at < 0) return;
  event.preventDefault();
  stops[(at + step + stops.length) % stops.length].focus();
});

for (const card of all(".producer, .consumer", map)) {
  const choose = () => cables.choose(card.dataset.source, card.dataset.consumer);
  const leave = () => cables.choose();
  card.addEventListener("mouseenter", choose);
  card.addEventListener("mouseleave", leave);
  card.addEventListener("focusin", choose);
  card.addEventListener("focusout", leave);
}

const feed = new EventSource(map.dataset.feed);
let last = "";
feed.addEventListener("seen", (event) => {
  const seen = JSON.parse(event.data);
  last = seen.at;
  update(seen);
});
feed.addEventListener("gone", (event) => gone(JSON.parse(event.data).text));
feed.addEventListener("error", () =>
  gone(`The console does not answer${last ? ` since ${last}` : ""}: was it stopped?`));
