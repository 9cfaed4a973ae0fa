// The page: takes files, asks the server, shows its answers. No library, nothing from elsewhere.
"use strict";
const $ = (id) => document.getElementById(id);
let models = {};
let key = null; // 256 bytes: what each byte value becomes
let recorder = null;

function say(text) { $("status").textContent = text; }

async function ask(path, options = {}) {
  const headers = $("apikey").value ? { Authorization: "Bearer " + $("apikey").value } : {};
  const answer = await fetch(path, { ...options, headers: { ...headers, ...options.headers } });
  if (answer.status === 401) $("access").hidden = false;
  return answer;
}

async function findModels() {
  const answer = await ask("v2/repository/index", { method: "POST", body: '{"ready":true}' });
  const list = await answer.json();
  if (!answer.ok) return say(list.error);
  say("");
  for (const name of new Set(list.map((entry) => entry.name))) {
    models[name] = await (await ask("v2/models/" + name)).json();
    $("model").add(new Option(name));
  }
  showModel();
}

function showModel() {
  const parameters = models[$("model").value]?.parameters;
  $("reads").textContent = parameters ? `reads ${parameters.reads}; ${parameters.labels.length} classes` : "";
}

function hex(bytes, count) {
  const lines = [];
  for (let at = 0; at < Math.min(bytes.length, count); at += 16)
    lines.push(at.toString(16).padStart(8, "0") + "  " +
      Array.from(bytes.subarray(at, at + 16), (byte) => byte.toString(16).padStart(2, "0")).join(" "));
  return lines.join("\n") + (bytes.length > count ? "\n…" : "");
}

// SHA-256, which the browser's own crypto gives only to pages from localhost or https. (FIPS 180-4)
function sha256(message) {
  const primes = [], isComposite = new Set();
  for (let n = 2; primes.length < 64; ++n) {
    if (isComposite.has(n)) continue;
    primes.push(n);
    for (let m = n * n; m < 400; m += n) isComposite.add(m);
  }
  const fraction = (x) => ((x - Math.floor(x)) * 2 ** 32) | 0;
  const constants = primes.map((p) => fraction(Math.cbrt(p)));
  const hash = primes.slice(0, 8).map((p) => fraction(Math.sqrt(p)));
  const padded = new Uint8Array(((message.length + 72) >> 6) << 6);
  padded.set(message);
  padded[message.length] = 128;
  new DataView(padded.buffer).setUint32(padded.length - 4, message.length * 8);
  const rotated = (x, n) => (x >>> n) | (x << (32 - n));
  for (let block = 0; block < padded.length; block += 64) {
    const w = [];
    for (let i = 0; i < 16; ++i) w.push(new DataView(padded.buffer).getInt32(block + 4 * i));
    for (let i = 16; i < 64; ++i) {
      const a = w[i - 15], b = w[i - 2];
      w.push((w[i - 16] + w[i - 7] + (rotated(a, 7) ^ rotated(a, 18) ^ (a >>> 3)) +
        (rotated(b, 17) ^ rotated(b, 19) ^ (b >>> 10))) | 0);
    }
    let [a, b, c, d, e, f, g, h] = hash;
    for (let i = 0; i < 64; ++i) {
      const first = (h + (rotated(e, 6) ^ rotated(e, 11) ^ rotated(e, 25)) + ((e & f) ^ (~e & g)) + constants[i] + w[i]) | 0;
      const second = ((rotated(a, 2) ^ rotated(a, 13) ^ rotated(a, 22)) + ((a & b) ^ (a & c) ^ (b & c))) | 0;
      [h, g, f, e, d, c, b, a] = [g, f, e, (d + first) | 0, c, b, a, (first + second) | 0];
    }
    [a, b, c, d, e, f, g, h].forEach((value, i) => { hash[i] = (hash[i] + value) | 0; });
  }
  return hash.map((word) => (word >>> 0).toString(16).padStart(8, "0")).join("");
}

async function takeKey(file) {
  const bytes = new Uint8Array(await file.arrayBuffer());
  const isKey = bytes.length === 256 && new Set(bytes).size === 256;
  key = isKey ? bytes : null;
  const print = isKey ? sha256(bytes) : "";
  const [name] = Object.entries(models).find(([, model]) => model.parameters?.key_fingerprint === print && print) ?? [];
  $("keyword").textContent = !isKey ? "this file is no key"
    : `key ${print.slice(0, 12)}` + (name ? `, of the model ${name}` : ", of no model here");
  $("obfuscate").disabled = !isKey;
  $("obfuscate").checked = Boolean(name);
  if (name) { $("model").value = name; showModel(); }
}

// What a model that reads a few places of a file reads of it, as the server would cut it.
function pieces(bytes, preprocess) {
  const wanted = preprocess?.transforms?.find?.((transform) => transform.type === "pieces");
  const { start = 0, middle = 0, end = 0 } = wanted ?? {};
  if (!wanted || bytes.length <= start + middle + end) return bytes;
  const from = Math.floor((bytes.length - middle) / 2);
  const result = new Uint8Array(start + middle + end);
  result.set(bytes.subarray(0, start));
  result.set(bytes.subarray(from, from + middle), start);
  result.set(bytes.subarray(bytes.length - end), start + middle);
  return result;
}

async function classify(file) {
  const model = $("model").value;
  const article = $("answer").content.cloneNode(true).querySelector("article");
  article.querySelector("h2").textContent = file.name;
  $("answers").prepend(article);
  const isObfuscated = $("obfuscate").checked && key;
  let body = file;
  let medium = null; // draws heat over the picture or sound
  if (isObfuscated) {
    const config = await (await ask(`v2/models/${model}/config`)).json();
    body = pieces(new Uint8Array(await file.arrayBuffer()), config.parameters?.preprocess).map((byte) => key[byte]);
    const sent = article.querySelector("details");
    sent.hidden = false;
    sent.querySelector("pre").textContent = hex(body, 256);
  } else {
    medium = showMedium(article.querySelector(".medium"), file).catch(() => null);
  }
  const query = new URLSearchParams({ model, top_k: 5, name: isObfuscated ? "obfuscated" : file.name });
  const begin = performance.now();
  const headers = { "Content-Type": "application/octet-stream" };
  let answer = await ask("classify?" + query + ($("explain").checked ? "&explain=1" : ""), { method: "POST", body, headers });
  if (answer.status === 413 && $("explain").checked) answer = await ask("classify?" + query, { method: "POST", body, headers });
  const result = await answer.json();
  const note = article.querySelector("p");
  if (!answer.ok) {
    article.classList.add("refused");
    note.textContent = result.error?.message ?? result.error;
    say(`${file.name}: no answer`);
    return;
  }
  const time = Math.round(performance.now() - begin);
  note.textContent = `${result.bytes.toLocaleString()} bytes read${result.prepared ? ", prepared for the model" : ""}` +
    `${isObfuscated ? ", obfuscated here" : ""}; ${time} ms`;
  for (const { label, score } of result.predictions) {
    const row = document.createElement("li");
    const meter = document.createElement("meter");
    Object.assign(meter, { value: score, ariaLabel: label });
    meter.style.backgroundSize = `${100 * score}% 100%`; // browsers' own bars differ in height and colour
    const cells = [label, null, (100 * score).toFixed(1) + " %"].map((text) => {
      if (text === null) return meter;
      const span = document.createElement("span");
      span.textContent = text;
      return span;
    });
    row.append(...cells);
    article.querySelector("ol").append(row);
  }
  if (result.explanation) {
    showHeat(article.querySelector("canvas.heat"), result.explanation);
    (await medium)?.(result.explanation);
  }
  say(`${file.name}: ${result.predictions[0].label}, ${(100 * result.predictions[0].score).toFixed(0)} percent`);
}

// Orange where bytes speak for the class, blue where against.
function heatColours(heat) {
  const most = Math.max(1e-12, ...heat.map(Math.abs));
  return heat.map((value) =>
    `rgb(${value > 0 ? "230 110 0" : "30 100 220"} / ${Math.sqrt(Math.abs(value) / most).toFixed(3)})`);
}

function showHeat(canvas, { label, heat }) {
  canvas.hidden = false;
  canvas.width = heat.length;
  const paint = canvas.getContext("2d");
  heatColours(heat).forEach((colour, i) => {
    paint.fillStyle = colour;
    paint.fillRect(i, 0, 1, canvas.height);
  });
  const legend = canvas.nextElementSibling;
  legend.hidden = false;
  legend.textContent = `The file from start to end: orange bytes speak for ${label}, blue ones against it`;
  const hottest = heat.indexOf(Math.max(...heat));
  canvas.setAttribute("aria-label", `Which bytes decided, from the start of the file to its end: for ${label} speak ` +
    `most those at ${Math.round((100 * hottest) / heat.length)} percent of the file`);
}

// Shows the picture or the waveform; what comes of it draws heat over it.
async function showMedium(place, file) {
  if (file.type.startsWith("image/")) return showPicture(place, file);
  if (file.type.startsWith("audio/") && window.AudioContext) return showSound(place, file);
  return null;
}

async function showPicture(place, file) {
  const image = new Image();
  image.alt = file.name;
  image.src = URL.createObjectURL(file);
  place.append(image);
  const isShown = await image.decode().then(() => true, () => false);
  URL.revokeObjectURL(image.src);
  if (!isShown) return image.remove();
  const { naturalWidth: width, naturalHeight: height } = image;
  image.classList.toggle("small", width < 128); // whose pixels are what the model sees
  return ({ label, picture }) => {
    if (!picture) return;
    const canvas = document.createElement("canvas");
    Object.assign(canvas, { width: picture.columns, height: picture.rows, role: "img", ariaLabel: `where it speaks for ${label}` });
    const paint = canvas.getContext("2d");
    heatColours(picture.heat).forEach((colour, i) => {
      paint.fillStyle = colour;
      paint.fillRect(i % picture.columns, Math.floor(i / picture.columns), 1, 1);
    });
    // The model reads a square in the middle, where the picture was cropped to one.
    const shorter = Math.min(width, height);
    const side = picture.crop && shorter * Math.min(1, picture.crop / (picture.resize ?? shorter));
    const [wide, high] = side ? [side / width, side / height] : [1, 1];
    Object.assign(canvas.style, { width: `${100 * wide}%`, height: `${100 * high}%`, left: `${50 - 50 * wide}%`, top: `${50 - 50 * high}%` });
    place.classList.add("heated");
    place.append(canvas);
    place.title = picture.remark;
  };
}

async function showSound(place, file) {
  const context = new OfflineAudioContext(1, 1, 44100);
  const sound = await context.decodeAudioData(await file.arrayBuffer()).catch(() => null);
  if (!sound) return null;
  const canvas = document.createElement("canvas");
  Object.assign(canvas, { width: 600, height: 64, role: "img", ariaLabel: "waveform" });
  const paint = canvas.getContext("2d");
  const samples = sound.getChannelData(0);
  const drawWave = () => {
    paint.fillStyle = getComputedStyle(document.documentElement).getPropertyValue("--strong");
    for (let x = 0; x < 600; ++x) {
      let peak = 0;
      for (let i = Math.floor((x * samples.length) / 600); i < ((x + 1) * samples.length) / 600; ++i)
        peak = Math.max(peak, Math.abs(samples[i] ?? 0));
      paint.fillRect(x, 32 - 31 * peak, 1, 1 + 62 * peak);
    }
  };
  drawWave();
  place.append(canvas);
  return ({ label, sound: heated }) => {
    if (!heated) return;
    canvas.ariaLabel = `waveform, and where it speaks for ${label}`;
    const perSegment = ((600 / sound.duration) * heated.seconds) / heated.heat.length;
    paint.clearRect(0, 0, 600, 64);
    heatColours(heated.heat).forEach((colour, i) => {
      paint.fillStyle = colour;
      const left = Math.round(i * perSegment); // whole pixels: no seams
      paint.fillRect(left, 0, Math.round((i + 1) * perSegment) - left, 64);
    });
    drawWave();
    place.title = heated.remark;
  };
}

async function classifyAll(files) {
  if (!files.length) return;
  if (!$("model").value) return say("there is no model");
  say(`asking about ${files.length} file${files.length > 1 ? "s" : ""} …`);
  for (const file of files) await classify(file).catch((error) => say(`${file.name}: ${error.message}`));
}

// What was recorded as a WAV of 16-bit samples, which every model of sounds can have prepared.
function wav(samples, rate) {
  const bytes = new DataView(new ArrayBuffer(44 + 2 * samples.length));
  const text = (at, word) => [...word].forEach((c, i) => bytes.setUint8(at + i, c.charCodeAt(0)));
  text(0, "RIFF"); bytes.setUint32(4, 36 + 2 * samples.length, true); text(8, "WAVEfmt ");
  bytes.setUint32(16, 16, true); bytes.setUint16(20, 1, true); bytes.setUint16(22, 1, true);
  bytes.setUint32(24, rate, true); bytes.setUint32(28, 2 * rate, true); bytes.setUint16(32, 2, true);
  bytes.setUint16(34, 16, true); text(36, "data"); bytes.setUint32(40, 2 * samples.length, true);
  samples.forEach((sample, i) => bytes.setInt16(44 + 2 * i, Math.max(-1, Math.min(1, sample)) * 32767, true));
  return new File([bytes], "recording.wav", { type: "audio/wav" });
}

async function record() {
  if (recorder) return recorder.stop();
  const stream = await navigator.mediaDevices.getUserMedia({ audio: true });
  recorder = new MediaRecorder(stream);
  const parts = [];
  recorder.ondataavailable = (event) => parts.push(event.data);
  recorder.onstop = async () => {
    stream.getTracks().forEach((track) => track.stop());
    recorder = null;
    $("record").textContent = "Record a sound";
    const context = new OfflineAudioContext(1, 1, 16000);
    const sound = await context.decodeAudioData(await new Blob(parts).arrayBuffer());
    classifyAll([wav(sound.getChannelData(0), sound.sampleRate)]);
  };
  recorder.start();
  $("record").textContent = "Stop recording";
}

const drop = document.documentElement;
const isOver = (event, over) => { event.preventDefault(); $("drop").classList.toggle("over", over); };
drop.addEventListener("dragover", (event) => isOver(event, true));
drop.addEventListener("dragleave", (event) => isOver(event, false));
drop.addEventListener("drop", (event) => { isOver(event, false); classifyAll([...event.dataTransfer.files]); });
document.addEventListener("paste", (event) => classifyAll([...event.clipboardData.files]));
$("files").addEventListener("change", (event) => { classifyAll([...event.target.files]); event.target.value = ""; });
$("key").addEventListener("change", (event) => event.target.files[0] && takeKey(event.target.files[0]));
$("model").addEventListener("change", showModel);
$("apikey").addEventListener("change", () => findModels().catch((error) => say(error.message)));
$("form").addEventListener("submit", (event) => event.preventDefault());
if (navigator.mediaDevices?.getUserMedia)
  $("record").addEventListener("click", () => record().catch((error) => say("no recording: " + error.message)));
else
  $("record").hidden = true;
findModels().catch((error) => say("the server does not answer: " + error.message));
