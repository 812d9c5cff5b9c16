// Looks for new mail every other second, and puts it on top: what is being read
// stays where it is, and so does the focus.
"use strict";

const element = id => document.getElementById(id);

async function look() {
  const answer = await fetch("/");
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  const next = page.getElementById("mails");
  const arrived = [...next.children].filter(mail => !element(mail.id));
  if (!arrived.length) return;
  const list = element("mails");
  list.prepend(...arrived);
  while (list.childElementCount > next.childElementCount + arrived.length) list.lastElementChild.remove();
  element("count").textContent = page.getElementById("count").textContent;
  document.title = page.title;
}

setInterval(() => look().catch(() => {}), 2000); // the demo may have ended
