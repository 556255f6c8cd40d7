// Returns what is wrong with a page for those who read it with a screen reader, by keyboard, with weak eyes, or on a small screen.
(() => {
  const complaints = [];
  const want = (good, text) => { if (!good) complaints.push(text); };
  const all = (selector) => [...document.querySelectorAll(selector)];
  const show = (e) => e.outerHTML.slice(0, 120);

  want(document.documentElement.lang === "en", "no language");
  want(document.title.length > 3, "no title");
  want(all("main").length === 1 && all("header").length === 1 && all("footer").length === 1, "landmarks: one header, main and footer");
  want(all("h1").length === 1, `${all("h1").length} headings of the first level`);
  let level = 0;
  for (const h of all("h1, h2, h3, h4, h5, h6")) {
    const own = Number(h.tagName[1]);
    want(own <= level + 1, `heading skips a level: ${show(h)}`);
    want(h.textContent.trim() !== "", `empty heading: ${show(h)}`);
    level = own;
  }
  want(all("nav").every((n) => n.getAttribute("aria-label")), "a nav without a name");
  want(new Set(all("nav").map((n) => n.getAttribute("aria-label"))).size === all("nav").length, "two navs of one name");
  for (const e of all("input:not([type=hidden]), select, textarea")) want(e.labels.length === 1, `no label: ${show(e)}`);
  for (const e of all("a, button")) want(e.textContent.trim() !== "", `no text: ${show(e)}`);
  for (const e of all("img")) want(e.hasAttribute("alt"), `no alt: ${show(e)}`);
  for (const e of all("th")) want(["row", "col"].includes(e.getAttribute("scope")), `no scope: ${show(e)}`);
  for (const e of all("tbody tr")) want(e.children.length === e.closest("table").querySelectorAll("thead th").length, `cells without a column: ${show(e)}`);
  for (const e of all("[role=region]")) want(e.getAttribute("aria-label") || document.getElementById(e.getAttribute("aria-labelledby")), `a region without a name: ${show(e)}`);
  for (const e of all("[aria-describedby]")) for (const id of e.getAttribute("aria-describedby").split(" ")) want(document.getElementById(id), `describedby nothing: ${show(e)}`);
  const ids = all("[id]").map((e) => e.id);
  want(new Set(ids).size === ids.length, `an id twice: ${ids}`);
  want(all("script, style, iframe, [style], [onclick]").length === 0, "something inline");
  want(document.documentElement.scrollWidth <= innerWidth, `wider than the screen: ${document.documentElement.scrollWidth} of ${innerWidth}`);

  // WCAG 2.2 §1.4.3: text against what lies under it.
  const channels = (colour) => {
    const numbers = colour.match(/[\d.]+/g).map(Number);
    return colour.startsWith("color(srgb") ? [numbers[0] * 255, numbers[1] * 255, numbers[2] * 255, numbers[3] ?? 1] : [...numbers.slice(0, 3), numbers[3] ?? 1];
  };
  const over = (top, ground) => [0, 1, 2].map((i) => top[i] * top[3] + ground[i] * (1 - top[3])).concat(1);
  const ground = (e) => {
    const own = channels(getComputedStyle(e).backgroundColor);
    if (own[3] === 1) return own;
    return over(own, e.parentElement ? ground(e.parentElement) : [255, 255, 255, 1]);
  };
  const luminance = (c) => {
    const [r, g, b] = c.slice(0, 3).map((v) => (v / 255 <= 0.04045 ? v / 255 / 12.92 : ((v / 255 + 0.055) / 1.055) ** 2.4));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const contrast = (a, b) => {
    const [dark, light] = [luminance(a), luminance(b)].sort((x, y) => x - y);
    return (light + 0.05) / (dark + 0.05);
  };
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  for (let node = walker.nextNode(); node; node = walker.nextNode()) {
    const e = node.parentElement;
    if (node.textContent.trim() === "" || !e.checkVisibility()) continue;
    const under = ground(e), ratio = contrast(over(channels(getComputedStyle(e).color), under), under);
    want(ratio >= 4.5, `contrast ${ratio.toFixed(2)}: ${show(e)}`);
  }
  // §1.4.11: what shows where a field is.
  for (const e of all("input:not([type=hidden]), select")) {
    const ratio = contrast(channels(getComputedStyle(e).borderTopColor), ground(e.parentElement));
    want(ratio >= 3, `contrast of the border ${ratio.toFixed(2)}: ${show(e)}`);
  }
  return complaints;
})()
