// The outline of a recording above its player: seen at a glance, tapped or arrowed to go to a place in it.
// Without this file, or without an outline, the plain player stands alone.

const BAR = 3;
const STEP_SECONDS = 5;
const PAGE_SECONDS = 30;
const TRIES = 4;
const AGAIN_MS = 3000;
const known = new Map();

async function outlineOf(address) {
  for (let tried = 0; tried < TRIES; tried += 1) {
    if (known.has(address)) return known.get(address);
    const answer = await fetch(address, { headers: { "X-Live": "1" } });
    if (answer.ok) known.set(address, await answer.json());
    else if (answer.status !== 503) return null;
    else await new Promise((done) => setTimeout(done, AGAIN_MS));
  }
  return null;
}

function clock(seconds) {
  return `${Math.floor(seconds / 60)}:${String(Math.floor(seconds % 60)).padStart(2, "0")}`;
}

class SoundWave extends HTMLElement {
  connectedCallback() {
    if (this.shadowRoot) return;
    const root = this.attachShadow({ mode: "open" });
    this.slider = document.createElement("div");
    this.canvas = document.createElement("canvas");
    this.slider.append(this.canvas);
    root.append(this.slider, document.createElement("slot"));
    this.slider.hidden = true;
    this.watch = new IntersectionObserver((seen) => { if (seen.some((each) => each.isIntersecting)) this.load(); }, { rootMargin: "300px" });
    this.watch.observe(this);
  }

  disconnectedCallback() {
    this.watch?.disconnect();
    this.sizes?.disconnect();
  }

  async load() {
    this.watch.disconnect();
    const outline = await outlineOf(this.dataset.outline).catch(() => null);
    if (!outline?.peaks.length || !this.isConnected) return;
    this.peaks = outline.peaks;
    this.seconds = outline.seconds;
    this.sound = this.querySelector("audio");
    this.dress();
    this.listen();
    this.draw();
    this.dataset.drawn = "";
  }

  dress() {
    const { slider, canvas } = this;
    slider.hidden = false;
    slider.tabIndex = 0;
    const said = { role: "slider", "aria-label": this.dataset.label, "aria-valuemin": 0, "aria-valuemax": Math.round(this.seconds) };
    for (const [name, value] of Object.entries(said)) slider.setAttribute(name, value);
    Object.assign(slider.style, { height: "64px", cursor: "pointer", touchAction: "pan-y", borderRadius: "8px" });
    Object.assign(canvas.style, { display: "block", width: "100%", height: "100%" });
  }

  listen() {
    const { slider, sound } = this;
    const drag = (event) => { if (event.buttons) this.seek((event.offsetX / slider.clientWidth) * this.seconds); };
    slider.addEventListener("pointerdown", (event) => { slider.setPointerCapture(event.pointerId); drag(event); });
    slider.addEventListener("pointermove", drag);
    slider.addEventListener("keydown", (event) => this.key(event));
    for (const kind of ["timeupdate", "seeking", "pause", "ended"]) sound.addEventListener(kind, () => this.draw());
    sound.addEventListener("play", () => this.follow());
    this.sizes = new ResizeObserver(() => this.draw());
    this.sizes.observe(slider);
  }

  key(event) {
    const now = this.sound.currentTime;
    const to = {
      ArrowRight: now + STEP_SECONDS, ArrowUp: now + STEP_SECONDS, ArrowLeft: now - STEP_SECONDS, ArrowDown: now - STEP_SECONDS,
      PageUp: now + PAGE_SECONDS, PageDown: now - PAGE_SECONDS, Home: 0, End: this.seconds,
    }[event.key];
    if (to !== undefined) { event.preventDefault(); this.seek(to); }
    if (event.key === " " || event.key === "Enter") {
      event.preventDefault();
      if (this.sound.paused) this.sound.play();
      else this.sound.pause();
    }
  }

  seek(seconds) {
    this.sound.currentTime = Math.max(0, Math.min(this.seconds, seconds));
    this.draw();
  }

  follow() {
    this.draw();
    if (!this.sound.paused && this.isConnected) requestAnimationFrame(() => this.follow());
  }

  draw() {
    const { canvas, slider, sound } = this;
    const scale = devicePixelRatio || 1;
    const width = Math.round(slider.clientWidth * scale);
    const height = Math.round(slider.clientHeight * scale);
    if (!width || !height) return;
    if (canvas.width !== width || canvas.height !== height) Object.assign(canvas, { width, height });
    const look = getComputedStyle(this);
    const pen = canvas.getContext("2d");
    pen.fillStyle = look.getPropertyValue("--wave-ground") || "#eee";
    pen.fillRect(0, 0, width, height);
    const reached = (sound.currentTime / this.seconds) * width;
    const bars = Math.max(1, Math.min(this.peaks.length, Math.floor(width / (BAR * scale))));
    for (let bar = 0; bar < bars; bar += 1) {
      const some = this.peaks.slice(Math.floor((bar * this.peaks.length) / bars), Math.ceil(((bar + 1) * this.peaks.length) / bars));
      const tall = Math.max(2 * scale, (Math.max(...some) / 100) * height * 0.84);
      const left = (bar * width) / bars;
      pen.fillStyle = look.getPropertyValue(left < reached ? "--wave-heard" : "--wave") || "#666";
      pen.fillRect(left, (height - tall) / 2, Math.max(1, (width / bars) * 0.68), tall);
    }
    pen.fillStyle = look.getPropertyValue("--wave-head") || "#000";
    pen.fillRect(Math.min(reached, width - 2 * scale), 0, 2 * scale, height);
    slider.setAttribute("aria-valuenow", String(Math.round(sound.currentTime)));
    slider.setAttribute("aria-valuetext", `${clock(sound.currentTime)} / ${clock(this.seconds)}`);
  }
}

customElements.define("sound-wave", SoundWave);
