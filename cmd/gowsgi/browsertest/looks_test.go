package browsertest

import (
	"testing"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
)

// TestPhone looks for pages that are wider than a telephone.
func TestPhone(t *testing.T) {
	b := open(t)
	base := serve(t)
	for _, width := range []int64{360, 320} {
		call(b, emulation.SetDeviceMetricsOverride, emulation.SetDeviceMetricsOverrideParams{
			Width: width, Height: 720, DeviceScaleFactor: 2, Mobile: true,
		})
		for _, c := range contents {
			b.visit(base + c.path)
			if got := evaluate[int64](b, "document.scrollingElement.scrollWidth"); got > width {
				t.Errorf("%s is %d pixels wide on a screen of %d; too wide are %s", c.path, got, width, list(evaluate[[]string](b, tooWide)))
			}
			if width == 360 {
				b.photograph("phone-" + c.name)
			}
		}
	}
}

// tooWide lists the elements that stick out, but not those in a box that
// scrolls.
const tooWide = `[...document.querySelectorAll("body *")]
	.filter(e => !e.closest(".scroll") && e.getBoundingClientRect().right > screen.width)
	.map(e => e.outerHTML.slice(0, 80))`

// TestColours measures in both schemes whether every text can be read.
func TestColours(t *testing.T) {
	for _, scheme := range []string{"light", "dark"} {
		t.Run(scheme, func(t *testing.T) {
			b := open(t)
			base := serve(t)
			call(b, emulation.SetDeviceMetricsOverride, emulation.SetDeviceMetricsOverrideParams{
				Width: 1280, Height: 800, DeviceScaleFactor: 1,
			})
			call(b, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
				Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}},
			})
			for _, c := range contents {
				b.visit(base + c.path)
				ground := evaluate[float64](b, contrast+`; luminance(colour(getComputedStyle(document.body).backgroundColor))`)
				if dark := ground < 0.2; dark != (scheme == "dark") {
					t.Errorf("%s has a ground of luminance %.2f, which is not %s", c.path, ground, scheme)
				}
				if n := evaluate[int](b, contrast+`; texts().length`); n < 10 {
					t.Errorf("%s has %d texts, want them to be found", c.path, n)
				}
				if low := evaluate[[]string](b, contrast+`; texts().filter(t => t.ratio < 4.5).map(t => t.ratio.toFixed(2) + " " + t.text)`); len(low) > 0 {
					t.Errorf("%s has texts with a contrast below 4.5:\n%s", c.path, list(low))
				}
				b.photograph(scheme + "-" + c.name)
			}
		})
	}
}

// TestColoursAreMeasured makes sure that a low contrast is found.
func TestColoursAreMeasured(t *testing.T) {
	b := open(t)
	b.visit(serve(t) + "/")
	evaluate[chromedp.Void](b, `document.querySelector(".lead").style.color = "rgb(150, 150, 150)"`)
	if n := evaluate[int](b, contrast+`; texts().filter(t => t.ratio < 4.5).length`); n != 1 {
		t.Errorf("%d texts have a low contrast, want the one that was made so", n)
	}
}

// contrast measures as WCAG 2 does. What is behind a text is the ground of the
// nearest element around it that has one; in a drawing, the box that it is in.
const contrast = `
var colour = s => (([r, g, b, a = 1]) => ({r, g, b, a}))(s.match(/[\d.]+/g).map(Number));
var luminance = ({r, g, b}) => {
	const [x, y, z] = [r, g, b].map(v => v / 255).map(v => v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
	return 0.2126 * x + 0.7152 * y + 0.0722 * z;
};
var ground = e => {
	const box = e.parentNode.querySelector?.(":scope > rect");
	if (e.ownerSVGElement && box) {
		return colour(getComputedStyle(box).fill);
	}
	for (; e; e = e.parentElement) {
		const c = colour(getComputedStyle(e).backgroundColor);
		if (c.a == 1) {
			return c;
		}
	}
	return {r: 255, g: 255, b: 255};
};
var texts = () => {
	const found = [];
	const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
	for (let n; n = walker.nextNode();) {
		const e = n.parentElement;
		if (!n.data.trim() || e.closest("title, desc") || !e.checkVisibility()) {
			continue;
		}
		const style = getComputedStyle(e);
		const [a, b] = [luminance(colour(e.ownerSVGElement ? style.fill : style.color)), luminance(ground(e))];
		found.push({text: n.data.trim(), ratio: (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05)});
	}
	return found;
}`
