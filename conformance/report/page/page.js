// The page is complete without this script: it adds the filters, and shows the
// evidence of a mark beside the matrix instead of below it.
"use strict";
(() => {
	const byId = id => document.getElementById(id);
	const form = byId("filters"), table = document.querySelector(".rules"), matrix = byId("matrix");
	const work = byId("work"), panel = byId("panel"), panelBody = byId("panel-body"), evidence = byId("evidence");
	const slugs = [...table.tHead.rows[0].cells].slice(1).map(cell => cell.dataset.slug);
	const rows = [...table.querySelectorAll("tr[data-rule]")].map(tr => ({
		tr, body: tr.parentNode, article: byId(tr.dataset.rule), cells: [...tr.cells].slice(1),
		level: tr.dataset.level, group: tr.parentNode.dataset.group, visible: true, words: null,
	}));
	const byRule = new Map(rows.map(row => [row.tr.dataset.rule, row]));

	// Filters.

	const columns = () => slugs.map((_, i) => {
		const box = form.querySelector(`[name="subject"][value="${i}"]`);
		return !box || box.checked;
	});

	const wordsOf = row => row.words ??= (row.article.textContent + " " + row.body.rows[0].cells[0].textContent).toLowerCase();

	function filter() {
		const data = new FormData(form), shown = columns();
		const statuses = new Set(data.getAll("status"));
		const words = data.get("words").toLowerCase().split(/\s+/).filter(Boolean);
		const matches = row => {
			const found = row.cells.filter((_, i) => shown[i]).map(cell => cell.classList[0]);
			return found.some(status => statuses.has(status)) &&
				(!data.get("level") || row.level === data.get("level")) &&
				(!data.get("group") || row.group === data.get("group")) &&
				(!data.has("differ") || new Set(found.filter(status => status !== "skip")).size > 1) &&
				words.every(word => wordsOf(row).includes(word));
		};
		let n = 0;
		for (const body of table.tBodies) {
			body.hidden = true;
		}
		for (const row of rows) {
			row.visible = matches(row);
			row.tr.hidden = row.article.hidden = !row.visible;
			if (row.visible) {
				row.body.hidden = false;
				n++;
			}
		}
		for (const tr of table.rows) {
			shown.forEach((on, i) => tr.cells[i + 1].hidden = !on);
		}
		byId("count").textContent = `${n} of ${rows.length} rules shown`;
		byId("none").hidden = n > 0;
		table.hidden = n === 0;
		rove();
	}

	// One mark can be reached by the tab key, the others by the arrows.

	const target = cell => cell.querySelector("a") ?? cell;
	let reachable = null;

	function rove(cell) {
		if (!cell) {
			cell = reachable && !reachable.closest("[hidden]") ? reachable
				: rows.find(row => row.visible)?.cells.find(c => !c.hidden);
		}
		if (reachable) {
			target(reachable).tabIndex = -1;
		}
		reachable = cell ?? null;
		if (reachable) {
			target(reachable).tabIndex = 0;
		}
	}

	function move(cell, down, right) {
		const visible = rows.filter(row => row.visible), columnsShown = slugs.map((_, i) => i).filter(i => columns()[i]);
		const y = visible.findIndex(row => row.tr === cell.parentNode), x = columnsShown.indexOf(cell.cellIndex - 1);
		const clamp = (n, length) => Math.max(0, Math.min(n, length - 1));
		const next = visible[clamp(y + down, visible.length)].cells[columnsShown[clamp(x + right, columnsShown.length)]];
		rove(next);
		target(next).focus({preventScroll: true});
		reveal(next);
	}

	// reveal scrolls the matrix, and then the page, so far that a cell is seen:
	// beside what sticks to the edges of the matrix, and above the panel where
	// that is at the bottom of the screen.
	function reveal(cell) {
		const head = table.tHead.rows[0].cells[0].getBoundingClientRect(), box = matrix.getBoundingClientRect();
		let at = cell.getBoundingClientRect();
		matrix.scrollTop += Math.min(0, at.top - head.bottom) || Math.max(0, at.bottom - box.bottom);
		if (cell.cellIndex > 0) {
			matrix.scrollLeft += Math.min(0, at.left - head.right) || Math.max(0, at.right - box.right);
		}
		at = cell.getBoundingClientRect();
		const sheet = getComputedStyle(panel).position === "fixed" ? panel.offsetHeight : 0;
		if (at.top < head.height || at.bottom > innerHeight - sheet) {
			work.scrollIntoView();
		}
	}

	const page = () => Math.max(1, Math.floor(matrix.clientHeight / 60));
	const keys = {
		ArrowDown: () => [1, 0], ArrowUp: () => [-1, 0], ArrowRight: () => [0, 1], ArrowLeft: () => [0, -1],
		PageDown: () => [page(), 0], PageUp: () => [-page(), 0], Home: () => [0, -Infinity], End: () => [0, Infinity],
	};

	table.addEventListener("keydown", event => {
		const cell = event.target.closest("tr[data-rule] > td");
		if (!cell || event.ctrlKey || event.altKey || event.metaKey) {
			return;
		}
		if (keys[event.key]) {
			event.preventDefault();
			move(cell, ...keys[event.key]());
		} else if (event.key === "Enter" || event.key === " ") {
			event.preventDefault();
			choose(cell);
		}
	});

	table.addEventListener("click", event => {
		const cell = event.target.closest("tr[data-rule] > td");
		if (cell && !event.ctrlKey && !event.metaKey && !event.shiftKey) {
			event.preventDefault();
			choose(cell);
		}
	});

	// The panel. What it shows is what the address names.

	function choose(cell) {
		const name = "#" + cell.parentNode.dataset.rule + "/" + slugs[cell.cellIndex - 1];
		if (location.hash === name) {
			show();
		} else {
			location.hash = name;
		}
	}

	let shown = null; // the row whose article is in the panel

	function put() {
		table.querySelector(".current")?.classList.remove("current");
		if (shown) {
			for (const e of shown.article.querySelectorAll(".chosen")) {
				e.classList.remove("chosen");
			}
			const next = rows[rows.indexOf(shown) + 1];
			evidence.insertBefore(shown.article, next ? next.article : null);
			shown.article.hidden = !shown.visible;
			shown = null;
		}
	}

	let origin = null; // what has the focus again when the panel is closed

	function show() {
		const name = decodeURIComponent(location.hash.slice(1)), [rule, slug] = name.split("/");
		const row = byRule.get(rule);
		if (!row) {
			close(false);
			return;
		}
		put();
		shown = row;
		row.article.hidden = false;
		panelBody.replaceChildren(row.article);
		panelBody.scrollTop = 0;
		panel.hidden = false;
		work.classList.add("open");
		const who = slug === undefined ? null : byId(name), column = slugs.indexOf(slug);
		for (const details of row.article.querySelectorAll("details")) {
			details.open = who ? details.contains(who) : details.classList.contains("fail") || details.classList.contains("warn");
		}
		const cell = column < 0 ? row.tr.cells[0] : row.cells[column];
		cell.classList.add("current");
		if (who) {
			who.classList.add("chosen");
			if (row.visible && !cell.hidden) {
				rove(cell);
			}
		}
		if (row.visible && !cell.hidden) {
			reveal(cell);
		}
		byId("panel-heading").textContent = rule + (who ? ", " + who.textContent : "");
		origin = column < 0 ? cell.querySelector("a") : target(cell);
		byId("panel-heading").focus({preventScroll: true});
		if (who) {
			panelBody.scrollTop += Math.max(0, who.getBoundingClientRect().top - panelBody.getBoundingClientRect().top - panelBody.clientHeight / 2);
		}
	}

	function close(back) {
		if (panel.hidden) {
			return;
		}
		put();
		panel.hidden = true;
		work.classList.remove("open");
		if (back) {
			history.replaceState(null, "", location.pathname + location.search);
			origin?.focus();
		}
	}

	addEventListener("hashchange", show);
	byId("close").addEventListener("click", () => close(true));
	document.addEventListener("keydown", event => {
		if (event.key === "Escape" && !panel.hidden) {
			close(true);
		}
	});

	// On paper every evidence is open, and in its place.
	addEventListener("beforeprint", () => {
		close(false);
		for (const details of evidence.querySelectorAll("article.broken details")) {
			details.open = true;
		}
	});
	addEventListener("afterprint", show);

	// Start.

	table.setAttribute("role", "grid");
	for (const row of rows) {
		for (const cell of row.cells) {
			target(cell).tabIndex = -1;
		}
	}
	form.hidden = byId("hint").hidden = false;
	form.addEventListener("input", filter);
	form.addEventListener("reset", () => setTimeout(filter));
	form.addEventListener("submit", event => event.preventDefault());
	const subjects = form.querySelector(".columns");
	document.addEventListener("click", event => {
		if (subjects?.open && !subjects.contains(event.target)) {
			subjects.open = false;
		}
	});
	matrix.tabIndex = -1;
	filter();
	if (location.hash) {
		show();
		// A browser goes on to look for what the address names until the page
		// is complete, and scrolls to it.
		addEventListener("load", () => panel.hidden || work.scrollIntoView());
	}
})();
