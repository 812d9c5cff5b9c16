// The closure banner, for the shop's own pages:
//
//   <script defer src="https://status…/banner.js" data-storefront="web" data-disable="#checkout"></script>
//
// It asks banner.data.js, which lies beside it, how the storefront stands, each
// minute and whenever the page comes into sight. No answer changes nothing.
// A page may forbid whatever isn't its own but this script's place
// (Content-Security-Policy): so the answer is a script, and styles are set by one.
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

  const show = ({ detail: languages }) => {
    const wanted = (lang || root.lang).toLowerCase(); // pt-br takes pt
    const words = languages.find((l) => wanted.startsWith(l.lang)) || languages[0];
    const now = words.storefronts[storefront || words.first];
    if (!now) return console.warn("no storefront " + storefront);
    draw(words, now);
    why = disable && now.why;
    apply();
  };

  // The answer is an event. A script may come from anywhere, whatever the headers of
  // the server that has it; Trusted Types have to be told of it.
  const look = () => {
    if (shown && document.hidden) return;
    const createScriptURL = () => new URL("banner.data.js?" + Date.now(), script.src);
    const src = self.trustedTypes?.createPolicy("backsoon", { createScriptURL }).createScriptURL("") || createScriptURL();
    const ask = make("script", { src, nonce: script.nonce });
    document.head.append(ask);
    ask.remove();
  };

  if (disable) {
    new MutationObserver(apply).observe(root, { childList: true, subtree: true, attributeFilter: ["disabled"] });
    for (const type of ["click", "auxclick", "submit"]) {
      addEventListener(type, (event) => {
        if (why && event.target.closest?.(disable)) {
          event.preventDefault();
          event.stopImmediatePropagation();
        }
      }, true);
    }
  }
  addEventListener("backsoon", show);
  setInterval(look, 60000);
  addEventListener("visibilitychange", look);
  look();
})();
