// The closure banner, for the shop's own pages:
//
//   <script defer src="https://status…/banner.js" data-storefront="web" data-disable="#checkout"></script>
//
// It asks banner.json, which lies beside it, how the storefront stands, each
// minute and whenever the page comes into sight. No answer changes nothing.
// A page may forbid styles that aren't its own (Content-Security-Policy): so
// these are set by script, which that allows.
//
// The build makes this smaller, and puts banner.css where "banner.css" stands.
(() => {
  const script = document.currentScript;
  const { storefront, disable, lang } = script.dataset;
  const root = document.documentElement;
  const describedBy = "aria-describedby";
  const held = new Map(); // each element that is off -> the reason below it
  let bar, shown, dismissed, why;

  const make = (name, properties) => Object.assign(document.createElement(name), properties);

  const hide = () => {
    bar?.remove();
    bar = null;
    root.style.scrollPaddingBottom = "";
  };

  // The bar lies over the bottom of the page: nothing moves for it. It is a region,
  // to be found among the page's landmarks. The text in it is a status: a screen
  // reader tells of it, unasked but without interrupting, when it is filled.
  const draw = (words, now) => {
    if (now.key == shown && (!bar || bar.isConnected)) return;
    shown = now.key;
    hide();
    try { dismissed ??= localStorage.backsoon; } catch {}
    if (!now.answer || dismissed == now.key) return;
    bar = make("div", { role: "region", ariaLabel: words.label, lang: words.lang, dir: words.dir });
    bar.dataset.nosnippet = "";
    const shadow = bar.attachShadow({ mode: "open" });
    const style = new CSSStyleSheet();
    style.replaceSync("banner.css");
    shadow.adoptedStyleSheets = [style];
    const box = make("div", { className: now.tone });
    const text = make("p", { role: "status" });
    const dismiss = () => {
      dismissed = now.key;
      try { localStorage.backsoon = dismissed; } catch {}
      hide();
    };
    box.append(text);
    shadow.append(box);
    document.body.append(bar);
    setTimeout(() => {
      const answer = make("strong", { textContent: now.answer });
      text.append(answer, " " + now.title + " ", make("a", { textContent: words.more, href: now.url }));
      box.append(make("button", { textContent: words.dismiss, onclick: dismiss }));
      root.style.scrollPaddingBottom = bar.offsetHeight + "px"; // what has the focus stays in sight
    }, 99);
  };

  // An element that is off has the reason below it, for which what follows makes
  // room. One that the shop had switched off itself stays off afterwards.
  const hold = (element) => {
    let h = held.get(element);
    if (!h) {
      h = make("span", { id: "backsoon-" + held.size });
      h.dataset.nosnippet = "";
      h.style.cssText = "display:table;margin:.4em 0;padding:.2em .5em;background:#fff;color:#222;border:1px solid";
      h.before = element.getAttribute(describedBy);
      element.setAttribute(describedBy, (h.before ? h.before + " " : "") + h.id);
      held.set(element, h);
    }
    if (element.disabled === false) h.ours = element.disabled = true;
    element.ariaDisabled = true;
    if (h.textContent != why) h.textContent = why;
    if (!h.isConnected) element.after(h);
  };

  const release = (h, element) => {
    held.delete(element);
    h.remove();
    if (h.ours) element.disabled = false;
    element.ariaDisabled = null;
    if (h.before) element.setAttribute(describedBy, h.before);
    else element.removeAttribute(describedBy);
  };

  const apply = () => {
    if (why) document.querySelectorAll(disable).forEach(hold);
    else held.forEach(release);
  };

  const look = async () => {
    if (shown && document.hidden) return;
    let languages;
    try {
      const answer = await fetch(new URL("banner.json", script.src), { credentials: "omit", cache: "no-cache" });
      ({ languages } = await answer.json());
    } catch {}
    if (!languages) return;
    const wanted = (lang || root.lang).toLowerCase(); // pt-br takes pt
    const words = languages.find((l) => wanted.startsWith(l.lang)) || languages[0];
    const now = words.storefronts[storefront || words.first];
    if (!now) return console.warn("no storefront " + storefront);
    draw(words, now);
    why = disable && now.why;
    apply();
  };

  if (disable) {
    new MutationObserver(apply).observe(root, { childList: true, subtree: true, attributeFilter: ["disabled"] });
    for (const type of ["click", "auxclick", "submit"]) {
      addEventListener(type, (event) => {
        if (!why || !event.target.closest?.(disable)) return;
        event.preventDefault();
        event.stopImmediatePropagation();
      }, true);
    }
  }
  setInterval(look, 60000);
  addEventListener("visibilitychange", look);
  look();
})();
