// The map: thousands of nodes on one canvas, each a shape and a colour by its state, on the station's own outline.
// Whoever does not use it has the list, and the table below it; it looks anew every half minute.

import { Browser, canvas, circleMarker, CircleMarker, map as mapOn, polygon } from "leaflet/dist/leaflet-src.esm.js";

const EVERY_MS = 30000;
const place = document.getElementById("map");
const note = document.getElementById("map-note");
const says = place.dataset;
const still = matchMedia("(prefers-reduced-motion: reduce)").matches;
document.documentElement.classList.add("scripted");

const LOOKS = {
  online: { fillColor: "#1b6e3c", color: "#fff", radius: 5, weight: 1 },
  never: { fillColor: "#fff", color: "#5c6663", radius: 5, weight: 2 },
  silent: { fillColor: "#9a5b00", color: "#fff", radius: 7, weight: 1 },
  offline: { fillColor: "#a3262a", color: "#fff", radius: 6, weight: 1 },
};
const ORDER = ["online", "never", "silent", "offline"]; // what needs somebody is drawn last, on top

const Mark = CircleMarker.extend({
  _updatePath() {
    const { _renderer: sheet, _point: at, _radius: size, options } = this;
    if (options.shape === "round") { sheet._updateCircle(this); return; }
    if (!sheet._drawing || this._empty()) return;
    const pen = sheet._ctx;
    pen.beginPath();
    if (options.shape === "triangle") {
      pen.moveTo(at.x, at.y - size); pen.lineTo(at.x + size, at.y + size * 0.8); pen.lineTo(at.x - size, at.y + size * 0.8); pen.closePath();
    } else pen.rect(at.x - size, at.y - size, 2 * size, 2 * size);
    sheet._fillStroke(pen, this);
  },
});
const SHAPES = { online: "round", never: "round", silent: "triangle", offline: "square" };

const sheet = canvas({ padding: 0.2 });
const shown = mapOn(place, {
  renderer: sheet, preferCanvas: true, attributionControl: false, zoomControl: false, inertia: !still,
  zoomAnimation: !still, fadeAnimation: !still, markerZoomAnimation: !still, minZoom: 5, maxZoom: 16, zoomSnap: 0.5,
});
const marks = new Map();
let framed = false;

function controls() {
  const bar = document.createElement("div");
  bar.className = "leaflet-top leaflet-left";
  const box = Object.assign(document.createElement("div"), { className: "leaflet-control leaflet-bar" });
  for (const [sign, words, by] of [["+", says.in, 1], ["−", says.out, -1]]) {
    const made = Object.assign(document.createElement("a"), { href: "#map", textContent: sign, title: words, role: "button" });
    made.setAttribute("aria-label", words);
    made.addEventListener("click", (event) => { event.preventDefault(); event.stopPropagation(); shown.setZoom(shown.getZoom() + by); });
    made.addEventListener("dblclick", (event) => event.stopPropagation());
    box.append(made);
  }
  bar.append(box);
  place.querySelector(".leaflet-control-container").append(bar);
}

function told(mark) {
  const { id, name, state } = mark.options;
  const box = document.createElement("div");
  box.append(Object.assign(document.createElement("p"), { className: "strong", textContent: name }), Object.assign(document.createElement("p"), { textContent: says[`state${state[0].toUpperCase()}${state.slice(1)}`] }));
  box.append(Object.assign(document.createElement("a"), { href: says.node.replace(/_$/, encodeURIComponent(id)), textContent: says.open }));
  return box;
}

// Arrows move and + − zoom; Enter opens the point nearest to the middle, then the next; Escape leads back to the map.
let queue = null;
function nearest() {
  const middle = shown.latLngToContainerPoint(shown.getCenter());
  const far = (mark) => shown.latLngToContainerPoint(mark.getLatLng()).distanceTo(middle);
  queue = queue?.filter((mark) => marks.get(mark.options.id) === mark);
  if (!queue?.length) queue = [...marks.values()].sort((one, other) => far(one) - far(other));
  return queue.shift();
}

place.addEventListener("keydown", (event) => {
  if (event.key === "Escape") { shown.closePopup(); place.focus(); }
  if (event.target !== place) return;
  if (event.key === "Enter") {
    event.preventDefault();
    nearest()?.openPopup();
    place.querySelector(".leaflet-popup-content a")?.focus();
  } else if (event.key !== "Tab" && event.key !== "Escape") queue = null;
});
shown.on("popupopen", () => place.querySelector(".leaflet-popup-close-button")?.setAttribute("aria-label", says.shut));

function frame(data) {
  for (const ring of data.outline) polygon(ring, { color: "#8a938f", weight: 1.5, fillColor: "#fff", fillOpacity: 1, interactive: false }).addTo(shown);
  for (const [name, latitude, longitude] of data.communes) {
    circleMarker([latitude, longitude], { radius: 14, color: "#aab3ae", weight: 1, fillColor: "#dfe7e0", fillOpacity: 0.5, interactive: false }).addTo(shown)
      .bindTooltip(document.createTextNode(name).textContent.replace(/[<&]/g, ""), { permanent: true, direction: "bottom", className: "commune-name", offset: [0, 10] });
  }
}

function bounds(data) {
  const all = [...data.points.map(([, latitude, longitude]) => [latitude, longitude]), ...data.communes.map(([, ...at]) => at.slice(0, 2)), ...data.outline.flat()];
  const lats = all.map(([latitude]) => latitude);
  const lngs = all.map(([, longitude]) => longitude);
  const least = (values) => values.reduce((a, b) => Math.min(a, b));
  const most = (values) => values.reduce((a, b) => Math.max(a, b));
  return [[least(lats), least(lngs)], [most(lats), most(lngs)]];
}

function draw(data) {
  const rank = Object.fromEntries(ORDER.map((state, at) => [state, at]));
  const gone = new Set(marks.keys());
  for (const [id, latitude, longitude, state, name] of data.points.sort((a, b) => rank[a[3]] - rank[b[3]])) {
    gone.delete(id);
    const before = marks.get(id);
    if (before?.options.state === state && before.getLatLng().equals([latitude, longitude])) continue;
    before?.remove();
    marks.set(id, new Mark([latitude, longitude], { ...LOOKS[state], fillOpacity: 1, shape: SHAPES[state], id, name, state }).addTo(shown).bindPopup(told));
  }
  for (const id of gone) { marks.get(id).remove(); marks.delete(id); }
}

async function look() {
  try {
    const answer = await fetch(says.points, { headers: { "X-Live": "1" }, cache: "no-store" });
    if (answer.status === 401) { location.reload(); return; }
    const data = await answer.json();
    const began = performance.now();
    const anything = data.points.length + data.communes.length + data.outline.length > 0;
    if (!framed) {
      shown.fitBounds(anything ? bounds(data) : [[8.3, 102.1], [23.4, 109.5]], { padding: [56, 40], animate: false });
      frame(data);
      if (anything) framed = true;
    }
    draw(data);
    requestAnimationFrame(() => requestAnimationFrame(() => { says.drawn = (performance.now() - began).toFixed(0); }));
    note.textContent = data.nowhere ? says.nowhere.replace("{count}", data.nowhere) : "";
  } catch { note.textContent = says.away; }
}

controls();
look();
setInterval(() => { if (!document.hidden) look(); }, EVERY_MS);
if (Browser.mobile) shown.tap?.disable();
