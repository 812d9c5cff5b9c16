// What the checks of a page ask it. It is run in the page, after it has loaded.
const look = {
	// whatever a keyboard has to reach
	reachable: [...document.querySelectorAll("a[href], button, input, select, textarea, summary, iframe, [tabindex], [contenteditable]")]
		.filter(e => e.tabIndex >= 0 && !e.disabled && e.checkVisibility({visibilityProperty: true})),

	// an element, as one finds it again in the page's source
	name: e => e.outerHTML.replace(/\s+/g, " ").slice(0, 90),

	// how it looks, as far as that can show where the focus is
	style(e) {
		const s = getComputedStyle(e)
		const outline = s.outlineStyle == "none" || parseFloat(s.outlineWidth) == 0 ? "" : s.outline
		return [outline, s.boxShadow, s.borderColor, s.backgroundColor, s.textDecorationLine].join(" ")
	},

	visited: [],

	// where the focus has come to, and what is wrong with that; null at the end
	step() {
		const e = document.activeElement, last = this.visited.at(-1)
		if (!e || e == document.body || this.visited.includes(e)) return null
		this.visited.push(e)
		const wrong = []
		if (this.styles.has(e) && this.styles.get(e) == this.style(e)) wrong.push("nothing shows that the focus is on " + this.name(e))
		if (last && !(last.compareDocumentPosition(e) & Node.DOCUMENT_POSITION_FOLLOWING))
			wrong.push("the focus goes back in the text, to " + this.name(e))
		if (last && this.above(last, e)) wrong.push("the focus jumps up on the screen, to " + this.name(e))
		return wrong
	},

	// whether b, which comes after a, stands above it, and in no next column
	above(a, b) {
		if (a.contains(b) || b.contains(a)) return false
		const [p, q] = [a, b].map(e => e.getBoundingClientRect())
		const next = getComputedStyle(document.body).direction == "rtl" ? q.right <= p.left + 1 : q.left >= p.right - 1
		return q.bottom <= p.top + 1 && !next
	},

	unreached() {
		return this.reachable.filter(e => !this.visited.includes(e)).map(e => "Tab never comes to " + this.name(e))
	},

	// what is too wide for the window
	wide() {
		const width = document.documentElement.clientWidth
		if (document.scrollingElement.scrollWidth <= width) return []
		const over = e => { const r = e.getBoundingClientRect(); return r.width > 0 && (r.right > width + 1 || r.left < -1) }
		const all = [...document.body.querySelectorAll("*")].filter(e => over(e) && ![...e.children].some(over))
		return all.length ? all.slice(0, 3).map(this.name) : ["something of no element's own"]
	},

	// what a reader sees of what the page is made of
	seen() {
		return [...document.querySelectorAll("h1, h2, h3, h4, a[href], dt, button, label")]
			.filter(e => e.checkVisibility({visibilityProperty: true, opacityProperty: true}))
			.map(e => e.tagName.toLowerCase() + " “" + e.innerText.replace(/\s+/g, " ").trim() + "”")
	},

	// times that say nothing
	blank() { return [...document.querySelectorAll("time")].filter(e => !e.textContent.trim()).map(this.name) },
}
look.styles = new Map(look.reachable.map(e => [e, look.style(e)]))
