// The live map: it updates the page with each check of the health, and draws the connections.

import { draw } from "/static/connections.js";

const map = document.getElementById("map");
const live = document.getElementById("live");
const announcement = document.getElementById("announcement");
const all = (selector, from = document) => [...from.querySelectorAll(selector)];
const connections = draw(map, JSON.parse(map.dataset.connections));

// The state of each consumer by its name: first from the page, then from the feed.
const states = new Map();
for (const card of all(".consumer", map)) {
  show(card, { fill: card.dataset.fill, dead_letters: Number(card.dataset.deadLetters) });
  states.set(card.dataset.consumer, [...card.classList].find((name) => name.startsWith("is-")).slice(3));
}

function show(card, { fill, dead_letters: count }) {
  card.style.setProperty("--fill", fill);
  const tray = card.querySelector(".tray");
  const drawn = tray.querySelector(".dead-letters");
  const wasHidden = tray.hidden;
  tray.hidden = !count;
  while (drawn.childElementCount > count) drawn.lastElementChild.remove();
  while (drawn.childElementCount < count) {
    const mark = document.createElement("span");
    mark.className = states.size ? "dead-letter is-new" : "dead-letter";
    drawn.append(mark);
  }
  if (wasHidden !== tray.hidden) connections.place();
}

function write(holder, texts) {
  for (const place of all("[data-field]", holder)) {
    const text = texts[place.dataset.field];
    if (text === undefined || place.textContent === text) continue;
    place.textContent = text;
    // A card hides a number that is not known.
    if (place.matches(".unit dd")) place.parentElement.hidden = text === "—";
  }
}

function update(seen) {
  // A publisher or a consumer came or went: the server renders the page again.
  if (seen.shape !== map.dataset.shape) return location.reload();
  showLive(`live, ${seen.at}`);
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
      announcement.textContent = `${name}: ${consumer.text.state}`;
    }
    connections.setState(name, consumer.state);
  }
  for (const [name, publisher] of Object.entries(seen.publishers)) {
    for (const holder of all(`[data-publisher="${CSS.escape(name)}"]`)) write(holder, publisher);
  }
  connections.setPaces(seen.paces);
  showEvents(seen.recent_events);
}

// The newest events. Lines that are there already stay, so that a reader is not disturbed.
const ticker = document.getElementById("ticker");
const LINES = 12;

function showEvents(events) {
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

function showLive(text) {
  map.classList.remove("is-gone");
  live.classList.remove("is-gone");
  live.querySelector("[data-live]").textContent = text;
}

function showGone(text) {
  map.classList.add("is-gone");
  live.classList.add("is-gone");
  live.querySelector("[data-live]").textContent = text;
  connections.setPaces({});
}

// The up and down keys move the focus. A focused card shows its own connections only.
map.addEventListener("keydown", (event) => {
  const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
  const stops = all(".publisher, .unit a", map);
  const at = stops.indexOf(document.activeElement);
  if (!step || at < 0) return;
  event.preventDefault();
  stops[(at + step + stops.length) % stops.length].focus();
});

for (const card of all(".publisher, .consumer", map)) {
  const choose = () => connections.choose(card.dataset.publisher, card.dataset.consumer);
  const leave = () => connections.choose();
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
feed.addEventListener("gone", (event) => showGone(JSON.parse(event.data).text));
feed.addEventListener("error", () =>
  showGone(`The console has not answered${last ? ` since ${last}` : ""}. Was it stopped?`));
