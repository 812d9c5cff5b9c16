// The screen works without this; with it, each part is renewed when it changes,
// and forms are sent without leaving the page. The page that the server gives is
// all there is to know: a part is as it was for as long as its data-mark is.
"use strict";

const element = id => document.getElementById(id);
const parts = page => [...page.querySelectorAll("[data-mark]")];

// What the file holds, as far as this page knows; null: something else.
let held = element("text")?.value;
const unsaved = () => element("editor") !== null && element("text").value !== held;

// here is the page with the notice that is in the editor.
const here = () => "/?notice=" + (element("editor")?.getAttribute("action").split("/").pop() ?? "");

// load gets a page and renews what differs. Where taken is set, its notice comes
// into the editor, whatever is there.
async function load(address, options, taken) {
  const answer = await fetch(address, options);
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  if (!page.querySelector("main")) return say(page.body.textContent);
  if (parts(page).length !== parts(document).length) return location.assign(answer.url); // the first notice came, or the last went
  for (const old of parts(document)) renew(old, page.getElementById(old.id), taken);
  if (answer.status === 409) held = null;
  if (answer.ok && taken) history.replaceState(null, "", here());
  tellState();
}

function renew(old, next, taken) {
  const changed = old.dataset.mark !== next.dataset.mark;
  if (!changed && !taken) return;
  if (old.matches("form")) renewEditor(old, next, taken);
  else if (old.matches(".frame")) changed && reload(old);
  else if (old.matches("ol")) changed && addTo(old, next);
  else replace(old, next);
  if (changed && old.matches(".frame, ol")) brighten(old.closest(".pane"));
  old.dataset.mark = next.dataset.mark;
}

// renewEditor leaves a text that is being written alone, and the version that
// goes with it: the server sees what it was begun on.
function renewEditor(old, next, taken) {
  const same = old.getAttribute("action") === next.getAttribute("action");
  const keeps = !taken && unsaved();
  if (keeps && !same) return;
  replace(old.querySelector("#mistakes"), next.querySelector("#mistakes"));
  if (keeps) return;
  const [text, coming] = [old.querySelector("textarea"), next.querySelector("textarea")];
  if (text.value !== coming.value) text.value = coming.value;
  held = text.value;
  if (!same) text.scrollTop = 0;
  text.readOnly = old.querySelector("button").disabled = coming.readOnly;
  old.elements.version.value = next.elements.version.value;
  old.setAttribute("action", next.getAttribute("action"));
  replace(old.querySelector("label"), next.querySelector("label"));
  element("state").dataset.saved = next.querySelector("#state").textContent;
}

// replace puts new content into a part, and the focus back where it was.
function replace(old, next) {
  const link = old.contains(document.activeElement) && document.activeElement.getAttribute("href");
  old.className = next.className;
  if (old.innerHTML !== next.innerHTML) old.innerHTML = next.innerHTML;
  if (link) old.querySelector(`a[href="${CSS.escape(link)}"]`)?.focus();
  old.querySelector("[aria-current]")?.scrollIntoView({ block: "nearest" });
}

// reload loads a frame anew behind the one that is seen, so that nothing flashes.
function reload(box) {
  const frame = box.lastElementChild.cloneNode();
  frame.className = "coming";
  frame.onload = () => {
    frame.className = "";
    while (frame.previousSibling) frame.previousSibling.remove();
  };
  box.append(frame);
}

// addTo adds what is new at the top: what is open below stays open.
function addTo(list, next) {
  const items = [...next.children].filter(item => !element(item.id));
  for (const item of items) item.classList.add("arrived");
  list.prepend(...items);
  for (const item of [...list.children].slice(next.childElementCount + items.length)) item.remove();
}

function brighten(pane) {
  pane.classList.remove("fresh");
  void pane.offsetWidth; // begins the animation anew
  pane.classList.add("fresh");
}

function say(text) {
  if (element("state")) element("state").textContent = text;
}

function tellState() {
  const state = element("state");
  if (!state) return;
  state.dataset.saved ??= state.textContent;
  say(unsaved() ? "Not saved yet" : state.dataset.saved);
}

// One load after the other: an older page never comes over a newer one.
let queue = Promise.resolve();
const enqueue = f => queue = queue.then(f).catch(() => say("The demo doesn’t answer"));

const events = new EventSource("/events");
events.onmessage = ({ data }) => {
  if (!element("gone").hidden) return location.reload(); // it is another demo
  const marks = JSON.parse(data);
  enqueue(() => parts(document).some(part => part.dataset.mark !== marks[part.dataset.of]) && load(here()));
};
events.onerror = () => setTimeout(() => { element("gone").hidden = events.readyState === EventSource.OPEN; }, 2000);

const mayLeave = () => !unsaved() || confirm("Your text is not saved. Leave it?");

document.addEventListener("submit", event => {
  const form = event.target;
  event.preventDefault();
  if (form.id !== "editor" && !mayLeave()) return;
  const body = new URLSearchParams(new FormData(form, event.submitter));
  enqueue(() => load(form.action, { method: "POST", body }, true));
  if (form.parentElement.matches("details")) {
    form.parentElement.open = false;
    form.reset();
  }
});

document.addEventListener("click", event => {
  const link = event.target.closest("#notices a, #mistakes a");
  if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
  event.preventDefault();
  if (link.dataset.line) goTo(+link.dataset.line, +link.dataset.column);
  else if (mayLeave()) enqueue(() => load(link.href, {}, true));
});

// goTo selects from where a mistake is to the end of its line. Both count from 1,
// columns in characters.
function goTo(line, column) {
  const text = element("text");
  const lines = text.value.split("\n");
  const begin = lines.slice(0, line - 1).reduce((length, each) => length + each.length + 1, 0);
  const within = [...(lines[line - 1] ?? "")].slice(0, Math.max(0, column - 1)).join("").length;
  text.focus();
  text.setSelectionRange(begin + within, begin + (lines[line - 1] ?? "").length);
}

document.addEventListener("input", event => { if (event.target.id === "text") tellState(); });
document.addEventListener("keydown", event => {
  if (!(event.ctrlKey || event.metaKey) || event.key !== "s" || !element("editor")) return;
  event.preventDefault();
  element("editor").requestSubmit();
});
addEventListener("beforeunload", event => { if (unsaved()) event.preventDefault(); });
