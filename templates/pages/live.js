// Keeps a page that is open up with the clock: the signs turn over at their
// moment, and whoever lives by other clocks sees the time on these, too.
(function (page, mine) {
  var lang = mine.locale + '-u-nu-latn'; // digits as in the page
  var each = function (what, where, f) { where.querySelectorAll(what).forEach(f); };
  var clock = function (zone) {
    return new Intl.DateTimeFormat(lang, {
      weekday: 'short', day: 'numeric', month: 'long', hour: '2-digit', minute: '2-digit', hourCycle: 'h23', timeZone: zone
    });
  };
  // Made once: this is what takes a telephone longest.
  var here = clock(), there = clock(mine.zone), ahead = new Intl.RelativeTimeFormat(lang), hours = /\d+:\d+/;
  // Where a page says how something stands, the states to come lie in templates.
  var lives = [];
  each('[data-live]', page, function (place) {
    var states = [{ at: 0, name: page.title }];
    each('template', place, function (t) {
      states.push({ at: Date.parse(t.dataset.at), name: t.dataset.name, content: t.content });
      t.remove();
    });
    states[0].content = page.createDocumentFragment();
    states[0].content.append.apply(states[0].content, place.cloneNode(true).childNodes);
    lives.push({ place: place, states: states, shown: states[0] });
  });
  var look = function () {
    var now = Date.now(), next = now + 3e4;
    lives.forEach(function (live) {
      var state;
      live.states.forEach(function (s) {
        if (s.at <= now) state = s; else next = Math.min(next, s.at);
      });
      if (state != live.shown) {
        live.shown = state;
        live.place.replaceChildren(state.content.cloneNode(true));
        live.place.classList.add('turned');
        if (state.name) page.title = state.name;
      }
    });
    each('main :not(.past *) > time:not([data-seen])[datetime*=T]', page, function (time) {
      var t = new Date(time.dateTime), yours = here.format(t), theirs = there.format(t);
      time.dataset.seen = 1;
      if (yours == theirs) return;
      // The day is not said again where it is the same.
      if (yours.replace(hours, '') == theirs.replace(hours, '')) yours = yours.match(hours);
      time.nextElementSibling.insertAdjacentHTML('afterend', ' <span class=yours>' + mine.yours.replace('|', yours) + '</span>');
    });
    each('[data-until]', page, function (place) {
      var minutes = Math.ceil((Date.parse(place.dataset.until) - now) / 6e4);
      var unit = minutes < 120 ? ['minute', 1] : minutes < 2880 ? ['hour', 60] : ['day', 1440];
      place.textContent = minutes > 0 ? ahead.format(Math.round(minutes / unit[1]), unit[0]) : '';
    });
    // A page may be older than a day.
    var today = new Date(now).toLocaleDateString('sv', { timeZone: mine.zone }).split('-');
    each('.year', page, function (year) {
      each('.today', year, function (day) { day.classList.remove('today'); });
      var month = year.children[(today[0] - year.dataset.year) * 12 + +today[1] - year.dataset.month];
      if (month) each('td', month, function (day) { if (day.textContent == +today[2]) day.classList.add('today'); });
    });
    clearTimeout(look.timer);
    look.timer = setTimeout(look, next - now);
  };
  look();
  page.addEventListener('visibilitychange', look);
  addEventListener('pageshow', look);
})(document, document.currentScript.dataset);
